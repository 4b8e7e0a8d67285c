// SPDX-License-Identifier: MIT
/*
 * format.c: tests of snprintf(), as C11 7.21.6.1 describes it.
 */
#include "kernel/lib/string.h"
#include "kernel/selftest.h"

static char text[128];

/* Formats without arguments to check against would not test much; so each line is one call. */
#define EXPECT_FORMAT(wanted, ...)                                                                     \
    do {                                                                                               \
        int length = snprintf(text, sizeof(text), __VA_ARGS__);                                        \
        EXPECT_TEXT(text, wanted);                                                                     \
        EXPECT_EQUAL(length, strlen(wanted));                                                          \
    } while (0)

KTEST(format, integers)
{
    EXPECT_FORMAT("0 -1 2147483647 -2147483648", "%d %d %d %i", 0, -1, INT_MAX, INT_MIN);
    EXPECT_FORMAT("4294967295 ffffffff FFFFFFFF 37777777777", "%u %x %X %o", -1u, -1u, -1u, -1u);
    EXPECT_FORMAT("-9223372036854775808 18446744073709551615", "%ld %lu", LONG_MIN, ULONG_MAX);
    EXPECT_FORMAT("-1 255 -1 65535", "%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)255,
                  (short)-1, (unsigned short)65535);
    EXPECT_FORMAT("123 456 789", "%zu %jd %lld", (size_t)123, (intmax_t)456, 789ll);
}

KTEST(format, width_and_precision)
{
    EXPECT_FORMAT("[   42] [42   ] [00042]", "[%5d] [%-5d] [%05d]", 42, 42, 42);
    EXPECT_FORMAT("[+42] [ 42] [-0042]", "[%+d] [% d] [%05d]", 42, 42, -42);
    EXPECT_FORMAT("[0042] [  0042] []", "[%.4d] [%6.4d] [%.0d]", 42, 42, 0);
    EXPECT_FORMAT("[   42] [42   ] [00042]", "[%*d] [%*d] [%.*d]", 5, 42, -5, 42, 5, 42);
    EXPECT_FORMAT("[0x2a] [052] [0x002a] [0]", "[%#x] [%#o] [%#06x] [%#x]", 42, 42, 42, 0);
}

KTEST(format, text_and_characters)
{
    EXPECT_FORMAT("[lazy] [  lazy] [lazy  ] [la]", "[%s] [%6s] [%-6s] [%.2s]", "lazy", "lazy", "lazy",
                  "lazy");
    EXPECT_FORMAT("[a] [  a] 100%", "[%c] [%3c] %d%%", 'a', 'a', 100);
    static const char unterminated[3] = { 'a', 'b', 'c' };
    EXPECT_FORMAT("abc", "%.3s", unterminated);
}

KTEST(format, what_does_not_fit)
{
    char small[5] = "....";

    EXPECT_EQUAL(snprintf(small, sizeof(small), "%s", "promise"), 7);
    EXPECT_TEXT(small, "prom");
    EXPECT_EQUAL(snprintf(NULL, 0, "%d pages", 1024), 10);
    EXPECT_EQUAL(snprintf(small, 1, "x"), 1);
    EXPECT_TEXT(small, "");
}
