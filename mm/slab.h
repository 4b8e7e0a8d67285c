// SPDX-License-Identifier: MIT
/*
 * slab.h: kernel objects smaller than a page, and kmalloc() on top.
 *
 * A cache hands out objects of one size from slabs of one frame each; the slab's header lies in the frame.
 * An empty slab goes back to the frame allocator at once, so free frames are comparable before and after.
 * Every cache has a lock, taken before the frame lock. Nothing here sleeps.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <sys/queue.h>

#include "kernel/lib/spinlock.h"

struct slab;

struct slab_cache {
    const char *name;
    size_t size; /* bytes an object, rounded up to `align` */
    struct spinlock lock;
    LIST_HEAD(, slab) partial; /* slabs with a free object */
    uint64_t objects;          /* handed out now */
    uint64_t slabs;            /* frames in use */
};

#define SLAB_CACHE_INIT(cache, object_name, type)                                                      \
    { .name = (object_name), .size = (sizeof(type) + 15) & ~15ul, .lock = SPINLOCK_INIT,               \
      .partial = LIST_HEAD_INITIALIZER((cache).partial) }

/* Objects handed out now, of all caches: what leaks less than a frame shows here. Atomic. */
extern uint64_t slab_objects;

/* One object, zeroed, 16-byte aligned; NULL when memory is out. */
void *slab_alloc(struct slab_cache *cache) __must_check;
/* The same with whatever is in it, for who sets all of it at once. */
void *slab_alloc_unset(struct slab_cache *cache) __must_check;
void slab_free(struct slab_cache *cache, void *object);

/* `size` zeroed bytes, 16-byte aligned (64 from 64 bytes up: FPU areas), at most 4 MiB; NULL when memory is out. */
void *kmalloc(size_t size) __must_check;
/* NULL is allowed. */
void kfree(void *object);

/* A copy of the string; NULL when memory is out. */
char *kstrdup(const char *text) __must_check;

#endif
