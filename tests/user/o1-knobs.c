// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// subject: proc
//
// O1: the knobs of overcommit and of the OOM killer read and write as on Linux.
#include <limits.h>
#include <sys/mman.h>

#include "sysctl.h"
#include "observe.h"

// What a knob holds at boot, what it may hold, and a value beyond, if there is any.
static const struct {
    const char *name;
    long initial, other, bad; // initial -1: depends on the machine; bad 0: none
} knobs[] = {
    {"overcommit_memory", 0, 2, 3},
    {"overcommit_memory", 0, 1, -1},
    {"panic_on_oom", 0, 1, 3},
    {"oom_kill_allocating_task", 0, 1, 0},
    {"oom_dump_tasks", 1, 0, 0},
    {"user_reserve_kbytes", -1, 2048, 0},
    {"min_free_kbytes", -1, 8191, -1},
};

// Reads a file to its end and compares.
static bool reads(const char *name, const char *want)
{
    return strcmp(observe_file(knob_path(name)), want) == 0;
}

static void knob_check(const char *name, long initial, long other, long bad)
{
    long before = knob(name);
    char text[32];
    if (initial >= 0)
        is(before, initial, "O1 %s is %ld at boot", name, initial);
    is(knob_set(name, other), 0, "O1 %s can be set to %ld", name, other);
    snprintf(text, sizeof(text), "%ld\n", other);
    ok(reads(name, text), "O1 it reads so, with a line end");
    if (bad)
        fails(knob_set(name, bad), EINVAL, "O1 %s does not take %ld", name, bad);
    fails(file_put(knob_path(name), "many\n"), EINVAL, "O1 nor a word");
    is(knob(name), other, "O1 after that it holds what it held");
    is(knob_set(name, before), 0, "O1 %s can be put back", name);
}

// How the text of a number may look.
static void syntax_check(void)
{
    const char *path = knob_path("overcommit_memory");
    is(file_put(path, "1"), 0, "O1 a number without line end is taken");
    is(knob("overcommit_memory"), 1, "O1 it holds");
    is(file_put(path, "  2\n"), 0, "O1 so is one after blanks");
    is(knob("overcommit_memory"), 2, "O1 it holds");
    is(file_put(path, "0x1\n"), 0, "O1 and one in hexadecimal");
    is(knob("overcommit_memory"), 1, "O1 it holds");
    fails(file_put(path, "1x\n"), EINVAL, "O1 a number with a letter behind is not");
    is(knob_set("overcommit_memory", 0), 0, "O1 mode 0 again");
}

static void limit_is(long want, const char *what)
{
    is(meminfo("CommitLimit:"), want / 4 * 4, "O1 %s", what);
}

static void ratio_check(void)
{
    long total = meminfo("MemTotal:"), swap = meminfo("SwapTotal:");
    is(knob("overcommit_ratio"), 50, "O1 overcommit_ratio is 50 at boot");
    is(knob("overcommit_kbytes"), 0, "O1 overcommit_kbytes is 0");
    limit_is(total / 4 * 50 / 100 * 4 + swap, "CommitLimit is half of RAM, and swap");
    is(knob_set("overcommit_ratio", 80), 0, "O1 overcommit_ratio can be set to 80");
    limit_is(total / 4 * 80 / 100 * 4 + swap, "CommitLimit is 80 per cent");
    is(knob_set("overcommit_kbytes", 100000), 0, "O1 overcommit_kbytes can be set to 100000");
    limit_is(100000 + swap, "CommitLimit is just that");
    is(knob("overcommit_ratio"), 0, "O1 which switches the ratio off");
    is(knob_set("overcommit_ratio", 150), 0, "O1 overcommit_ratio can be beyond 100");
    limit_is(total / 4 * 150 / 100 * 4 + swap, "CommitLimit is more than RAM");
    is(knob("overcommit_kbytes"), 0, "O1 which switches overcommit_kbytes off");
    fails(file_put(knob_path("overcommit_ratio"), "half\n"), EINVAL, "O1 overcommit_ratio takes no word");
    fails(file_put(knob_path("overcommit_kbytes"), "x\n"), EINVAL, "O1 overcommit_kbytes takes no word");
    is(knob("overcommit_ratio"), 150, "O1 after that it holds what it held");
    is(knob_set("overcommit_ratio", 50), 0, "O1 50 again");
}

// Takes memory until it is killed, and leaves the least MemFree it saw where its parent finds it.
static void hog(volatile long *least)
{
    for (;;) {
        char *more = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED)
            _exit(1);
        memset(more, 1, 1 << 20);
        long now = meminfo("MemFree:");
        if (now < *least)
            *least = now;
    }
}

// What min_free_kbytes says is kept from user memory.
static void min_free_check(void)
{
    enum { KEPT = 32 << 10 };
    long before = knob("min_free_kbytes"), available = meminfo("MemAvailable:");
    volatile long *least = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    *least = LONG_MAX;
    is(knob_set("overcommit_memory", 1), 0, "O1 every promise is made");
    is(knob_set("min_free_kbytes", KEPT), 0, "O1 32 MiB are to stay free");
    ok(meminfo("MemAvailable:") < available - (KEPT - before) / 2, "O1 they are not available");
    pid_t pid = fork();
    if (pid == 0)
        hog(least);
    waitpid(pid, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "O1 who wants all memory is killed");
    ok(*least < 2 * KEPT && *least >= KEPT * 9 / 10, "O1 while so much was free");
    is(knob_set("min_free_kbytes", before), 0, "O1 the old value again");
    is(knob_set("overcommit_memory", 0), 0, "O1 mode 0 again");
}

int main(void)
{
    knobs_guard();
    tap_begin();
    observe_settle();
    for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
        knob_check(knobs[i].name, knobs[i].initial, knobs[i].other, knobs[i].bad);
    syntax_check();
    ratio_check();
    min_free_check();
    return tap_end();
}
