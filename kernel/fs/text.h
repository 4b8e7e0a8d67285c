// SPDX-License-Identifier: MIT
/*
 * text.h: text that grows as it is written: what a file in /proc shows.
 *
 * It lies in a chain of single frames, so it needs no large block of memory and no length known beforehand.
 * When memory is out the rest is dropped and `failed` says so; writers need not look after every line.
 */
#ifndef KERNEL_FS_TEXT_H
#define KERNEL_FS_TEXT_H

#include "kernel/fs/buffer.h"

struct text_chunk;

/* All zeroes is an empty text. */
struct text {
    struct text_chunk *first, *last;
    size_t length;
    bool failed; /* memory was out: something is missing */
};

/* Longest piece that one text_printf() may make. */
#define TEXT_LINE_MAX 511

void text_write(struct text *text, const char *bytes, size_t n);
void text_string(struct text *text, const char *string);
void text_printf(struct text *text, const char *fmt, ...) __printf_like(2, 3);

/* Copy out from `offset`: bytes (0: behind its end), or -EFAULT. May sleep. */
ssize_type text_read(const struct text *text, const struct buffer *to, uint64_t offset) __must_check;

/* Give the memory back; the text is empty then. */
void text_free(struct text *text);

#endif
