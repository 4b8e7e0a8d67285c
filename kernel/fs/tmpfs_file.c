// SPDX-License-Identifier: MIT
/*
 * tmpfs_file.c: regular files in tmpfs: their contents are the pages of a cache, and nothing else.
 *
 * read(2), write(2) and mmap(2) deal with the same frames. A page that was never written is a hole: reading
 * it takes no memory. A file of the initial archive begins with pages that are copied from the archive when
 * first wanted; these cost no promise, for the archive is there anyway. All other pages are shared memory,
 * charged to the commit ledger and the file system's quota one by one as they are made, as Linux's tmpfs
 * does.
 *
 * Locks: node->lock for writes and changes of size. A write holds it over copies from user memory, which
 * may fault: no fault takes it.
 */
#include <asm/signal.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tmpfs_node.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/aspace.h"
#include "mm/truncate.h"

#define SIZE_LARGEST INT64_MAX /* off_t's end */

/* ---- the cache ---- */

static int cache_read_page(struct pagecache *cache, uint64_t index, void *page)
{
    const struct node *node = node_of(cache->owner);
    uint64_t start = index << PAGE_SHIFT;
    size_t n = start < node->backing_size ? MIN(node->backing_size - start, PAGE_SIZE) : 0;
    memcpy(page, node->backing + start, n);
    memset((char *)page + n, 0, PAGE_SIZE - n);
    return 0;
}

static void cache_release(struct pagecache *cache)
{
    kfree((void *)cache->name);
    node_free(node_of(cache->owner));
}

/* The fault is what is seen of a write through a mapping; what follows it on the same page is not, as on Linux. */
static void cache_written(struct pagecache *cache) { inode_note_change(cache->owner); }

static int cache_punch(struct pagecache *cache, uint64_t from, uint64_t to);

static const struct pagecache_ops cache_ops = { .read_page = cache_read_page,
                                                .punch = cache_punch,
                                                .written = cache_written,
                                                .release = cache_release };

int node_create_cache(struct node *node, enum frame_kind kind)
{
    struct inode *inode = &node->inode;
    node->cache = pagecache_create(kind, 0, &cache_ops, inode, NULL, inode->number);
    if (!node->cache)
        return -ENOMEM;
    node->cache->backed = 0;
    node->cache->commit_by_page = true;
    node->cache->quota = &tmpfs_of(inode)->pages;
    return 0;
}

void tmpfs_set_contents(struct inode *inode, const void *data, uint64_t size)
{
    struct node *node = node_of(inode);
    ASSERT(S_ISREG(inode->mode) && !node->cache->pages);
    node->backing = data;
    node->backing_size = size;
    node->cache->kind = FRAME_FILE;
    node->cache->backed = page_up(size) >> PAGE_SHIFT;
    node->cache->size = inode->size = size;
}

static struct pagecache *file_mapping(struct inode *inode) { return pagecache_get(node_of(inode)->cache); }

/* Pages of the archive count whether they have been copied or not. */
static uint64_t file_blocks(const struct inode *inode)
{
    const struct pagecache *cache = node_of(inode)->cache;
    return (cache->backed + pagecache_own_pages(cache)) * (PAGE_SIZE / 512);
}

/* ---- reading ---- */

static ssize_type file_read_tmpfs(struct file *file, const struct buffer *to, uint64_t offset)
{
    ssize_type n = file_read_cached(node_of(file->inode)->cache, to, offset);
    if (!(file->flags & O_NOATIME))
        inode_note_access(file->inode);
    return n;
}

/*
 * How many of n bytes may be written at `offset`: by RLIMIT_FSIZE (beyond it SIGXFSZ, setrlimit(2)) and the
 * largest size. -EFBIG: not one.
 */
static ssize_type length_allowed(uint64_t offset, size_t n)
{
    uint64_t limit = current()->leader->limits[RLIMIT_FSIZE].rlim_cur;
    if (!n)
        return 0;
    if (offset >= limit) {
        signal_send_self(SIGXFSZ);
        return -EFBIG;
    }
    limit = MIN(limit, (uint64_t)SIZE_LARGEST);
    return offset >= limit ? -EFBIG : (ssize_type)MIN(n, limit - offset);
}

static void size_set(struct node *node, uint64_t size)
{
    node->cache->size = node->inode.size = size;
}

/* ---- seals (fcntl(2), "File Sealing") ---- */

#define SEALS_ON_WRITING (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

/* May the bytes up to `end` be written? 0 or -EPERM. */
static int seals_allow_write(const struct inode *inode, uint64_t end)
{
    bool refused = inode->seals & SEALS_ON_WRITING || (inode->seals & F_SEAL_GROW && end > inode->size);
    return refused ? -EPERM : 0;
}

static int seals_allow_size(const struct inode *inode, uint64_t size)
{
    bool refused = (inode->seals & F_SEAL_SHRINK && size < inode->size) ||
                   (inode->seals & F_SEAL_GROW && size > inode->size);
    return refused ? -EPERM : 0;
}

static bool is_cache(const struct pagecache *cache, const void *arg) { return cache == arg; }

/* Is there a mapping through which it can be written, or one on its way? One reference is the file's. */
static bool cache_may_be_written(const struct pagecache *cache)
{
    return cache->refs > 1 && (cache->arriving || aspaces_may_write(is_cache, cache));
}

/*
 * What can be written through a mapping cannot be sealed from writing. The seal comes before the search, which may
 * sleep, so whoever asks for a mapping from then on is refused; node->lock keeps other seals away until it is certain.
 */
static int seal_locked(struct inode *inode, unsigned seals)
{
    unsigned before = inode->seals;
    if (before & F_SEAL_SEAL)
        return -EPERM;
    inode->seals |= seals;
    if (!(seals & ~before & F_SEAL_WRITE) || !cache_may_be_written(node_of(inode)->cache))
        return 0;
    inode->seals = before;
    return -EBUSY;
}

static int file_seal(struct inode *inode, unsigned seals)
{
    struct node *node = node_of(inode);
    mutex_lock(&node->lock);
    int error = seal_locked(inode, seals);
    mutex_unlock(&node->lock);
    return error;
}

/* ---- writing ---- */

/* Write n bytes at `offset`: bytes, or the error of the first page. node->lock is held. */
static ssize_type write_pages(struct node *node, const struct buffer *from, uint64_t offset, size_t n)
{
    size_t done = 0;
    while (done < n) {
        struct frame *frame;
        size_t within = page_offset(offset), chunk = MIN(PAGE_SIZE - within, n - done);
        ssize_type copied = seals_allow_write(&node->inode, offset + chunk);
        if (!copied)
            copied = pagecache_hold(node->cache, offset >> PAGE_SHIFT, PAGECACHE_BEYOND, &frame);
        if (copied >= 0) {
            copied = buffer_get(from, done, (char *)frame_address(frame) + within, chunk);
            frame_put(frame);
        }
        if (copied < 0)
            return done ? (ssize_type)done : copied;
        done += (size_t)copied;
        offset += (size_t)copied;
        if (offset > node->inode.size)
            size_set(node, offset);
        if ((size_t)copied < chunk || !long_call_goes_on())
            break;
    }
    return (ssize_type)done;
}

static ssize_type file_write_tmpfs(struct file *file, const struct buffer *from, uint64_t offset)
{
    struct node *node = node_of(file->inode);
    mutex_lock(&node->lock);
    if (file->flags & O_APPEND)
        offset = node->inode.size;
    ssize_type n = length_allowed(offset, from->length);
    if (n > 0)
        inode_drop_privilege(file->inode);
    if (n > 0)
        n = write_pages(node, from, offset, (size_t)n);
    if (n > 0)
        inode_note_change(file->inode);
    else /* a page made for bytes that did not come */
        pagecache_drop(node->cache, page_up(node->inode.size) >> PAGE_SHIFT, UINT64_MAX);
    mutex_unlock(&node->lock);
    return n;
}

/* ---- size ---- */

static int resize_locked(struct node *node, uint64_t size)
{
    int error = pagecache_truncate(node->cache, size);
    if (error)
        return error;
    node->backing_size = MIN(node->backing_size, size);
    node->inode.size = size;
    return 0;
}

static int file_truncate(struct inode *inode, uint64_t size)
{
    struct node *node = node_of(inode);
    if (size > inode->size) {
        ssize_type allowed = length_allowed(size - 1, 1);
        if (allowed < 0)
            return (int)allowed;
    }
    mutex_lock(&node->lock);
    int error = seals_allow_size(inode, size);
    if (!error)
        error = resize_locked(node, size);
    if (!error) {
        inode_drop_privilege(inode);
        inode_note_change(inode);
    }
    mutex_unlock(&node->lock);
    return error;
}

/* Make all pages of a range. What cannot be had leaves the size as it was (fallocate(2), ENOSPC). */
static int pages_reserve(struct node *node, uint64_t offset, uint64_t end)
{
    if (node->inode.seals & F_SEAL_GROW && end > node->inode.size)
        return -EPERM;
    const struct pagecache_quota *quota = node->cache->quota;
    uint64_t last = page_up(end) >> PAGE_SHIFT, first = offset >> PAGE_SHIFT;
    if (last - first > quota->limit - MIN(quota->used, quota->limit) + pagecache_own_pages(node->cache) +
                           node->cache->backed)
        return -ENOSPC;
    int result = 0;
    for (uint64_t index = first; index < last && result >= 0; index++) {
        struct frame *frame;
        result = pagecache_hold(node->cache, index, PAGECACHE_BEYOND, &frame);
        if (result >= 0)
            frame_put(frame);
        if (result >= 0 && !long_call_goes_on())
            result = -EINTR;
    }
    if (result < 0)
        pagecache_drop(node->cache, page_up(node->inode.size) >> PAGE_SHIFT, UINT64_MAX);
    return MIN(result, 0);
}

/* Clear [offset, end), which lies in one page or in pages of the archive. */
static int bytes_clear(struct node *node, uint64_t offset, uint64_t end)
{
    while (offset < end) {
        struct frame *frame;
        uint64_t chunk = MIN(PAGE_SIZE - page_offset(offset), end - offset);
        int error = pagecache_hold_present(node->cache, offset >> PAGE_SHIFT, &frame);
        if (error)
            return error;
        if (frame) {
            memset((char *)frame_address(frame) + page_offset(offset), 0, chunk);
            frame_put(frame);
        }
        offset += chunk;
    }
    return 0;
}

/*
 * Whole pages go, parts of pages are cleared; pages of the archive would come back, so they are cleared,
 * too.
 */
static int hole_punch(struct node *node, uint64_t offset, uint64_t end)
{
    if (node->inode.seals & SEALS_ON_WRITING)
        return -EPERM;
    end = MIN(end, MAX(page_up(node->inode.size), offset));
    uint64_t first = MIN(MAX(page_up(offset), node->cache->backed << PAGE_SHIFT), end);
    uint64_t last = MAX(page_down(end), first);
    int error = bytes_clear(node, offset, first);
    if (!error)
        error = bytes_clear(node, last, end);
    if (!error && first < last)
        pagecache_punch(node->cache, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
    return error;
}

/* MADV_REMOVE: the same, asked for through a mapping. */
static int cache_punch(struct pagecache *cache, uint64_t from, uint64_t to)
{
    struct node *node = node_of(cache->owner);
    mutex_lock(&node->lock);
    int error = hole_punch(node, from << PAGE_SHIFT, to << PAGE_SHIFT);
    if (!error)
        inode_note_change(&node->inode);
    mutex_unlock(&node->lock);
    return error;
}

static int file_allocate(struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
    struct node *node = node_of(inode);
    bool punch = mode & FALLOC_FL_PUNCH_HOLE, keep = mode & FALLOC_FL_KEEP_SIZE;
    uint64_t end = offset + length;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    if (!punch && end > inode->size && length_allowed(end - 1, 1) < 0)
        return -EFBIG;
    mutex_lock(&node->lock);
    int error = punch ? hole_punch(node, offset, end) : pages_reserve(node, offset, end);
    if (!error && !punch && !keep && end > inode->size)
        size_set(node, end);
    if (!error) {
        inode_drop_privilege(inode);
        inode_note_change(inode);
    }
    mutex_unlock(&node->lock);
    return error;
}

static int64_t file_seek(struct inode *inode, uint64_t from, int whence)
{
    struct pagecache *cache = node_of(inode)->cache;
    uint64_t size = inode->size, end = page_up(size) >> PAGE_SHIFT;
    if (from >= size)
        return -ENXIO;
    uint64_t index = pagecache_seek(cache, from >> PAGE_SHIFT, end, whence == SEEK_DATA);
    if (whence == SEEK_DATA && index >= end)
        return -ENXIO;
    return (int64_t)MIN(MAX(from, index << PAGE_SHIFT), size);
}

const struct inode_ops tmpfs_file_ops = {
    .read = file_read_tmpfs,
    .write = file_write_tmpfs,
    .mapping = file_mapping,
    .truncate = file_truncate,
    .allocate = file_allocate,
    .seek_data = file_seek,
    .blocks = file_blocks,
    .seal = file_seal,
    .destroy = node_destroy,
};
