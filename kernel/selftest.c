// SPDX-License-Identifier: MIT
/*
 * selftest.c: runs the KTEST records that the linker has gathered, and looks after each that nothing is
 * missing.
 *
 * The report is KTAP (docs.kernel.org/dev-tools/ktap.html): what failed is said in `#` lines before its `not
 * ok`. The tests run one after the other on the boot thread, each on the kernel's tables alone at first.
 */
#include "kernel/selftest.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/machine.h"
#include "kernel/lib/log.h"
#include "kernel/lib/params.h"
#include "kernel/lib/report.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/fault.h"
#include "mm/frame.h"
#include "mm/slab.h"

extern const struct ktest ktests_start[], ktests_end[];

static unsigned test_failures;  /* checks that the running test has failed */
static const char *skip_reason; /* NULL: it was not skipped */

/* mm_check() looks at every frame there is: on machines larger than this it runs once, at the end. */
#define CHECK_EACH_TEST_FRAMES (256ul << 20 >> PAGE_SHIFT)

static void report_write(const char *fmt, ...) __printf_like(1, 2);
static void report_write(const char *fmt, ...)
{
    char line[256];
    va_list args;

    va_start(args, fmt);
    int length = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    serial_write(log_port(), line, MIN((size_t)length, sizeof(line) - 1));
}

void ktest_note(const char *fmt, ...)
{
    char text[200];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    report_write("# %s\n", text);
}

void ktest_skip(const char *reason) { skip_reason = reason; }

bool ktest_expect(bool held, const char *text, const char *file, int line)
{
    if (held)
        return true;
    test_failures++;
    ktest_note("%s:%d: %s does not hold", file, line, text);
    return false;
}

bool ktest_expect_equal(uint64_t value, uint64_t wanted, const char *value_text, const char *wanted_text,
                        const char *file, int line)
{
    if (value == wanted)
        return true;
    test_failures++;
    ktest_note("%s:%d: %s is %ld (0x%lx), not %s, %ld (0x%lx)", file, line, value_text, (long)value, value,
               wanted_text, (long)wanted, wanted);
    return false;
}

bool ktest_expect_text(const char *value, const char *wanted, const char *text, const char *file, int line)
{
    if (!strcmp(value, wanted))
        return true;
    test_failures++;
    ktest_note("%s:%d: %s is \"%s\", not \"%s\"", file, line, text, value, wanted);
    return false;
}

/* What must be the same after a test as before it. */
struct balance {
    uint64_t free_frames, committed, objects;
};

static struct balance balance_take(void)
{
    return (struct balance){ frame_free_count(), commit_total(), READ_ONCE(slab_objects) };
}

/* A check that takes place after the test, in its name. */
static void balance_check(const struct balance *before)
{
    struct balance after = balance_take();

    if (after.free_frames != before->free_frames) {
        test_failures++;
        ktest_note("%ld frames are missing", (long)(before->free_frames - after.free_frames));
    }
    if (after.objects > before->objects) { /* fewer: someone has come to an end meanwhile */
        test_failures++;
        ktest_note("%ld kernel objects are left", (long)(after.objects - before->objects));
    }
    if (after.committed != before->committed) {
        test_failures++;
        ktest_note("%ld pages are left in the commit ledger", (long)(after.committed - before->committed));
    }
}

static void references_check(void)
{
    if (mm_check())
        ktest_note("mm_check() found no memory for its tally: references were not counted");
}

static bool test_run(const struct ktest *test)
{
    static struct fault_counts fault_counts;
    struct fault_counts *saved = this_cpu()->fault_counts;
    struct balance before = balance_take();

    test_failures = 0;
    skip_reason = NULL;
    fault_counts = (struct fault_counts){ 0 };
    this_cpu()->fault_counts = &fault_counts;
    test->run();
    this_cpu()->fault_counts = saved;
    aspace_switch(NULL);
    frame_fail_nth(0);
    if (frame_count <= CHECK_EACH_TEST_FRAMES)
        references_check();
    balance_check(&before);
    return test_failures == 0;
}

static bool is_selected(const struct ktest *test, const char *suite)
{
    return !*suite || !strcmp(test->suite, suite);
}

/* Run one test and say how it ended. Did it pass? */
static bool test_report(const struct ktest *test, unsigned number)
{
    bool passed = test_run(test);

    report_write("%sok %u %s: %s%s%s\n", passed ? "" : "not ", number, test->suite, test->name,
                 skip_reason ? " # SKIP " : "", skip_reason ? skip_reason : "");
    return passed;
}

void selftest_run(void)
{
    const char *suite = params_string("selftest");
    unsigned count = 0, number = 0, failed = 0;
    uint64_t start = clock_nanoseconds();

    suite = suite ? suite : "";
    log_set_console_level(
        LOG_ERR); /* tests provoke what the log complains of; a panic is shown all the same */
    for (const struct ktest *test = ktests_start; test < ktests_end; test++)
        count += is_selected(test, suite);
    report_write("KTAP version 1\n1..%u\n", count);
    for (const struct ktest *test = ktests_start; test < ktests_end; test++)
        if (is_selected(test, suite))
            failed += !test_report(test, ++number);
    references_check();
    if (!count) {
        report_write("# no test is in a suite \"%s\"\n", suite);
        failed = 1;
    }
    report_write("# %u ms\n", (unsigned)((clock_nanoseconds() - start) / 1000000));
    report_line("selftest %s %u %u", failed ? "fail" : "pass", number - (count ? failed : 0), failed);
    machine_end(failed ? MACHINE_SELFTEST_FAILED : MACHINE_POWER_OFF);
}
