// SPDX-License-Identifier: MIT
/*
 * cpio.c: tests of the archive reader: what it finds, and that it refuses what is broken wherever it is
 * broken.
 */
#include "kernel/fs/cpio.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"

#define ZEROES "00000000"
/* number, mode, user, group, links, mtime, size, two devices, name size, check */
#define HEADER(number, mode, size, name_size)                                                          \
    "070701" number mode ZEROES ZEROES "00000001" "0000002a" size ZEROES ZEROES ZEROES ZEROES name_size ZEROES

/* One file "a/b" of five bytes, and the trailer. Each string ends where the padding to four bytes does. */
static const char archive[] = HEADER("00000007", "000081a4", "00000005", "00000004") "a/b\0\0\0"
                              "hello\0\0\0" HEADER(ZEROES, ZEROES, ZEROES, "0000000b") "TRAILER!!!\0\0\0\0";

static struct cpio reader(const char *data, size_t length)
{
    return (struct cpio){ .data = (const uint8_t *)data, .length = length };
}

KTEST(cpio, reads_an_entry_and_the_trailer)
{
    struct cpio cpio = reader(archive, sizeof(archive) - 1);
    struct cpio_entry entry;

    REQUIRE(cpio_next(&cpio, &entry) == 1);
    EXPECT_TEXT(entry.name, "a/b");
    EXPECT_EQUAL(entry.number, 7);
    EXPECT_EQUAL(entry.mode, 0100644);
    EXPECT_EQUAL(entry.mtime, 42);
    EXPECT_EQUAL(entry.size, 5);
    EXPECT(!memcmp(entry.data, "hello", 5));
    EXPECT_EQUAL(cpio_next(&cpio, &entry), 0);
}

/* Read to the end: 0 at the trailer, or the error. */
static int read_all(struct cpio *cpio)
{
    struct cpio_entry entry;
    int result;

    while ((result = cpio_next(cpio, &entry)) == 1)
        ;
    return result;
}

KTEST(cpio, refuses_an_archive_cut_anywhere)
{
    for (size_t length = 0; length < sizeof(archive) - 4; length++) {
        struct cpio cpio = reader(archive, length);
        EXPECT_EQUAL(read_all(&cpio), -EINVAL);
        EXPECT(cpio.problem != NULL);
    }
}

KTEST(cpio, refuses_damaged_headers)
{
    static const struct {
        size_t at;
        char byte;
    } damage[] = {
        { 0, '1' },    /* the magic */
        { 13, 'g' },   /* not hexadecimal */
        { 54, 'f' },   /* the size: beyond the end */
        { 101, '5' },  /* the name's size: its NUL is not where it should be */
        { 94, 'f' },   /* the name's size: beyond the end */
        { 113, 'x' },  /* the name: no NUL */
    };
    char copy[sizeof(archive)];

    for (unsigned i = 0; i < ARRAY_SIZE(damage); i++) {
        memcpy(copy, archive, sizeof(archive));
        copy[damage[i].at] = damage[i].byte;
        struct cpio cpio = reader(copy, sizeof(copy) - 1);
        EXPECT_EQUAL(read_all(&cpio), -EINVAL);
    }
}
