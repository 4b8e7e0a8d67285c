// SPDX-License-Identifier: MIT
/*
 * sys_getdents.c: getdents64(2) and getdents(2): directories, entry by entry.
 *
 * A directory's own entries are numbered by its file system; "." and ".." come before them, here, for all
 * kinds: an open directory's position is 0 and 1 for these two, then 2 + the file system's position.
 */
#include <linux/stat.h>

#include "kernel/fs/file.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* As getdents(2) shows it; Linux's headers for user programs do not have it. Its end is not padded. */
struct directory_entry {
    uint64_t number;
    int64_t next; /* position of the entry behind this one */
    uint16_t length;
    char rest[]; /* the type (DT_*: the S_IFMT bits, shifted) and the name with its NUL; getdents(2): name and type */
} __attribute__((packed));

#define ENTRY_HEAD offsetof(struct directory_entry, rest)

enum listing_format { LISTING_TYPE_FIRST, LISTING_TYPE_LAST };

#define DOTS 2 /* positions taken by "." and ".." */

struct listing {
    enum listing_format format;
    char *bytes;
    size_t used, size;
    int64_t position; /* behind the last entry in it */
    bool full;        /* there was an entry without room */
};

static bool listing_add(struct listing *listing, const char *name, size_t length, uint64_t number,
                        unsigned mode, int64_t next)
{
    bool type_first = listing->format == LISTING_TYPE_FIRST;
    size_t size = align_up(ENTRY_HEAD + 1 + length + 1, 8);
    listing->full = size > listing->size - listing->used;
    if (listing->full)
        return false;
    struct directory_entry *entry = (struct directory_entry *)(listing->bytes + listing->used);
    memset(entry, 0, size);
    entry->number = number;
    entry->next = next;
    entry->length = (uint16_t)size;
    entry->rest[type_first ? 0 : size - ENTRY_HEAD - 1] = (char)((mode & S_IFMT) >> 12);
    memcpy(entry->rest + type_first, name, length);
    listing->used += size;
    listing->position = next;
    return true;
}

static bool listing_emit(void *listing, const char *name, size_t length, uint64_t number, unsigned mode,
                         int64_t next)
{
    return listing_add(listing, name, length, number, mode, next + DOTS);
}

static int listing_fill(struct listing *listing, struct inode *directory)
{
    if (listing->position == 0 && !listing_add(listing, ".", 1, directory->number, S_IFDIR, 1))
        return 0;
    if (listing->position == 1) {
        struct inode *parent = inode_parent(directory);
        bool added = listing_add(listing, "..", 2, parent->number, S_IFDIR, DOTS);
        inode_put(parent);
        if (!added)
            return 0;
    }
    return directory->ops->list(directory, listing->position - DOTS, listing_emit, listing);
}

/* At most a page a call, whatever the caller's buffer: callers go on until they get 0. */
static int64_t list_directory(const struct syscall_args *args, enum listing_format format)
{
    struct file *file = files_get((int)args->arg[0]);
    if (!file || file_is_path(file))
        return -EBADF;
    if (!S_ISDIR(file->inode->mode))
        return -ENOTDIR;
    struct listing listing = {
        .format = format,
        .size = MIN((unsigned)args->arg[2], PAGE_SIZE),
        .position = (int64_t)file->position,
    };
    listing.bytes = kmalloc(PAGE_SIZE);
    if (!listing.bytes)
        return -ENOMEM;
    int64_t result = file->inode->links ? listing_fill(&listing, file->inode) : -ENOENT; /* removed */
    if (!result)
        result = !listing.used && listing.full ? -EINVAL : (int64_t)listing.used;
    if (result >= 0)
        notify_inode(file->inode, DN_ACCESS);
    if (result > 0 && copy_to_user(args->arg[1], listing.bytes, listing.used))
        result = -EFAULT;
    if (result > 0)
        file->position = (uint64_t)listing.position;
    kfree(listing.bytes);
    return result;
}

int64_t sys_getdents64(const struct syscall_args *args) { return list_directory(args, LISTING_TYPE_FIRST); }
int64_t sys_getdents(const struct syscall_args *args) { return list_directory(args, LISTING_TYPE_LAST); }
