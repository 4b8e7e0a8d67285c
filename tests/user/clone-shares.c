// SPDX-License-Identifier: MIT
// ram: 128M  time: 30
// subject: processes
//
// clone(2) with CLONE_FILES, CLONE_FS and CLONE_SIGHAND: what two processes then have in common, what exec takes apart
// again, and what becomes of a call that sleeps on a file whose descriptor the other one closes.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"

#define FILES 0x400
#define FS 0x200
#define SIGHAND 0x800
#define VM 0x100

#define HIGH 40 // a descriptor that nobody else uses

static char self[64];
static int ends[2], file;

// fork(2) with flags: the child has its own memory, runs `act` and ends with what it returns.
static int start(unsigned long flags, int (*act)(void))
{
    long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
        tap_bail("clone");
    if (pid == 0)
        _exit(act());
    return (int)pid;
}

static int end_of(int pid)
{
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int after(unsigned long flags, int (*act)(void)) { return end_of(start(flags, act)); }

// The same in the parent's memory, on a stack of its own: clone(2) of the C library.
static int in_memory_of_parent(void *act) { return ((int (*)(void))act)(); }

static int after_in_memory(int flags, int (*act)(void))
{
    static char stack[65536] __attribute__((aligned(16)));
    return end_of(clone(in_memory_of_parent, stack + sizeof(stack), VM | flags | SIGCHLD, (void *)act));
}

static bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

// The program anew, in the part that `part` names.
static int become(const char *part)
{
    execl(self, self, part, (char *)NULL);
    return 99;
}

// Until the parent sleeps.
static void await_sleep(void)
{
    char name[32], text[256] = "";
    snprintf(name, sizeof(name), "/proc/%d/stat", getppid());
    do {
        int fd = open(name, O_RDONLY);
        if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
            _exit(98);
        close(fd);
    } while (!strstr(text, ") S"));
}

// ---- descriptors ----

static int open_high(void) { return dup2(0, HIGH) != HIGH; }
static int close_high(void) { return close(HIGH); }
static int mark_high(void) { return fcntl(HIGH, F_SETFD, FD_CLOEXEC); }
static int grow_table(void) { return dup2(0, 900) != 900 || close(900); }
static int exec_and_close(void) { return become("close"); }

static void descriptors_check(void)
{
    is(after(FILES, open_high), 0, "CLONE_FILES: the child opens a descriptor");
    ok(is_open(HIGH), "and the parent has it");
    is(after(FILES, mark_high), 0, "the child marks it");
    is(fcntl(HIGH, F_GETFD), FD_CLOEXEC, "close-on-exec for both");
    is(after(FILES, grow_table), 0, "the table grows and");
    ok(is_open(HIGH) && !is_open(900), "is still the same");
    is(after(FILES, exec_and_close), 0, "exec takes them apart: the new program does not have what was marked");
    ok(is_open(HIGH), "and the parent still has it");
    fcntl(HIGH, F_SETFD, 0);
    is(after(FILES, exec_and_close), 1, "what is not marked it has, and closes");
    ok(is_open(HIGH), "for itself");
    is(after(0, close_high), 0, "a child by fork closes it");
    ok(is_open(HIGH), "for itself, too");
    is(after(FILES, close_high), 0, "with CLONE_FILES it closes it");
    ok(!is_open(HIGH), "for both");
}

// The parent sleeps in read(2) meanwhile.
static int close_and_write(void)
{
    await_sleep();
    return close(ends[0]) || write(ends[1], "x", 1) != 1;
}

static int replace_and_write(void)
{
    await_sleep();
    return dup2(0, ends[0]) != ends[0] || write(ends[1], "y", 1) != 1;
}

static void sleeper_check(void)
{
    char byte = 0;
    signal(SIGPIPE, SIG_IGN);
    pipe(ends);
    int pid = start(FILES, close_and_write);
    is(read(ends[0], &byte, 1), 1, "a read goes on though the other one closes its descriptor");
    ok(byte == 'x' && end_of(pid) == 0, "and gets what the other one writes");
    fails(write(ends[1], "z", 1), EPIPE, "after it nobody reads the pipe any more");
    close(ends[1]);
    pipe(ends);
    pid = start(FILES, replace_and_write);
    is(read(ends[0], &byte, 1), 1, "so it does when dup2() puts another file in its place");
    ok(byte == 'y' && end_of(pid) == 0, "and gets what the other one writes");
    fails(write(ends[1], "z", 1), EPIPE, "and lets go of it");
    close(ends[0]), close(ends[1]);
}

// ---- locks ----

static int lock(int fd, int command, short type)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, command, &range) ? -errno : range.l_type;
}

static int lock_too(void) { return lock(file, F_SETLK, F_WRLCK) != F_WRLCK; }
static int lock_seen(void) { return lock(file, F_GETLK, F_WRLCK) != F_UNLCK; }
static int lock_in_vain(void) { return lock(file, F_SETLK, F_WRLCK) != -EAGAIN; }

// Holds the lock until the parent waits for it and its brother has closed the file under it.
static int hold(void)
{
    char byte;
    int failed = lock(file, F_SETLK, F_WRLCK) != F_WRLCK || write(ends[1], "x", 1) != 1;
    await_sleep();
    return failed || read(ends[0], &byte, 1) != 1;
}

static int close_file(void)
{
    await_sleep();
    return close(file) || write(ends[1], "y", 1) != 1;
}

static void locks_check(void)
{
    char byte;
    file = open("shared-lock", O_RDWR | O_CREAT, 0600);
    is(lock(file, F_SETLK, F_WRLCK), F_WRLCK, "a lock");
    is(after(FILES, lock_too), 0, "is not in the way of who shares the descriptors");
    is(after(FILES, lock_seen), 0, "nor seen by it");
    is(after(0, lock_in_vain), 0, "and outlives it, for all others");
    lock(file, F_SETLK, F_UNLCK);
    pipe(ends);
    int holder = start(0, hold);
    read(ends[0], &byte, 1);
    int closer = start(FILES, close_file);
    is(lock(file, F_SETLKW, F_WRLCK), -EBADF, "a lock on a file that was closed meanwhile: EBADF");
    ok(end_of(holder) == 0 && end_of(closer) == 0, "as it was meant");
    file = open("shared-lock", O_RDWR);
    is(after(0, lock_seen), 0, "nothing of it is left");
    close(file), close(ends[0]), close(ends[1]);
    unlink("shared-lock");
}

// ---- directory, mask ----

static int move(void) { return chdir("/tmp") || umask(077) != 022; }
static int exec_and_move(void) { return become("move"); }

static bool stands_in(const char *path)
{
    char text[256];
    return getcwd(text, sizeof(text)) && strcmp(text, path) == 0;
}

static void directory_check(void)
{
    chdir("/");
    umask(022);
    is(after(0, move), 0, "a child by fork goes to another directory and sets its mask");
    ok(stands_in("/"), "alone");
    is(after(FS, move), 0, "with CLONE_FS it does so");
    ok(stands_in("/tmp"), "and the parent is there, too");
    is(umask(022), 077, "with the same mask");
    chdir("/");
    is(after(FS, exec_and_move), 0, "exec leaves this shared: the new program goes to another directory");
    ok(stands_in("/tmp"), "and the parent with it");
    is(umask(022), 077, "with its mask");
    chdir("/");
}

// ---- signal actions ----

static volatile int handled;

static void count(int number)
{
    (void)number;
    handled++;
}

static int handle(void) { return signal(SIGUSR1, count) != SIG_DFL; }
static int block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigprocmask(SIG_BLOCK, &set, NULL);
}
static int kill_self(void) { return kill(getpid(), SIGUSR1) || handled != 1; }

static void *handler_of(int number)
{
    struct sigaction action;
    sigaction(number, NULL, &action);
    return (void *)action.sa_handler;
}

static bool is_blocked(int number)
{
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, number);
}

static void actions_check(void)
{
    fails(syscall(SYS_clone, SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL, "CLONE_SIGHAND without CLONE_VM: EINVAL");
    is(after_in_memory(0, handle), 0, "CLONE_VM alone: a child sets a handler");
    ok(handler_of(SIGUSR1) == (void *)SIG_DFL, "for itself");
    is(after_in_memory(SIGHAND, handle), 0, "with CLONE_SIGHAND it sets it");
    ok(handler_of(SIGUSR1) == (void *)count, "for both");
    is(after_in_memory(SIGHAND, kill_self), 0, "and takes a signal");
    is(handled, 1, "in the memory that they share");
    is(after_in_memory(SIGHAND, block), 0, "a signal that the child blocks");
    ok(!is_blocked(SIGUSR2), "is not blocked in the parent");
    is(after_in_memory(SIGHAND | FILES | FS, exec_and_close), 0, "the child becomes another program");
    ok(handler_of(SIGUSR1) == (void *)count, "and the parent's handler stays");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "close") == 0)
        return is_open(HIGH) && close(HIGH) == 0;
    if (argc > 1)
        return move();
    tap_begin();
    self[readlink("/proc/self/exe", self, sizeof(self) - 1)] = '\0';
    descriptors_check();
    sleeper_check();
    locks_check();
    directory_check();
    actions_check();
    return tap_end();
}
