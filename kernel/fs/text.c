// SPDX-License-Identifier: MIT
/*
 * text.c: growing text in a chain of frames.
 */
#include "kernel/fs/text.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "mm/frame.h"

struct text_chunk {
    struct text_chunk *next;
    char bytes[PAGE_SIZE - sizeof(struct text_chunk *)];
};

#define CHUNK_BYTES sizeof(((struct text_chunk *)0)->bytes)

static bool text_grow(struct text *text)
{
    struct frame *frame = frame_alloc(FRAME_KERNEL);
    if (!frame) {
        text->failed = true;
        return false;
    }
    struct text_chunk *chunk = frame_address(frame);
    chunk->next = NULL;
    if (text->last)
        text->last->next = chunk;
    else
        text->first = chunk;
    text->last = chunk;
    return true;
}

void text_write(struct text *text, const char *bytes, size_t n)
{
    while (n) {
        size_t used = text->length % CHUNK_BYTES;
        if (text->failed || (!used && !text_grow(text)))
            return;
        size_t chunk = MIN(n, CHUNK_BYTES - used);
        memcpy(text->last->bytes + used, bytes, chunk);
        text->length += chunk;
        bytes += chunk;
        n -= chunk;
    }
}

void text_string(struct text *text, const char *string) { text_write(text, string, strlen(string)); }

void text_printf(struct text *text, const char *fmt, ...)
{
    char line[TEXT_LINE_MAX + 1];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    ASSERT(length >= 0 && length <= TEXT_LINE_MAX);
    text_write(text, line, MIN((size_t)length, (size_t)TEXT_LINE_MAX));
}

ssize_type text_read(const struct text *text, const struct buffer *to, uint64_t offset)
{
    if (offset >= text->length)
        return 0;
    const struct text_chunk *chunk = text->first;
    for (uint64_t skip = offset / CHUNK_BYTES; skip; skip--)
        chunk = chunk->next;
    size_t n = MIN(to->length, text->length - offset), done = 0;
    while (done < n) {
        size_t start = (offset + done) % CHUNK_BYTES;
        size_t part = MIN(CHUNK_BYTES - start, n - done);
        ssize_type copied = buffer_put(to, done, chunk->bytes + start, part);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        if ((size_t)copied < part)
            break;
        chunk = chunk->next;
    }
    return (ssize_type)done;
}

void text_free(struct text *text)
{
    struct text_chunk *next;
    for (struct text_chunk *chunk = text->first; chunk; chunk = next) {
        next = chunk->next;
        frame_put(frame_of(chunk));
    }
    *text = (struct text){ 0 };
}
