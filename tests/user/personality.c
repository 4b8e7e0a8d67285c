// SPDX-License-Identifier: MIT
//
// ram: 256M  time: 20
// subject: processes
//
// personality(2): what a program asks its system calls to be like.
#include <sched.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "child.h"
#include "sysctl.h"

// As libc's personality(), which may be one that knows better.
static long persona(unsigned long wanted) { return syscall(SYS_personality, wanted); }

// Each in a child of its own: it is kept as it was given.
static void domains_check(void)
{
    static const unsigned long kinds[] = {PER_LINUX, PER_LINUX_32BIT, PER_SVR4, PER_SVR3, PER_SCOSVR3, PER_OSR5, PER_WYSEV386,
                                          PER_ISCR4, PER_BSD, PER_XENIX, PER_LINUX32, PER_IRIX32, PER_RISCOS, PER_SOLARIS,
                                          PER_UW7, PER_OSF4, PER_HPUX};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        pid_t pid = fork();
        int status;
        if (pid == 0)
            _exit(!(persona(kinds[i]) == 0 && persona(0xffffffff) == (long)kinds[i]));
        waitpid(pid, &status, 0);
        is(status, 0, "personality %#lx is taken and told", kinds[i]);
    }
}

static bool is_old(const char *release)
{
    struct utsname real;
    unsigned minor;
    char want[sizeof(real.release)];
    if (persona(PER_LINUX) < 0 || uname(&real) || sscanf(real.release, "%*u.%u", &minor) != 1)
        return false;
    snprintf(want, sizeof(want), "2.6.%u%s", 60 + minor, real.release + strspn(real.release, "0123456789."));
    return !strcmp(release, want);
}

static void names_check(void)
{
    struct utsname name;
    persona(PER_LINUX | UNAME26);
    uname(&name);
    ok(is_old(name.release), "UNAME26: the release is a 2.6 (%s)", name.release);
    persona(PER_LINUX32);
    uname(&name);
    ok(!strcmp(name.machine, "i686"), "PER_LINUX32: the machine is an i686");
    pid_t pid = fork();
    int status;
    if (pid == 0)
        _exit(uname(&name) || strcmp(name.machine, "i686"));
    waitpid(pid, &status, 0);
    is(status, 0, "a child inherits it");
    persona(PER_LINUX);
    uname(&name);
    ok(!strcmp(name.machine, "x86_64"), "back again");
}

static void times_check(void)
{
    struct timeval limit = {0, 20000};
    persona(PER_LINUX | STICKY_TIMEOUTS);
    is(syscall(SYS_select, 0, NULL, NULL, NULL, &limit), 0, "select with STICKY_TIMEOUTS");
    is(limit.tv_usec, 20000, "leaves the time alone");
    struct timespec given = {0, 20000000};
    is(syscall(SYS_ppoll, NULL, 0, &given, NULL, 8), 0, "ppoll");
    is(given.tv_nsec, 20000000, "does, too");
    persona(PER_LINUX);
    is(syscall(SYS_select, 0, NULL, NULL, NULL, &limit), 0, "select without");
    is(limit.tv_usec, 0, "tells what is left");
}

// Not about personality, but as small: how long a turn of SCHED_RR is.
static void slice_check(void)
{
    const char *path = "/proc/sys/kernel/sched_rr_timeslice_ms";
    struct {
        int priority;
    } param = {1};
    struct timespec slice;
    is(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param), 0, "SCHED_RR");
    is(syscall(SYS_sched_rr_get_interval, 0, &slice), 0, "sched_rr_get_interval");
    is(slice.tv_sec * 1000 + slice.tv_nsec / 1000000, file_get_number(path), "what the file says");
    is(file_put_number(path, 200), 0, "it can be set");
    is(syscall(SYS_sched_rr_get_interval, 0, &slice), 0, "sched_rr_get_interval");
    is(slice.tv_sec * 1000 + slice.tv_nsec / 1000000, 200, "so long is it now");
    is(file_put_number(path, 0), 0, "0 may be written");
    is(file_get_number(path), 100, "and means the first value");
    param.priority = 0;
    syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param);
}

int main(void)
{
    tap_begin();
    is(persona(0xffffffff), PER_LINUX, "a program begins as Linux's own");
    domains_check();
    names_check();
    times_check();
    slice_check();
    return tap_end();
}
