// SPDX-License-Identifier: MIT
/*
 * main.c: from kernel_main() to the first program.
 *
 * The boot thread sets up every part, makes pid 1, and becomes the idle process. pid 1 starts in the
 * kernel: it runs the self-tests, or turns itself into the program that the parameter init= names.
 *
 * Parameters: init=PATH (default /init), the words behind `--` are its arguments; selftest; panic=test.
 */
#include <linux/mqueue.h>

#include "arch/x86_64/machine.h"
#include "kernel/entry.h"
#include "kernel/exec.h"
#include "kernel/fs/file.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/standpoint.h"
#include "kernel/kthread.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/selftest.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/kstack.h"
#include "mm/oom.h"

#define INIT_DEFAULT "/init"

static const char *const init_environment[] = { "HOME=/", "TERM=linux", "PATH=/bin" };

static void selftest_first(void)
{
    sched_start();
    selftest_run();
}

/* The strings of init's command line and environment. */
static int init_strings(struct exec_strings *strings, const char *path)
{
    int error = exec_strings_add(strings, path);
    const char *word;

    strings->argc = 1;
    for (unsigned i = 0; !error && (word = params_init_arg(i)); i++) {
        error = exec_strings_add(strings, word);
        strings->argc++;
    }
    for (unsigned i = 0; !error && i < ARRAY_SIZE(init_environment); i++) {
        error = exec_strings_add(strings, init_environment[i]);
        strings->envc++;
    }
    return error;
}

/* pid 1 on its own kernel stack; when this returns, user mode goes on in the program. */
static void init_first(void)
{
    const char *path = params_string("init");
    struct exec_strings strings = { 0 };
    int error;

    sched_start();
    if (!path)
        path = INIT_DEFAULT;
    error = init_strings(&strings, path);
    if (!error)
        error = exec_program(&(struct exec_target){ .path = path, .name = path }, &strings);
    if (error)
        panic("init: cannot run %s: error %d", path, -error);
    exec_strings_free(&strings);
    log_info("init: %s", path);
}

#define PROCESS_LIMIT_MIN 20

/* As many processes as would fill an eighth of RAM with kernel stacks (proc(5), threads-max). */
static void set_process_limit(void)
{
    process_limit = (int)MAX(frame_total_count() * PAGE_SIZE / KSTACK_SIZE / 8, PROCESS_LIMIT_MIN);
}

/* Default limits, as Linux gives them to init (getrlimit(2)). */
static void set_limits(struct process *process)
{
    uint64_t share = (uint64_t)process_limit / 2;

    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        process->limits[i] = (struct rlimit64){ RLIM64_INFINITY, RLIM64_INFINITY };
    process->limits[RLIMIT_STACK].rlim_cur = _STK_LIM;
    process->limits[RLIMIT_CORE].rlim_cur = 0;
    process->limits[RLIMIT_NOFILE] = (struct rlimit64){ 1024, 4096 };
    process->limits[RLIMIT_MEMLOCK] = (struct rlimit64){ MLOCK_LIMIT, MLOCK_LIMIT };
    process->limits[RLIMIT_NPROC] = process->limits[RLIMIT_SIGPENDING] = (struct rlimit64){ share, share };
    process->limits[RLIMIT_MSGQUEUE] = (struct rlimit64){ MQ_BYTES_MAX, MQ_BYTES_MAX };
    process->limits[RLIMIT_NICE] = process->limits[RLIMIT_RTPRIO] = (struct rlimit64){ 0, 0 };
}

/* pid 1: its own session and group, standard descriptors, the root as working directory. It runs first(). */
static void start_init(void (*first)(void))
{
    struct process *process = process_create(first, signal_actions_create());

    if (!process)
        panic("init: out of memory");
    process_set_name(process, "init");
    fpu_init_area(process->fpu);
    process->exit_signal = SIGCHLD;
    set_process_limit();
    set_limits(process);
    process->standpoint = standpoint_create(fs_root);
    process->files = files_create();
    if (!process->standpoint || !process->files || fs_open_stdio(process->files) || process_enter(process, NULL))
        panic("init: out of memory");
    sched_enqueue(process);
}

static void start_threads(void)
{
    if (kthread_create("oom_reaper", oom_reaper, NULL) < 0)
        panic("kernel threads: out of memory");
}

static void panic_if_wanted(void)
{
    const char *wanted = params_string("panic");

    if (wanted && strcmp(wanted, "test") == 0)
        panic("test: the parameter panic=test asks for it");
}

void kernel_main(const void *archive, size_t length)
{
    mm_init();
    process_init();
    sched_init();
    fs_init(archive, length);
    timer_init();
    log_info("memory: %lu KiB free of %lu KiB", frame_free_count() * (PAGE_SIZE / 1024),
             frame_total_count() * (PAGE_SIZE / 1024));
    panic_if_wanted();
    start_init(params_string("selftest") ? selftest_first : init_first);
    start_threads();
    sched_idle();
}
