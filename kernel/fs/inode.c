// SPDX-License-Identifier: MIT
/*
 * inode.c: references to inodes, and the step from a directory to its entry.
 */
#include "kernel/fs/inode.h"

#include "arch/x86_64/machine.h"
#include "kernel/fs/standpoint.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"

struct spinlock inode_tree_lock = SPINLOCK_INIT;

struct inode *inode_get(struct inode *inode)
{
    uint32_t before = __atomic_fetch_add(&inode->refs, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0);
    (void)before;
    return inode;
}

/* A loop, not a recursion: an inode's end may be its parent's, and so on up a path of any depth. */
void inode_put(struct inode *inode)
{
    while (inode) {
        uint32_t before = __atomic_fetch_sub(&inode->refs, 1, __ATOMIC_ACQ_REL);
        BUG_ON(before == 0, "inode %lu has no reference to give back", inode->number);
        if (before > 1)
            return;
        struct inode *parent = inode->parent;
        BUG_ON(!inode->ops->destroy, "inode %lu must not go", inode->number);
        inode->ops->destroy(inode);
        inode = parent;
    }
}

struct inode *inode_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    if (!directory->ops->lookup) {
        *error = -ENOTDIR;
        return NULL;
    }
    struct inode *inode = directory->ops->lookup(directory, name, length, error);
    while (inode && inode->mounted) {
        struct inode *root = inode_get(inode->mounted);
        ((struct filesystem *)root->filesystem)->visits++; /* nothing else of it changes by being looked at */
        inode_put(inode);
        inode = root;
    }
    return inode;
}

struct inode *inode_parent(struct inode *directory)
{
    spin_lock(&inode_tree_lock);
    struct inode *parent = inode_get(directory->parent ? directory->parent : directory);
    spin_unlock(&inode_tree_lock);
    return parent;
}

int64_t inode_time_now(void) { return (int64_t)clock_wall(); }

void inode_note_change(struct inode *inode) { inode->mtime = inode->ctime = inode_time_now(); }
void inode_note_attributes(struct inode *inode) { inode->ctime = inode_time_now(); }

#define DAY (24 * 3600 * 1000000000l)

void inode_note_access(struct inode *inode)
{
    const struct filesystem *filesystem = inode->filesystem;
    unsigned never = MS_RDONLY | MS_NOATIME | (S_ISDIR(inode->mode) ? MS_NODIRATIME : 0);
    if (!filesystem->keeps_attributes || filesystem->flags & never)
        return;
    int64_t now = inode_time_now();
    if (inode->atime <= inode->mtime || inode->atime <= inode->ctime || now - inode->atime >= DAY ||
        filesystem->flags & MS_STRICTATIME)
        inode->atime = now;
}

/* The three bits of the mode that are about this process: the owner's, the group's, or the others'. */
static unsigned mode_for(const struct inode *inode, const struct credentials *mine)
{
    if (mine->user.filesystem == inode->uid)
        return inode->mode >> 6 & 7;
    return (credentials_have_group(mine, inode->gid) ? inode->mode >> 3 : inode->mode) & 7;
}

/* Root may read, write and search everything, and run what has an x bit at all. */
int inode_permission(const struct inode *inode, unsigned wanted)
{
    const struct credentials *mine = &current()->credentials;
    bool on_device = S_ISCHR(inode->mode) || S_ISBLK(inode->mode) || S_ISFIFO(inode->mode);
    if (wanted & INODE_WRITE && filesystem_is_read_only(inode->filesystem) && !on_device)
        return -EROFS;
    if (wanted & INODE_WRITE && inode->is_immutable)
        return -EPERM;
    if (wanted & INODE_EXECUTE && !S_ISDIR(inode->mode) && !(inode->mode & 0111))
        return -EACCES;
    if (wanted & INODE_EXECUTE && S_ISREG(inode->mode) && inode->filesystem->flags & MS_NOEXEC)
        return -EACCES;
    return credentials_rule_files(mine) || !(wanted & ~mode_for(inode, mine)) ? 0 : -EACCES;
}

struct inode_new inode_new_for_process(uint32_t type, uint32_t permissions)
{
    const struct process *process = current();
    return (struct inode_new){
        .mode = type | (permissions & ~process->standpoint->umask),
        .uid = process->credentials.user.filesystem,
        .gid = process->credentials.group.filesystem,
    };
}

bool inode_is_mine(const struct inode *inode)
{
    const struct credentials *mine = &current()->credentials;
    return mine->user.filesystem == inode->uid || credentials_rule_files(mine);
}

uint32_t inode_mode_for_group(uint32_t mode, uint32_t group)
{
    const struct credentials *mine = &current()->credentials;
    bool keeps = credentials_rule_files(mine) || credentials_have_group(mine, group);
    return keeps ? mode : mode & ~(uint32_t)S_ISGID;
}

uint32_t inode_mode_without_privilege(const struct inode *inode)
{
    uint32_t mode = inode->mode & ~(uint32_t)S_ISUID;
    return mode & S_IXGRP ? mode & ~(uint32_t)S_ISGID : inode_mode_for_group(mode, inode->gid);
}

void inode_drop_privilege(struct inode *inode)
{
    bool is_program = S_ISREG(inode->mode) && inode->mode & (S_ISUID | S_ISGID);
    if (is_program && !credentials_rule_files(&current()->credentials))
        inode->mode = inode_mode_without_privilege(inode);
}

/* ---- written, or run ---- */

int inode_writer_enter(struct inode *inode)
{
    if (inode->writers < 0)
        return -ETXTBSY;
    inode->writers++;
    return 0;
}

void inode_writer_leave(struct inode *inode)
{
    ASSERT(inode->writers > 0);
    inode->writers--;
}

int inode_run_enter(struct inode *inode)
{
    if (inode->writers > 0)
        return -ETXTBSY;
    inode->writers--;
    return 0;
}

void inode_run_leave(struct inode *inode)
{
    ASSERT(inode->writers < 0);
    inode->writers++;
}

uint64_t inode_number_new(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}
