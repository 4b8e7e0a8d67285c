// SPDX-License-Identifier: MIT
/*
 * selftest.h: tests that live in the kernel image and run at boot (parameter `selftest`, or
 * `selftest=SUITE`).
 *
 *     KTEST(frame, gives_back)
 *     {
 *         struct frame *frame = frame_alloc(FRAME_KERNEL);
 *         REQUIRE(frame);
 *         EXPECT_EQUAL(frame->refs, 1);
 *         frame_put(frame);
 *     }
 *
 * A test is a record in the section .ktests; nothing else registers it. It must leave the machine as it found
 * it: the runner compares free frames, kernel objects and the ledger before and after, and checks all of mm/
 * (mm_check). Tests that need only mm/ run in the host ring as well (tests/host/), over the software MMU.
 */
#ifndef KERNEL_SELFTEST_H
#define KERNEL_SELFTEST_H

#include "kernel/lib/types.h"

struct ktest {
    const char *suite, *name;
    void (*run)(void);
};

/*
 * Records lie side by side as an array, so nothing may pad them: neither the compiler's taste for aligned
 * aggregates, nor the red zones that Clang's AddressSanitizer puts around globals.
 */
#ifdef __clang__
#define KTEST_NO_REDZONE __attribute__((no_sanitize("address")))
#else
#define KTEST_NO_REDZONE
#endif

#define KTEST(suite_word, name_word)                                                                   \
    static void ktest_##suite_word##_##name_word(void);                                                \
    static const struct ktest ktest_record_##suite_word##_##name_word                                  \
        __attribute__((used, section(".ktests"), aligned(__alignof__(struct ktest)))) KTEST_NO_REDZONE = { \
            #suite_word, #name_word, ktest_##suite_word##_##name_word                                  \
    };                                                                                                 \
    static void ktest_##suite_word##_##name_word(void)

/*
 * A check that failed is printed with its place and values; the test goes on. All are true where the check
 * held.
 */
#define EXPECT(cond) ktest_expect((cond), #cond, __FILE__, __LINE__)
#define EXPECT_EQUAL(value, wanted)                                                                    \
    ktest_expect_equal((uint64_t)(value), (uint64_t)(wanted), #value, #wanted, __FILE__, __LINE__)
#define EXPECT_TEXT(value, wanted) ktest_expect_text((value), (wanted), #value, __FILE__, __LINE__)

/* The same, for what the rest of the test stands on: a failure leaves the test function. */
#define REQUIRE(cond)                                                                                  \
    do {                                                                                               \
        if (!EXPECT(cond))                                                                             \
            return;                                                                                    \
    } while (0)

bool ktest_expect(bool held, const char *text, const char *file, int line);
bool ktest_expect_equal(uint64_t value, uint64_t wanted, const char *value_text, const char *wanted_text,
                        const char *file, int line);
bool ktest_expect_text(const char *value, const char *wanted, const char *text, const char *file, int line);

/*
 * This test cannot be made here; `reason` says why, and the test function is left. What it had taken must be
 * given back.
 */
#define SKIP(reason)                                                                                   \
    do {                                                                                               \
        ktest_skip(reason);                                                                            \
        return;                                                                                        \
    } while (0)

void ktest_skip(const char *reason);

/* A line of the test's own in the report ("# ..."). */
void ktest_note(const char *fmt, ...) __printf_like(1, 2);

/*
 * Run the tests that the parameter selects, report in KTAP on the log's port (without time stamps) and as one
 * line `selftest pass|fail PASSED FAILED` on the report port, and end the machine. Interrupts are on.
 */
void selftest_run(void) __noreturn_fn;

#endif
