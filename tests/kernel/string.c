// SPDX-License-Identifier: MIT
/*
 * string.c: tests of the kernel's own memory and text functions.
 */
#include "kernel/lib/string.h"

#include "kernel/selftest.h"

KTEST(string, memmove_both_ways)
{
    char bytes[40];

    for (unsigned shift = 0; shift < 18; shift++) {
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = i;
        memmove(bytes + shift, bytes, 20);
        for (unsigned i = 0; i < 20; i++)
            EXPECT_EQUAL(bytes[shift + i], i);
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = i;
        memmove(bytes, bytes + shift, 20);
        for (unsigned i = 0; i < 20; i++)
            EXPECT_EQUAL(bytes[i], shift + i);
    }
}

KTEST(string, memcpy_and_memset_of_every_small_length)
{
    unsigned char from[48], to[48];

    for (volatile size_t n = 0; n <= 32;
         n++) { /* volatile: the functions, not the compiler's expansion of them */
        memset(from, 0x11, sizeof(from));
        memset(to, 0x22, sizeof(to));
        memcpy(to + 3, from, n);
        for (unsigned i = 0; i < sizeof(to); i++)
            if (!EXPECT_EQUAL(to[i], i >= 3 && i < 3 + n ? 0x11 : 0x22))
                break;
        memset(to + 5, 0x33, n);
        EXPECT(to[4] != 0x33 && to[5 + n] != 0x33 && (!n || (to[5] == 0x33 && to[4 + n] == 0x33)));
    }
}

KTEST(string, comparisons)
{
    EXPECT_EQUAL(memcmp("abc", "abc", 3), 0);
    EXPECT(memcmp("abc", "abd", 3) < 0 && memcmp("\xff", "\x01", 1) > 0);
    EXPECT_EQUAL(memcmp("abc", "abd", 2), 0);
    EXPECT_EQUAL(strcmp("", ""), 0);
    EXPECT(strcmp("a", "ab") < 0 && strcmp("b", "ab") > 0 && strcmp("\xff", "a") > 0);
    EXPECT_EQUAL(strncmp("promise", "promote", 4), 0);
    EXPECT(strncmp("promise", "promote", 5) < 0);
    EXPECT_EQUAL(strncmp("same", "same", 100), 0);
    EXPECT_EQUAL(strncmp("a", "b", 0), 0);
}

KTEST(string, searches_and_lengths)
{
    const char *text = "copy-on-write";

    EXPECT_EQUAL(strlen(text), 13);
    EXPECT_EQUAL(strlen(""), 0);
    EXPECT_EQUAL(strnlen(text, 4), 4);
    EXPECT_EQUAL(strnlen(text, 100), 13);
    EXPECT(strchr(text, '-') == text + 4);
    EXPECT(strchr(text, '\0') == text + 13);
    EXPECT(!strchr(text, 'x'));
    EXPECT(memchr(text, 'w', 13) == text + 8);
    EXPECT(!memchr(text, 'w', 8));
}

KTEST(string, copies_that_fit_or_not)
{
    char small[6];

    EXPECT_EQUAL(string_copy(small, "lazy", sizeof(small)), 4);
    EXPECT_TEXT(small, "lazy");
    EXPECT_EQUAL(string_copy(small, "lazybones", sizeof(small)), 9);
    EXPECT_TEXT(small, "lazyb");
}

KTEST(string, numbers)
{
    const char *end;

    EXPECT_EQUAL(string_to_ulong("1234", NULL, 10), 1234);
    EXPECT_EQUAL(string_to_ulong("0x1fG", &end, 0), 0x1f);
    EXPECT_EQUAL(*end, 'G');
    EXPECT_EQUAL(string_to_ulong("0755", NULL, 0), 0755);
    EXPECT_EQUAL(string_to_ulong("ff", NULL, 16), 255);
    EXPECT_EQUAL(string_to_ulong("18446744073709551615", NULL, 10), ULONG_MAX);
    EXPECT_EQUAL(string_to_ulong("99999999999999999999999", NULL, 10), ULONG_MAX);
    const char *none = "none";
    EXPECT_EQUAL(string_to_ulong(none, &end, 10), 0);
    EXPECT(end == none);
}
