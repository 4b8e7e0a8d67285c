// SPDX-License-Identifier: MIT
/*
 * slab.c: tests of kernel objects: zeroed, apart, aligned, and frames given back at once.
 */
#include "mm/slab.h"

#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/frame.h"

struct thing {
    uint64_t word[13];
};

static struct slab_cache things = SLAB_CACHE_INIT(things, "thing", struct thing);

KTEST(slab, objects_are_zeroed_and_apart)
{
    struct thing *thing[100];

    for (unsigned i = 0; i < ARRAY_SIZE(thing); i++) {
        REQUIRE((thing[i] = slab_alloc(&things)));
        EXPECT(is_aligned((vaddr_t)thing[i], 16));
        for (unsigned j = 0; j < ARRAY_SIZE(thing[i]->word); j++)
            EXPECT_EQUAL(thing[i]->word[j], 0);
        memset(thing[i], i + 1, sizeof(struct thing));
    }
    EXPECT_EQUAL(things.objects, ARRAY_SIZE(thing));
    for (unsigned i = 0; i < ARRAY_SIZE(thing); i++) {
        EXPECT_EQUAL(thing[i]->word[12], 0x0101010101010101ul * (i + 1));
        slab_free(&things, thing[i]);
    }
    EXPECT_EQUAL(things.objects, 0);
    EXPECT_EQUAL(things.slabs, 0);
}

KTEST(slab, reused_objects_are_zeroed)
{
    struct thing *keep = slab_alloc(&things), *first = slab_alloc(&things);

    REQUIRE(keep && first);
    memset(first, 0xff, sizeof(*first));
    slab_free(&things, first);
    struct thing *second = slab_alloc(&things);
    REQUIRE(second);
    EXPECT(second == first); /* what came back last goes first: it is still in the cache */
    EXPECT_EQUAL(second->word[0] | second->word[12], 0);
    slab_free(&things, second);
    slab_free(&things, keep);
}

KTEST(slab, frames_come_and_go_with_objects)
{
    unsigned capacity = (PAGE_SIZE - 64) / things.size; /* a slab's header takes 64 bytes */
    uint64_t before = frame_free_count();
    struct thing *thing[64];

    REQUIRE(capacity < ARRAY_SIZE(thing));
    for (unsigned i = 0; i <= capacity; i++)
        REQUIRE((thing[i] = slab_alloc(&things)));
    EXPECT_EQUAL(things.slabs, 2);
    EXPECT_EQUAL(frame_free_count(), before - 2);
    slab_free(&things, thing[capacity]);
    EXPECT_EQUAL(things.slabs, 1);
    for (unsigned i = 0; i < capacity; i++)
        slab_free(&things, thing[i]);
    EXPECT_EQUAL(things.slabs, 0);
    EXPECT_EQUAL(frame_free_count(), before);
}

KTEST(slab, kmalloc_of_every_size)
{
    static const size_t sizes[] = { 1,   15,  16,   17,   63,   64,   65,   100,
                                    512, 832, 1000, 1985, 2049, 4096, 4097, 20000 };

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        unsigned char *bytes = kmalloc(sizes[i]);
        REQUIRE(bytes);
        EXPECT(is_aligned((vaddr_t)bytes, sizes[i] >= 64 ? 64 : 16));
        for (size_t j = 0; j < sizes[i]; j++)
            if (!EXPECT_EQUAL(bytes[j], 0))
                break;
        memset(bytes, 0xff, sizes[i]);
        kfree(bytes);
    }
    kfree(NULL);
}

KTEST(slab, kmalloc_knows_its_limit)
{
    EXPECT(!kmalloc((4ul << 20) + 1));
    EXPECT(!kmalloc(SIZE_MAX));
}

KTEST(slab, failure_takes_nothing)
{
    uint64_t before = frame_free_count();

    frame_fail_nth(1);
    EXPECT(!slab_alloc(&things));
    frame_fail_nth(1);
    EXPECT(!kmalloc(3 * PAGE_SIZE));
    EXPECT_EQUAL(things.objects, 0);
    EXPECT_EQUAL(frame_free_count(), before);
}

KTEST(slab, kstrdup_copies)
{
    char text[] = "promise";
    char *copy = kstrdup(text);

    REQUIRE(copy);
    text[0] = 'x';
    EXPECT_TEXT(copy, "promise");
    kfree(copy);
}
