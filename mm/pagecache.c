// SPDX-License-Identifier: MIT
/*
 * pagecache.c: a radix tree from page index to frame.
 *
 * A node is a frame full of pointers: to nodes, or at the lowest height to the frames of the pages. A tree of height h
 * holds 512^h pages; it grows at the root when a higher index comes along.
 */
#include "mm/pagecache.h"

#include "arch/x86_64/mmu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/commit.h"
#include "mm/slab.h"

#define NODE_SHIFT 9
#define NODE_SLOTS (1u << NODE_SHIFT)

static struct slab_cache pagecache_slab = SLAB_CACHE_INIT(pagecache_slab, "pagecache", struct pagecache);

struct pagecache *pagecache_create(enum frame_kind kind, uint64_t size, const struct pagecache_ops *ops, void *owner,
                                   const char *name, uint64_t inode)
{
    struct pagecache *cache = slab_alloc(&pagecache_slab);
    if (!cache)
        return NULL;
    cache->refs = 1;
    cache->kind = kind;
    cache->size = size;
    cache->ops = ops;
    cache->backed = ops && ops->read_page ? UINT64_MAX : 0;
    cache->owner = owner;
    cache->name = name;
    cache->inode = inode;
    return cache;
}

struct pagecache *pagecache_get(struct pagecache *cache)
{
    __atomic_add_fetch(&cache->refs, 1, __ATOMIC_RELAXED);
    return cache;
}

static struct frame **node_slots(const struct frame *node) { return frame_address(node); }

static void node_free(struct frame *node, unsigned height)
{
    for (unsigned i = 0; i < NODE_SLOTS; i++) {
        struct frame *below = node_slots(node)[i];
        if (!below)
            continue;
        if (height > 1)
            node_free(below, height - 1);
        else
            frame_put(below);
    }
    frame_put(node);
}

void pagecache_put(struct pagecache *cache)
{
    if (__atomic_sub_fetch(&cache->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (cache->root)
        node_free(cache->root, cache->height);
    commit_refund(cache->committed);
    if (cache->quota)
        __atomic_sub_fetch(&cache->quota->used, cache->own, __ATOMIC_RELAXED);
    if (cache->ops && cache->ops->release)
        cache->ops->release(cache);
    slab_free(&pagecache_slab, cache);
}

struct pagecache *pagecache_attach(struct pagecache *cache)
{
    if (pagecache_is_counted(cache))
        cache->ops->attach(cache);
    return pagecache_get(cache);
}

void pagecache_detach(struct pagecache *cache)
{
    if (pagecache_is_counted(cache))
        cache->ops->detach(cache);
    pagecache_put(cache);
}

static bool height_holds(unsigned height, uint64_t index) { return height && index >> (NODE_SHIFT * height) == 0; }

/* Make the tree high enough for `index`. 0 or -ENOMEM. */
static int tree_grow(struct pagecache *cache, uint64_t index)
{
    while (!height_holds(cache->height, index)) {
        struct frame *root = frame_alloc_zeroed(FRAME_KERNEL);
        if (!root)
            return -ENOMEM;
        node_slots(root)[0] = cache->root;
        cache->root = root;
        cache->height++;
    }
    return 0;
}

/* The slot of a page; nodes on the way are made if `make`. NULL: there is none, or out of memory. */
static struct frame **tree_slot(struct pagecache *cache, uint64_t index, bool make)
{
    if (!height_holds(cache->height, index) && (!make || tree_grow(cache, index)))
        return NULL;
    struct frame *node = cache->root;
    for (unsigned height = cache->height; height > 1; height--) {
        struct frame **slot = &node_slots(node)[(index >> (NODE_SHIFT * (height - 1))) & (NODE_SLOTS - 1)];
        if (!*slot && make)
            *slot = frame_alloc_zeroed(FRAME_KERNEL);
        if (!*slot)
            return NULL;
        node = *slot;
    }
    return &node_slots(node)[index & (NODE_SLOTS - 1)];
}

/* A new page with its contents, in `*frame` with one reference. 0 or a negative errno. */
static int page_make(struct pagecache *cache, uint64_t index, struct frame **frame)
{
    struct frame *page = frame_alloc(cache->kind);
    if (!page)
        return -ENOMEM;
    int error = 0;
    if (index < cache->backed)
        error = cache->ops->read_page(cache, index, frame_address(page));
    else
        page_clear(frame_address(page));
    if (error)
        frame_put(page);
    else
        *frame = page;
    return error;
}

static bool quota_take(struct pagecache_quota *quota)
{
    if (!quota)
        return true;
    bool fits = __atomic_fetch_add(&quota->used, 1, __ATOMIC_RELAXED) < quota->limit;
    if (!fits)
        __atomic_sub_fetch(&quota->used, 1, __ATOMIC_RELAXED);
    return fits;
}

static void quota_give(struct pagecache_quota *quota)
{
    if (quota)
        __atomic_sub_fetch(&quota->used, 1, __ATOMIC_RELAXED);
}

/* The same, with its charges. */
static int page_make_charged(struct pagecache *cache, uint64_t index, struct frame **frame)
{
    if (index < cache->backed)
        return page_make(cache, index, frame);
    uint64_t charge = cache->commit_by_page ? 1 : 0;
    if (!quota_take(cache->quota))
        return -ENOSPC;
    int error = commit_charge(charge, NULL) ? -ENOSPC : 0; /* refused: SIGBUS in a fault; no death would help */
    if (!error) {
        error = page_make(cache, index, frame);
        if (error)
            commit_refund(charge);
    }
    if (error) {
        quota_give(cache->quota);
        return error;
    }
    cache->committed += charge;
    cache->own++;
    return 0;
}

static int page_find_locked(struct pagecache *cache, uint64_t index, struct frame **frame)
{
    struct frame **slot = tree_slot(cache, index, false);
    if (slot && *slot) {
        *frame = *slot;
        return PAGECACHE_HIT;
    }
    slot = tree_slot(cache, index, true);
    if (!slot)
        return -ENOMEM;
    int error = page_make_charged(cache, index, slot);
    if (error)
        return error;
    cache->pages++;
    *frame = *slot;
    return PAGECACHE_NEW;
}

static bool index_is_within(const struct pagecache *cache, uint64_t index)
{
    return index < page_up(cache->size) >> PAGE_SHIFT;
}

int pagecache_page(struct pagecache *cache, uint64_t index, struct frame **frame)
{
    if (!index_is_within(cache, index))
        return -EFAULT;
    spin_lock(&cache->lock);
    int result = page_find_locked(cache, index, frame);
    spin_unlock(&cache->lock);
    return result;
}

int pagecache_hold(struct pagecache *cache, uint64_t index, enum pagecache_bound bound, struct frame **frame)
{
    if (bound == PAGECACHE_WITHIN && !index_is_within(cache, index))
        return -EFAULT;
    spin_lock(&cache->lock);
    int result = page_find_locked(cache, index, frame);
    if (result >= 0)
        frame_get(*frame);
    spin_unlock(&cache->lock);
    return result;
}

int pagecache_hold_present(struct pagecache *cache, uint64_t index, struct frame **frame)
{
    int result = 0;

    spin_lock(&cache->lock);
    struct frame **slot = tree_slot(cache, index, false);
    *frame = slot ? *slot : NULL;
    if (!*frame && index < cache->backed)
        result = page_find_locked(cache, index, frame);
    if (result >= 0 && *frame)
        frame_get(*frame);
    spin_unlock(&cache->lock);
    return MIN(result, 0);
}

struct frame *pagecache_find(struct pagecache *cache, uint64_t index)
{
    spin_lock(&cache->lock);
    struct frame **slot = tree_slot(cache, index, false);
    struct frame *frame = slot ? *slot : NULL;
    spin_unlock(&cache->lock);
    return frame;
}

uint64_t pagecache_own_pages(const struct pagecache *cache) { return cache->own; }

/* ---- giving pages up ---- */

static void page_drop(struct pagecache *cache, uint64_t index, struct frame **slot)
{
    if (!*slot)
        return;
    frame_put(*slot);
    *slot = NULL;
    cache->pages--;
    if (index < cache->backed)
        return;
    cache->own--;
    quota_give(cache->quota);
    if (cache->commit_by_page) {
        cache->committed--;
        commit_refund(1);
    }
}

static bool node_is_empty(const struct frame *node)
{
    for (unsigned i = 0; i < NODE_SLOTS; i++)
        if (node_slots(node)[i])
            return false;
    return true;
}

/* Drop the pages in [from, to) below `node`, whose first page is `base`, and nodes that this leaves empty. */
static void node_drop(struct pagecache *cache, struct frame *node, unsigned height, uint64_t base, uint64_t from, uint64_t to)
{
    unsigned shift = NODE_SHIFT * (height - 1);

    for (unsigned i = 0; i < NODE_SLOTS; i++) {
        uint64_t start = base + ((uint64_t)i << shift), last = start + (1ul << shift) - 1;
        struct frame **slot = &node_slots(node)[i];
        if (!*slot || last < from || start >= to)
            continue;
        if (height == 1) {
            page_drop(cache, start, slot);
            continue;
        }
        node_drop(cache, *slot, height - 1, start, from, to);
        if (node_is_empty(*slot)) {
            frame_put(*slot);
            *slot = NULL;
        }
    }
}

void pagecache_drop(struct pagecache *cache, uint64_t index, uint64_t count)
{
    uint64_t end = index + count < index ? UINT64_MAX : index + count;

    spin_lock(&cache->lock);
    if (cache->root && count) {
        node_drop(cache, cache->root, cache->height, 0, index, end);
        if (node_is_empty(cache->root)) {
            frame_put(cache->root);
            cache->root = NULL;
            cache->height = 0;
        }
    }
    spin_unlock(&cache->lock);
}

uint64_t pagecache_seek(struct pagecache *cache, uint64_t index, uint64_t end, bool present)
{
    spin_lock(&cache->lock);
    for (; index < end; index++) {
        struct frame **slot = tree_slot(cache, index, false);
        if ((index < cache->backed || (slot && *slot)) == present)
            break;
        if (!height_holds(cache->height, index) && index >= cache->backed) {
            index = end; /* nothing lies beyond the tree */
            break;
        }
    }
    spin_unlock(&cache->lock);
    return index;
}

ssize_type pagecache_read(struct pagecache *cache, uint64_t offset, void *buffer, size_t n)
{
    size_t done = 0;

    if (offset >= cache->size)
        return 0;
    n = MIN(n, cache->size - offset);
    while (done < n) {
        struct frame *frame;
        int result = pagecache_page(cache, (offset + done) >> PAGE_SHIFT, &frame);
        if (result < 0)
            return done ? (ssize_type)done : result;
        size_t within = page_offset(offset + done), part = MIN(n - done, PAGE_SIZE - within);
        memcpy((char *)buffer + done, (char *)frame_address(frame) + within, part);
        done += part;
    }
    return done;
}
