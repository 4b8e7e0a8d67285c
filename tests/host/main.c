// SPDX-License-Identifier: MIT
/*
 * main.c: runs the host ring: every test record in a process and on a machine of its own, once for each set
 * of boot switches, and reports in TAP.
 *
 *     ring [SUITE[.NAME]]...
 *
 * Environment: SEED and OPS for the random tests, PARAMS to run with one set of kernel parameters only,
 * LOG=1 to see the kernel log, ABORT=1 to stop at a panic (under gdb: set follow-fork-mode child).
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/x86_64/cpu.h"
#include "kernel/selftest.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "tests/host/machine.h"

#define TEST_SECONDS 60
#define STACK_SIZE (8ul << 20)
#define STACK_ADDRESS ((void *)0x280000000000ul) /* far from any user address that a test uses */

extern const struct ktest ktests_start[], ktests_end[];

#define EXIT_SKIPPED 77

static unsigned test_failures;
static bool test_skipped;

/* One broken thing often fails a check many times over. */
#define FAILURES_SHOWN 20

void ktest_note(const char *fmt, ...)
{
    va_list args;

    if (test_failures > FAILURES_SHOWN)
        return;
    va_start(args, fmt);
    fputs("# ", stdout);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
}

void ktest_skip(const char *reason)
{
    test_skipped = true;
    ktest_note("skipped: %s", reason);
}

bool ktest_expect(bool held, const char *text, const char *file, int line)
{
    if (!held) {
        test_failures++;
        ktest_note("%s:%d: %s does not hold", file, line, text);
    }
    return held;
}

bool ktest_expect_equal(uint64_t value, uint64_t wanted, const char *value_text, const char *wanted_text,
                        const char *file, int line)
{
    if (value != wanted) {
        test_failures++;
        ktest_note("%s:%d: %s is %ld (0x%lx), not %s, %ld (0x%lx)", file, line, value_text, (long)value,
                   value, wanted_text, (long)wanted, wanted);
    }
    return value == wanted;
}

bool ktest_expect_text(const char *value, const char *wanted, const char *text, const char *file, int line)
{
    bool same = !strcmp(value, wanted);
    if (!same) {
        test_failures++;
        ktest_note("%s:%d: %s is \"%s\", not \"%s\"", file, line, text, value, wanted);
    }
    return same;
}

/* Suites that start the machine themselves, because its size or its start is what they test. */
static bool is_bare(const struct ktest *test) { return !strcmp(test->suite, "bare"); }

static void test_run_on_machine(const struct ktest *test)
{
    static struct fault_counts counts;

    machine_start(16ul << 20);
    while (frame_make_blank())
        ; /* with prezero=N */
    uint64_t free_frames = frame_free_count(), committed = commit_total();
    this_cpu()->fault_counts = &counts;
    test->run();
    aspace_switch(NULL);
    frame_fail_nth(0);
    EXPECT_EQUAL(mm_check(), 0);
    EXPECT_EQUAL(frame_free_count(), free_frames);
    EXPECT_EQUAL(commit_total(), committed);
}

static void *test_thread(void *arg)
{
    const struct ktest *test = arg;

    if (is_bare(test))
        test->run();
    else
        test_run_on_machine(test);
    return NULL;
}

/* In the child: run on a stack at a known place, so that the MMU tells kernel from user addresses. */
static void __noreturn_fn test_child(const struct ktest *test)
{
    pthread_attr_t attr;
    pthread_t thread;
    void *stack = mmap(STACK_ADDRESS, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    alarm(getenv("OPS") ? 0 : TEST_SECONDS); /* who asks for more operations wants to wait for them */
    if (stack != STACK_ADDRESS || pthread_attr_init(&attr) ||
        pthread_attr_setstack(&attr, stack, STACK_SIZE) ||
        pthread_create(&thread, &attr, test_thread, (void *)test) || pthread_join(thread, NULL)) {
        perror("# no thread for the test");
        exit(2);
    }
    fflush(stdout);
    exit(test_failures ? 1 : test_skipped ? EXIT_SKIPPED : 0);
}

/* How the test ended, as TAP has it; unusual ends are said in words. */
enum test_end { TEST_PASSED, TEST_FAILED, TEST_SKIPPED };

static enum test_end test_run(const struct ktest *test)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        test_child(test);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("# fork");
        return TEST_FAILED;
    }
    if (WIFSIGNALED(status))
        printf("# %s\n", WTERMSIG(status) == SIGALRM ? "time-out" : strsignal(WTERMSIG(status)));
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
        return TEST_SKIPPED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TEST_PASSED : TEST_FAILED;
}

static bool is_selected(const struct ktest *test, int argc, char **argv)
{
    char name[128];

    snprintf(name, sizeof(name), "%s.%s", test->suite, test->name);
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], test->suite) || !strcmp(argv[i], name))
            return true;
    return argc == 1;
}

/* Run all selected tests with these kernel parameters; returns how many failed. */
static unsigned ring_run(const char *params, int argc, char **argv, unsigned *number)
{
    unsigned failed = 0;

    machine_set_params(params);
    for (const struct ktest *test = ktests_start; test < ktests_end; test++) {
        if (!is_selected(test, argc, argv))
            continue;
        enum test_end end = test_run(test);
        failed += end == TEST_FAILED;
        printf("%sok %u - %s: %s%s%s%s\n", end == TEST_FAILED ? "not " : "", ++*number, test->suite,
               test->name, *params ? ", " : "", params, end == TEST_SKIPPED ? " # SKIP" : "");
    }
    return failed;
}

int main(int argc, char **argv)
{
    static const char *const switches[] = { "", "zfod=off", "zeropage=off", "cow=off", "sharedtables=off",
                                             "prezero=100" };
    const char *params = getenv("PARAMS");
    unsigned number = 0, failed = 0;

    if (params)
        failed = ring_run(params, argc, argv, &number);
    else
        for (unsigned i = 0; i < ARRAY_SIZE(switches); i++)
            failed += ring_run(switches[i], argc, argv, &number);
    printf("1..%u\n", number);
    return failed || !number;
}
