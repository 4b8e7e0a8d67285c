// SPDX-License-Identifier: MIT
/*
 * proc_maps.c: /proc/PID/maps, pagemap and mem: an address space line by line, page by page, and byte by byte.
 *
 * Formats: proc(5), and Linux's admin-guide/mm/pagemap. All is read under the address space's mutex, so one
 * line (for pagemap: one batch of pages) is one state.
 */
#include <linux/mman.h>

#include "arch/x86_64/pte.h"
#include "kernel/fs/file.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/slab.h"

/* ---- maps ---- */

#define MAPS_NAME_COLUMN 73

static const char *vma_name(const struct aspace *aspace, const struct vma *vma)
{
    if (vma->cache)
        return vma->cache->name;
    if (vma->start <= aspace->brk && vma->end >= aspace->brk_start && aspace->brk > aspace->brk_start)
        return "[heap]";
    if (vma->start <= aspace->stack_start && vma->end > aspace->stack_start)
        return "[stack]";
    return NULL;
}

/* The path of a mapped file as it is now. */
static void path_write(struct text *text, const struct inode *inode)
{
    char *path = kmalloc(PATH_MAX + PATH_DELETED_SIZE);
    if (!path || path_text(inode, path, PATH_MAX + PATH_DELETED_SIZE) < 0)
        text->failed |= !path;
    else
        text_string(text, path);
    kfree(path);
}

/* The minor number shown beside the inode: the file system's, or 1 for shared memory that is no file. */
static unsigned vma_device(const struct vma *vma)
{
    if (!vma->cache)
        return 0;
    const struct inode *inode = vma->cache->owner;
    return vma->cache->name ? 1 : inode->filesystem->device;
}

void proc_maps_line(struct text *text, const struct aspace *aspace, const struct vma *vma)
{
    char line[128];
    uint64_t offset = vma->cache ? vma->index << PAGE_SHIFT : 0;
    int n = snprintf(line, sizeof line, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu ", vma->start, vma->end,
                     vma->prot & PROT_READ ? 'r' : '-', vma->prot & PROT_WRITE ? 'w' : '-',
                     vma->prot & PROT_EXEC ? 'x' : '-', vma->flags & VMA_SHARED ? 's' : 'p', offset,
                     vma_device(vma), vma->cache ? vma->cache->inode : 0);
    const char *name = vma_name(aspace, vma);
    if (name || vma->cache)
        while (n < MAPS_NAME_COLUMN)
            line[n++] = ' ';
    text_write(text, line, (size_t)n);
    if (name)
        text_string(text, name);
    else if (vma->cache)
        path_write(text, vma->cache->owner);
    text_write(text, "\n", 1);
}

static int maps_visit(struct aspace *aspace, struct vma *vma, void *text)
{
    proc_maps_line(text, aspace, vma);
    return 0;
}

int proc_maps_show(struct text *text, const struct proc_id *id)
{
    struct aspace *aspace;
    int error = proc_aspace(id, &aspace);
    if (error || !aspace)
        return error;
    error = aspace_visit(aspace, maps_visit, text);
    aspace_put(aspace);
    return error;
}

/* ---- pagemap ---- */

#define PAGEMAP_PRESENT (1ul << 63)
#define PAGEMAP_FILE_OR_SHARED (1ul << 61)
#define PAGEMAP_EXCLUSIVE (1ul << 56)
#define PAGEMAP_BATCH 64 /* entries read under one hold of the mutex */

struct pagemap_batch {
    const struct pagetable *tree;
    vaddr_t start;
    uint64_t entries[PAGEMAP_BATCH];
};

/*
 * Exclusive: this entry is the only one, here and in the tables above it; the page cache's own reference is
 * no mapping.
 */
static int pagemap_entry(vaddr_t addr, pte_t entry, void *arg)
{
    struct pagemap_batch *batch = arg;
    const struct frame *frame = frame_at(pte_pfn(entry));
    uint64_t value = PAGEMAP_PRESENT | pte_pfn(entry);
    bool cached = frame->kind == FRAME_FILE || frame->kind == FRAME_SHM;
    if (cached)
        value |= PAGEMAP_FILE_OR_SHARED;
    if (frame->refs == (cached ? 2 : 1) && !pagetable_path_is_shared(batch->tree, addr))
        value |= PAGEMAP_EXCLUSIVE;
    batch->entries[(addr - batch->start) >> PAGE_SHIFT] = value;
    return 0;
}

static ssize_type pagemap_copy(struct aspace *aspace, const struct buffer *to, uint64_t offset, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t chunk = MIN(n - done, sizeof ((struct pagemap_batch *)0)->entries);
        vaddr_t start = (offset + done) / 8 << PAGE_SHIFT, end = start + (chunk / 8 << PAGE_SHIFT);
        struct pagemap_batch batch = { .tree = &aspace->tree, .start = start };
        mutex_lock(&aspace->lock);
        (void)pagetable_visit(batch.tree, start, end, pagemap_entry, &batch);
        mutex_unlock(&aspace->lock);
        ssize_type copied = buffer_put(to, done, batch.entries, chunk);
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        if ((size_t)copied < chunk || !long_call_goes_on())
            break;
    }
    return (ssize_type)done;
}

static int memory_open(struct file *file)
{
    uint64_t number;
    int error = proc_memory_open(proc_id_of(file->inode), &number);
    if (!error)
        file->data = (void *)number;
    return error;
}

static struct aspace *memory_get(const struct file *file)
{
    return proc_memory_get(proc_id_of(file->inode), (uintptr_t)file->data);
}

/* Eight bytes a page of user space, from address 0 on; offset and length are whole entries (EINVAL). */
static ssize_type pagemap_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    uint64_t end = USER_END >> PAGE_SHIFT << 3;
    if (offset % 8 || to->length % 8)
        return -EINVAL;
    struct aspace *aspace = memory_get(file);
    if (!aspace)
        return 0;
    ssize_type n = offset < end ? pagemap_copy(aspace, to, offset, MIN(to->length, end - offset)) : 0;
    aspace_put(aspace);
    return n;
}

/* ---- mem ---- */

/* One page's worth: n bytes at `addr`, which do not leave the page. Bytes, -EIO (not there, or not allowed), -EFAULT. */
static ssize_type mem_piece(struct aspace *aspace, vaddr_t addr, char *page, size_t n, const struct buffer *buffer,
                            size_t done, bool writes)
{
    if (!writes)
        return aspace_read(aspace, addr, page, n) ? -EIO : buffer_put(buffer, done, page, n);
    ssize_type got = buffer_get(buffer, done, page, n);
    if (got <= 0)
        return got;
    return aspace_write(aspace, addr, page, (size_t)got) ? -EIO : got;
}

static ssize_type mem_copy(struct aspace *aspace, vaddr_t addr, const struct buffer *buffer, bool writes)
{
    char *page = kmalloc(PAGE_SIZE);
    size_t done = 0;
    ssize_type copied = page ? 0 : -ENOMEM;
    while (page && done < buffer->length) {
        size_t n = MIN(buffer->length - done, PAGE_SIZE - page_offset(addr + done));
        copied = mem_piece(aspace, addr + done, page, n, buffer, done, writes);
        if (copied <= 0)
            break;
        done += (size_t)copied;
        if ((size_t)copied < n || !long_call_goes_on())
            break;
    }
    kfree(page);
    return done ? (ssize_type)done : copied;
}

static ssize_type mem_access(struct file *file, const struct buffer *buffer, uint64_t offset, bool writes)
{
    struct aspace *aspace = memory_get(file);
    if (!aspace)
        return 0;
    ssize_type n = mem_copy(aspace, offset, buffer, writes);
    aspace_put(aspace);
    return n;
}

static ssize_type mem_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    return mem_access(file, to, offset, false);
}

static ssize_type mem_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    return mem_access(file, from, offset, true);
}

const struct inode_ops proc_mem_ops = {
    .open = memory_open,
    .read = mem_read,
    .write = mem_write,
    .destroy = proc_destroy,
};

const struct inode_ops proc_pagemap_ops = { .open = memory_open, .read = pagemap_read, .destroy = proc_destroy };
