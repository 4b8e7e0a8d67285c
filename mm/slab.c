// SPDX-License-Identifier: MIT
/*
 * slab.c: objects of one size, cut from frames.
 *
 * A slab is one frame: a header of 64 bytes, then objects. Objects that were never handed out are taken in
 * order (`fresh`), those that came back hang on a list through their first word. Full slabs are on no list;
 * they are found again through the address of the object that comes back.
 */
#include "mm/slab.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "mm/frame.h"

#define SLAB_HEADER 64
#define SLAB_ROOM (PAGE_SIZE - SLAB_HEADER)
#define FREED_JUNK 0x6b /* fills freed objects in debug builds */

uint64_t slab_objects;

struct slab {
    struct slab_cache *cache;
    LIST_ENTRY(slab) link; /* on cache->partial unless full */
    void **returned;       /* objects that came back */
    uint32_t fresh;        /* index of the first object never handed out */
    uint32_t used;         /* objects handed out now */
};

_Static_assert(sizeof(struct slab) <= SLAB_HEADER, "the header fits");

static unsigned slab_capacity(const struct slab_cache *cache) { return SLAB_ROOM / cache->size; }

static struct slab *slab_create(struct slab_cache *cache)
{
    struct frame *frame = frame_alloc(FRAME_SLAB);
    if (!frame)
        return NULL;
    struct slab *slab = frame_address(frame);
    *slab = (struct slab){ .cache = cache };
    LIST_INSERT_HEAD(&cache->partial, slab, link);
    cache->slabs++;
    return slab;
}

static void *slab_take(struct slab *slab)
{
    void **object = slab->returned;

    if (object)
        slab->returned = *object;
    else
        object = (void *)((char *)slab + SLAB_HEADER + slab->fresh++ * slab->cache->size);
    if (++slab->used == slab_capacity(slab->cache))
        LIST_REMOVE(slab, link);
    return object;
}

void *slab_alloc_unset(struct slab_cache *cache)
{
    void *object = NULL;

    ASSERT(cache->size >= sizeof(void *) && cache->size <= SLAB_ROOM);
    spin_lock(&cache->lock);
    struct slab *slab = LIST_FIRST(&cache->partial);
    if (!slab)
        slab = slab_create(cache);
    if (slab) {
        object = slab_take(slab);
        cache->objects++;
        __atomic_add_fetch(&slab_objects, 1, __ATOMIC_RELAXED);
    }
    spin_unlock(&cache->lock);
    return object;
}

void *slab_alloc(struct slab_cache *cache)
{
    void *object = slab_alloc_unset(cache);

    return object ? memset(object, 0, cache->size) : NULL;
}

static struct slab *slab_of(const void *object) { return (struct slab *)page_down((vaddr_t)object); }

void slab_free(struct slab_cache *cache, void *object)
{
    struct slab *slab = slab_of(object);

    BUG_ON(slab->cache != cache, "object %p is not from cache %s", object, cache->name);
#if DEBUG
    memset(object, FREED_JUNK, cache->size);
#endif
    spin_lock(&cache->lock);
    if (slab->used-- == slab_capacity(cache))
        LIST_INSERT_HEAD(&cache->partial, slab, link);
    *(void **)object = slab->returned;
    slab->returned = object;
    cache->objects--;
    __atomic_sub_fetch(&slab_objects, 1, __ATOMIC_RELAXED);
    if (slab->used == 0) {
        LIST_REMOVE(slab, link);
        cache->slabs--;
        frame_put(frame_of(slab));
    }
    spin_unlock(&cache->lock);
}

/* Sizes that divide a slab well; from 64 up multiples of 64, which keeps objects aligned to a cache line. */
#define KMALLOC_CACHE(bytes)                                                                           \
    { .name = "kmalloc-" #bytes, .size = (bytes), .lock = SPINLOCK_INIT, .partial = LIST_HEAD_INITIALIZER(0) }
static struct slab_cache kmalloc_caches[] = {
    KMALLOC_CACHE(16),  KMALLOC_CACHE(32),  KMALLOC_CACHE(64),  KMALLOC_CACHE(128), KMALLOC_CACHE(192),
    KMALLOC_CACHE(256), KMALLOC_CACHE(320), KMALLOC_CACHE(448), KMALLOC_CACHE(576), KMALLOC_CACHE(768),
    KMALLOC_CACHE(960), KMALLOC_CACHE(1344), KMALLOC_CACHE(1984),
};

/* Objects larger than any cache's take whole frames, a power of two of them. */
static void *kmalloc_frames(size_t size)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < size)
        if (++order == FRAME_ORDERS)
            return NULL;
    struct frame *frame = frame_alloc_order(FRAME_KERNEL, order);
    return frame ? memset(frame_address(frame), 0, PAGE_SIZE << order) : NULL;
}

void *kmalloc(size_t size)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kmalloc_caches); i++)
        if (size <= kmalloc_caches[i].size)
            return slab_alloc(&kmalloc_caches[i]);
    return kmalloc_frames(size);
}

void kfree(void *object)
{
    if (!object)
        return;
    struct frame *frame = frame_of(object);
    if (frame->kind == FRAME_SLAB) {
        slab_free(slab_of(object)->cache, object);
    } else {
        BUG_ON(frame->kind != FRAME_KERNEL, "kfree of %p in a frame of kind %u", object, frame->kind);
        frame_put(frame);
    }
}

char *kstrdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = kmalloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}
