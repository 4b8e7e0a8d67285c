// SPDX-License-Identifier: MIT
/*
 * cpio.c: the reader of "newc" archives (cpio(5), "New ASCII Format").
 *
 * An entry is a header of 110 characters, the name with its NUL, and the data; name and data are each padded
 * so that what follows them starts at a multiple of four. Every length is checked against the archive's end
 * before use.
 */
#include "kernel/fs/cpio.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

/* The numbers of a header, eight hexadecimal digits each, behind the magic. */
enum field {
    FIELD_NUMBER,
    FIELD_MODE,
    FIELD_USER,
    FIELD_GROUP,
    FIELD_LINKS,
    FIELD_MTIME,
    FIELD_SIZE,
    FIELD_DEVICE_MAJOR,
    FIELD_DEVICE_MINOR,
    FIELD_SPECIAL_MAJOR,
    FIELD_SPECIAL_MINOR,
    FIELD_NAME_SIZE,
    FIELD_CHECK,
    FIELDS
};

#define MAGIC_SIZE 6
#define FIELD_SIZE_CHARS 8
#define HEADER_SIZE (MAGIC_SIZE + FIELDS * FIELD_SIZE_CHARS)

static int broken(struct cpio *cpio, const char *problem)
{
    cpio->problem = problem;
    return -EINVAL;
}

static bool hex_parse(const uint8_t *text, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < FIELD_SIZE_CHARS; i++) {
        uint8_t c = text[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20) - 'a' + 10;
        else
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

/* "070702" is the same with a checksum of the data, which is not looked at. */
static int magic_check(struct cpio *cpio, const uint8_t *header)
{
    if (cpio->length - cpio->offset < HEADER_SIZE)
        return broken(cpio, cpio->offset ? "the archive ends without its trailer" : "too short for one");
    if (!memcmp(header, "070701", MAGIC_SIZE) || !memcmp(header, "070702", MAGIC_SIZE))
        return 0;
    if (header[0] == 0x1f && header[1] == 0x8b)
        return broken(cpio, "it is compressed (gzip); a plain archive is needed");
    return broken(cpio, "no newc header (070701)");
}

/* The range [start, start + size) behind `start`, inside the archive; the padded end goes to *end. */
static bool range_inside(const struct cpio *cpio, size_t start, size_t size, size_t *end)
{
    if (start > cpio->length || size > cpio->length - start)
        return false;
    *end = MIN(align_up(start + size, 4), cpio->length);
    return true;
}

int cpio_next(struct cpio *cpio, struct cpio_entry *entry)
{
    const uint8_t *header = cpio->data + cpio->offset;
    uint32_t field[FIELDS];
    size_t data_start, end;

    int error = magic_check(cpio, header);
    if (error)
        return error;
    for (unsigned i = 0; i < FIELDS; i++)
        if (!hex_parse(header + MAGIC_SIZE + i * FIELD_SIZE_CHARS, &field[i]))
            return broken(cpio, "a number in the header is not hexadecimal");
    size_t name_size = field[FIELD_NAME_SIZE];
    if (!range_inside(cpio, cpio->offset + HEADER_SIZE, name_size, &data_start))
        return broken(cpio, "a name runs over the archive's end");
    const char *name = (const char *)header + HEADER_SIZE;
    if (!name_size || memchr(name, '\0', name_size) != name + name_size - 1)
        return broken(cpio, "a name does not end where its header says");
    if (!strcmp(name, "TRAILER!!!"))
        return 0;
    if (!range_inside(cpio, data_start, field[FIELD_SIZE], &end))
        return broken(cpio, "a file runs over the archive's end");
    *entry = (struct cpio_entry){
        .name = name,
        .number = field[FIELD_NUMBER],
        .mode = field[FIELD_MODE],
        .links = field[FIELD_LINKS],
        .mtime = field[FIELD_MTIME],
        .device_major = field[FIELD_DEVICE_MAJOR],
        .device_minor = field[FIELD_DEVICE_MINOR],
        .data = cpio->data + data_start,
        .size = field[FIELD_SIZE],
    };
    cpio->offset = end;
    return 1;
}
