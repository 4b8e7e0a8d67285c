// SPDX-License-Identifier: MIT
//
// TAP for the user ring: each check is one line, "ok 3 - Z3 the first write takes one frame".
//
// A line is put together in a buffer and goes out in one write(2), so nothing is left in a buffer
// for fork to print twice, and checking takes no memory. Only the process that called tap_begin()
// may check; children hand their figures back through child.h.
#ifndef TESTS_USER_TAP_H
#define TESTS_USER_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int tap_checks, tap_failures;

// Writes `size` bytes to standard output, however many write(2) calls that takes.
static inline void tap_put(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(1, text, size);
        if (n <= 0)
            return;
        text += n;
        size -= n;
    }
}

// Prints a note, "# ...", for whoever reads the log.
__attribute__((format(printf, 1, 2))) static inline void tap_note(const char *format, ...)
{
    char line[256] = "# ";
    va_list args;
    va_start(args, format);
    vsnprintf(line + 2, sizeof(line) - 3, format, args);
    va_end(args);
    strcat(line, "\n");
    tap_put(line, strlen(line));
}

static inline bool tap_vcheck(bool good, const char *format, va_list args)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "%sok %d - ", good ? "" : "not ", ++tap_checks);
    vsnprintf(line + n, sizeof(line) - n - 1, format, args);
    strcat(line, "\n");
    tap_put(line, strlen(line));
    tap_failures += !good;
    return good;
}

// The check: prints ok or not ok with the sentence, returns `good`.
__attribute__((format(printf, 2, 3))) static inline bool ok(bool good, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tap_vcheck(good, format, args);
    va_end(args);
    return good;
}

// Checks that `got` lies in [low, high]; says what it was if not.
__attribute__((format(printf, 4, 5))) static inline bool between(long low, long got, long high,
                                                                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool good = tap_vcheck(low <= got && got <= high, format, args);
    va_end(args);
    if (!good)
        tap_note("got %ld, want %ld to %ld", got, low, high);
    return good;
}

// Checks that `got` equals `want`; says what it was if not.
__attribute__((format(printf, 3, 4))) static inline bool is(long got, long want, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool good = tap_vcheck(got == want, format, args);
    va_end(args);
    if (!good)
        tap_note("got %ld, want %ld", got, want);
    return good;
}

// Checks that a call that returned `result` failed with `error`.
__attribute__((format(printf, 3, 4))) static inline bool fails(long result, int error, const char *format,
                                                               ...)
{
    int found = result == -1 ? errno : 0;
    va_list args;
    va_start(args, format);
    bool good = tap_vcheck(result == -1 && found == error, format, args);
    va_end(args);
    if (!good)
        tap_note("got %ld with errno %d, want -1 with errno %d", result, found, error);
    return good;
}

// Counts a check that cannot be made here, with the reason.
__attribute__((format(printf, 1, 2))) static inline void tap_skip(const char *format, ...)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "ok %d # SKIP ", ++tap_checks);
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, sizeof(line) - n - 1, format, args);
    va_end(args);
    strcat(line, "\n");
    tap_put(line, strlen(line));
}

// Ends the test where going on makes no sense (a call the test stands on has failed).
static inline _Noreturn void tap_bail(const char *what)
{
    int error = errno;
    char line[256];
    int n = snprintf(line, sizeof(line), "not ok %d - %s (errno %d)\n1..%d\n", tap_checks + 1, what,
                     error, tap_checks + 1);
    tap_put(line, n);
    _exit(1);
}

// Opens a test. Huge pages off, where there are any: every count here is in 4 KiB pages.
static inline void tap_begin(void)
{
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

// Closes a test with its plan; main returns this.
static inline int tap_end(void)
{
    char line[32];
    int n = snprintf(line, sizeof(line), "1..%d\n", tap_checks);
    tap_put(line, n);
    return tap_failures ? 1 : 0;
}

#endif
