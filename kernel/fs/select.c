// SPDX-License-Identifier: MIT
/*
 * select.c: select(2) and pselect6(2): poll with bits instead of numbers.
 *
 * Each descriptor that has a bit in any of the three sets becomes one entry of a poll set; what is ready
 * becomes bits again. Which events mean readable, writable and exceptional is as in Linux's fs/select.c
 * (poll(2) lists them).
 */
#include <linux/time_types.h>

#include "kernel/fs/file.h"
#include "kernel/fs/poll.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define NANOSECONDS 1000000000l
#define WORD_BITS 64u

enum { SELECT_READ, SELECT_WRITE, SELECT_EXCEPT, SELECT_SETS };

static const short events_asked[SELECT_SETS] = { POLLIN, POLLOUT, POLLPRI };
static const short events_meaning[SELECT_SETS] = {
    [SELECT_READ] = POLLIN | POLLRDNORM | POLLHUP | POLLERR,
    [SELECT_WRITE] = POLLOUT | POLLWRNORM | POLLERR,
    [SELECT_EXCEPT] = POLLPRI,
};

struct selection {
    unsigned limit; /* descriptors below it are looked at */
    uint64_t user[SELECT_SETS];   /* 0: no such set */
    uint64_t *bits[SELECT_SETS];  /* copies, in one block at bits[0] */
    uint64_t mask, mask_size;
};

static size_t set_words(const struct selection *selection)
{
    return align_up(selection->limit, WORD_BITS) / WORD_BITS;
}

static bool bit_test(const uint64_t *bits, unsigned n) { return bits[n / WORD_BITS] >> n % WORD_BITS & 1; }

/* Copy the sets in. 0, -ENOMEM, -EFAULT; the block is the caller's to free. */
static int sets_get(struct selection *selection)
{
    size_t words = set_words(selection);
    selection->bits[0] = kmalloc((words ? words : 1) * SELECT_SETS * sizeof(uint64_t));
    if (!selection->bits[0])
        return -ENOMEM;
    for (unsigned i = 0; i < SELECT_SETS; i++) {
        selection->bits[i] = selection->bits[0] + i * words;
        if (selection->user[i] &&
            copy_from_user(selection->bits[i], selection->user[i], words * sizeof(uint64_t)))
            return -EFAULT;
    }
    return 0;
}

/* The poll entries of all descriptors that are asked for. The number, or -EBADF. */
static int set_build(const struct selection *selection, struct pollfd *fds)
{
    int count = 0;
    for (unsigned fd = 0; fd < selection->limit; fd++) {
        short events = 0;
        for (unsigned i = 0; i < SELECT_SETS; i++)
            if (bit_test(selection->bits[i], fd))
                events |= events_asked[i];
        if (!events)
            continue;
        const struct file *file = files_peek(current()->files, fd);
        if (!file || file_is_path(file))
            return -EBADF;
        fds[count++] = (struct pollfd){ .fd = (int)fd, .events = events };
    }
    return count;
}

/* Turn what is ready into bits, and count them. */
static int64_t bits_from(struct selection *selection, const struct poll_set *set)
{
    int64_t count = 0;
    for (unsigned k = 0; k < set->count; k++) {
        const struct pollfd *entry = &set->fds[k];
        uint64_t bit = 1ul << (unsigned)entry->fd % WORD_BITS;
        for (unsigned i = 0; i < SELECT_SETS; i++) {
            uint64_t *word = &selection->bits[i][(unsigned)entry->fd / WORD_BITS];
            if (!(*word & bit))
                continue;
            if (entry->revents & events_meaning[i])
                count++;
            else
                *word &= ~bit;
        }
    }
    return count;
}

static int64_t select_wait(struct selection *selection, const struct poll_time *time)
{
    struct poll_set set = { .fds = kmalloc((selection->limit + 1ul) * sizeof(struct pollfd)) };
    if (!set.fds)
        return -ENOMEM;
    int64_t result = set_build(selection, set.fds);
    if (result >= 0) {
        set.count = (unsigned)result;
        result = poll_wait(&set, time, selection->mask, selection->mask_size);
    }
    if (result >= 0)
        result = bits_from(selection, &set);
    kfree(set.fds);
    return result;
}

static int64_t select_user(struct selection *selection, int limit, const struct poll_time *time)
{
    if (limit < 0)
        return -EINVAL;
    selection->limit = (unsigned)MIN((uint64_t)limit, align_up(files_capacity(current()->files), WORD_BITS));
    int64_t result = sets_get(selection);
    if (!result)
        result = select_wait(selection, time);
    for (unsigned i = 0; i < SELECT_SETS && result >= 0; i++)
        if (selection->user[i] &&
            copy_to_user(selection->user[i], selection->bits[i], set_words(selection) * sizeof(uint64_t)))
            result = -EFAULT;
    kfree(selection->bits[0]);
    return result;
}

/* select(2): the time in microseconds, of any size; what is left of it is written back. */
int64_t sys_select(const struct syscall_args *args)
{
    struct selection selection = { .user = { args->arg[1], args->arg[2], args->arg[3] } };
    struct poll_time time = { .forever = true };
    uint64_t user = args->arg[4];
    int64_t given[2];
    if (user) {
        if (copy_from_user(given, user, sizeof given))
            return -EFAULT;
        if (given[0] < 0 || given[1] < 0)
            return -EINVAL;
        time = poll_time_in(MIN(given[0], INT64_MAX / 2) + given[1] / 1000000, given[1] % 1000000 * 1000);
    }
    int64_t result = select_user(&selection, (int)args->arg[0], &time);
    if (user) {
        uint64_t left = poll_time_left(&time);
        given[0] = (int64_t)left / NANOSECONDS;
        given[1] = (int64_t)left % NANOSECONDS / 1000;
        result = poll_result(result, user, given, sizeof given);
    }
    return result;
}

/* pselect6(2): the last argument points to the mask's address and size. */
int64_t sys_pselect6(const struct syscall_args *args)
{
    struct selection selection = { .user = { args->arg[1], args->arg[2], args->arg[3] } };
    struct poll_time time = { .forever = true };
    struct __kernel_timespec given;
    uint64_t user = args->arg[4], mask[2];
    if (args->arg[5]) {
        if (copy_from_user(mask, args->arg[5], sizeof mask))
            return -EFAULT;
        selection.mask = mask[0];
        selection.mask_size = mask[1];
    }
    if (user) {
        if (copy_from_user(&given, user, sizeof given))
            return -EFAULT;
        if (given.tv_sec < 0 || given.tv_nsec < 0 || given.tv_nsec >= NANOSECONDS)
            return -EINVAL;
        time = poll_time_in(given.tv_sec, given.tv_nsec);
    }
    int64_t result = select_user(&selection, (int)args->arg[0], &time);
    if (user) {
        uint64_t left = poll_time_left(&time);
        given = (struct __kernel_timespec){ (int64_t)left / NANOSECONDS, (int64_t)left % NANOSECONDS };
        result = poll_result(result, user, &given, sizeof given);
    }
    return result;
}
