// SPDX-License-Identifier: MIT
/*
 * populate.c: touching pages on someone's behalf: all of a range at once, or to copy in or out of an address space
 * that need not be the current one.
 */
#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/fault.h"
#include "mm/oom.h"
#include "mm/range.h"

/* One page as `how` says. FAULT_SPURIOUS also where there is nothing to touch. */
static enum fault_kind page_populate_locked(struct aspace *aspace, const struct vma *vma, vaddr_t addr, enum populate how)
{
    bool by_rights = how == POPULATE_LOCKED || how == POPULATE_WISH;
    bool write = by_rights ? vma->prot & PROT_WRITE && !(vma->flags & VMA_SHARED) : how == POPULATE_WRITE;

    if (by_rights && vma->flags & VMA_LOCK_ONFAULT)
        return FAULT_SPURIOUS;
    return fault_touch_locked(aspace, addr, write ? ACCESS_WRITE : ACCESS_READ, NULL);
}

/*
 * The first page in [*addr, end) that is mapped; *addr is then behind it, or behind its VMA where it cannot be had and
 * `how` is a wish; at a page that memory has run out for, it stays.
 */
static enum fault_kind page_populate(struct aspace *aspace, vaddr_t *addr, vaddr_t end, enum populate how)
{
    enum fault_kind kind = FAULT_SPURIOUS;

    mutex_lock(&aspace->lock);
    struct vma *vma = vma_find_first(&aspace->vmas, *addr);
    *addr = vma ? MAX(*addr, vma->start) : end;
    if (*addr < end)
        kind = page_populate_locked(aspace, vma, *addr, how);
    if (fault_resolved(kind)) {
        *addr += PAGE_SIZE;
    } else if (kind != FAULT_OOM && how == POPULATE_WISH) {
        *addr = vma->end;
        kind = FAULT_SPURIOUS;
    }
    mutex_unlock(&aspace->lock);
    return kind;
}

/* The same once memory is out, making room for it. */
static enum fault_kind page_insist(struct aspace *aspace, vaddr_t *addr, vaddr_t end, enum populate how)
{
    enum fault_kind kind = FAULT_OOM;
    enum oom_turn turn = oom_turn_begin();

    if (turn == OOM_TURN_REFUSED)
        return kind;
    if (turn == OOM_TURN_AFTER_OTHERS)
        kind = page_populate(aspace, addr, end, how);
    while (kind == FAULT_OOM && oom_make_room())
        kind = page_populate(aspace, addr, end, how);
    oom_turn_end();
    return kind;
}

int aspace_populate(struct aspace *aspace, vaddr_t start, vaddr_t end, enum populate how)
{
    for (vaddr_t addr = start; addr < end;) {
        enum fault_kind kind = page_populate(aspace, &addr, end, how);
        if (kind == FAULT_OOM)
            kind = page_insist(aspace, &addr, end, how);
        if (!fault_resolved(kind))
            return kind == FAULT_OOM ? -ENOMEM : -EFAULT;
    }
    return 0;
}

void populate_if_possible(struct aspace *aspace, vaddr_t start, vaddr_t end)
{
    int unfulfilled = aspace_populate(aspace, start, end, POPULATE_WISH);
    (void)unfulfilled;
}

int aspace_populate_locked(struct aspace *aspace, vaddr_t addr, uint64_t length, bool write)
{
    for (vaddr_t page = addr; page < addr + length; page += PAGE_SIZE) {
        enum fault_kind kind = fault_touch_locked(aspace, page, write ? ACCESS_WRITE : ACCESS_READ, NULL);
        if (!fault_resolved(kind))
            return kind == FAULT_OOM ? -ENOMEM : -EFAULT;
    }
    return 0;
}

/* Copy between `buffer` and the pages of [addr, addr + n), one at a time, through the direct map. */
static int remote_copy(struct aspace *aspace, vaddr_t addr, char *buffer, size_t n, enum fault_access access)
{
    for (size_t done = 0, part; done < n; done += part) {
        size_t offset = page_offset(addr + done);
        struct frame *frame;

        part = MIN(n - done, PAGE_SIZE - offset);
        if (!fault_resolved(fault_touch_locked(aspace, addr + done, access, &frame)))
            return -EFAULT;
        char *page = (char *)frame_address(frame) + offset;
        if (access == ACCESS_WRITE)
            memcpy(page, buffer + done, part);
        else
            memcpy(buffer + done, page, part);
    }
    return 0;
}

int aspace_write(struct aspace *aspace, vaddr_t addr, const void *buffer, size_t n)
{
    mutex_lock(&aspace->lock);
    int error = remote_copy(aspace, addr, (char *)buffer, n, ACCESS_WRITE);
    mutex_unlock(&aspace->lock);
    return error;
}

int aspace_read(struct aspace *aspace, vaddr_t addr, void *buffer, size_t n)
{
    mutex_lock(&aspace->lock);
    int error = remote_copy(aspace, addr, buffer, n, ACCESS_READ);
    mutex_unlock(&aspace->lock);
    return error;
}
