// SPDX-License-Identifier: MIT
/*
 * exec_strings.c: gathers the strings of execve(2).
 */
#include "kernel/exec_strings.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

void exec_strings_free(struct exec_strings *strings) { kfree(strings->text); }

/* Make room for at least `room` bytes more. */
static int grow(struct exec_strings *strings, size_t room)
{
    size_t size = MAX(strings->size, PAGE_SIZE);
    char *text;

    while (size - strings->used < room)
        size *= 2;
    if (size == strings->size)
        return 0;
    if (size > EXEC_STRINGS_MAX)
        return -E2BIG;
    text = kmalloc(size);
    if (!text)
        return -ENOMEM;
    memcpy(text, strings->text, strings->used);
    kfree(strings->text);
    strings->text = text;
    strings->size = size;
    return 0;
}

int exec_strings_add(struct exec_strings *strings, const char *text)
{
    size_t length = strlen(text) + 1;
    int error = grow(strings, length);

    if (error)
        return error;
    memcpy(strings->text + strings->used, text, length);
    strings->used += length;
    return 0;
}

/* Add one string from user memory, trying again with more room until it fits. */
static int add_user_string(struct exec_strings *strings, vaddr_t address)
{
    for (;;) {
        size_t room = strings->size - strings->used;
        ssize_type length = -ENAMETOOLONG;
        int error;

        if (room)
            length = copy_string_from_user(strings->text + strings->used, address,
                                           MIN(room, EXEC_STRING_MAX));
        if (length >= 0) {
            strings->used += (size_t)length + 1;
            return 0;
        }
        if (length != -ENAMETOOLONG)
            return (int)length;
        if (room >= EXEC_STRING_MAX)
            return -E2BIG;
        error = grow(strings, room + 1);
        if (error)
            return error;
    }
}

/* Add the strings of one array; their number goes to *count. */
static int add_user_array(struct exec_strings *strings, vaddr_t array, unsigned *count)
{
    for (*count = 0; array; ++*count, array += sizeof(uint64_t)) {
        uint64_t pointer;
        int error;

        if (copy_from_user(&pointer, array, sizeof(pointer)))
            return -EFAULT;
        if (!pointer)
            return 0;
        if (strings->used + (strings->argc + strings->envc) * sizeof(pointer) >= EXEC_STRINGS_MAX)
            return -E2BIG;
        error = add_user_string(strings, pointer);
        if (error)
            return error;
    }
    return 0;
}

int exec_strings_add_user(struct exec_strings *strings, vaddr_t argv, vaddr_t envp)
{
    int error = add_user_array(strings, argv, &strings->argc);

    if (!error && !strings->argc) { /* a program counts on argv[0]; Linux gives it an empty one, too */
        error = exec_strings_add(strings, "");
        strings->argc = 1;
    }
    return error ? error : add_user_array(strings, envp, &strings->envc);
}

int exec_strings_replace_first(struct exec_strings *strings, const char *const words[], unsigned count)
{
    size_t old = strings->argc ? strlen(strings->text) + 1 : 0, new = 0;
    char *at;
    int error;

    for (unsigned i = 0; i < count; i++)
        new += strlen(words[i]) + 1;
    error = grow(strings, new);
    if (error)
        return error;
    memmove(strings->text + new, strings->text + old, strings->used - old);
    at = strings->text;
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(words[i]) + 1;

        memcpy(at, words[i], length);
        at += length;
    }
    strings->used += new - old;
    strings->argc += count - (strings->argc ? 1 : 0);
    return 0;
}
