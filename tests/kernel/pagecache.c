// SPDX-License-Identifier: MIT
/*
 * pagecache.c: tests of the cache of one object's pages: made once, read through ops, bounded, given back.
 */
#include "mm/pagecache.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"

static unsigned reads;

/* Every page is full of its index; page 7 cannot be read. */
static int read_index(struct pagecache *cache, uint64_t index, void *page)
{
    EXPECT(cache->owner == &reads);
    reads++;
    memset(page, (int)index, PAGE_SIZE);
    return index == 7 ? -EIO : 0;
}

static const struct pagecache_ops index_ops = { .read_page = read_index };

static struct pagecache *cache_new(uint64_t pages)
{
    reads = 0;
    return pagecache_create(FRAME_FILE, pages * PAGE_SIZE, &index_ops, &reads, "numbers", 42);
}

KTEST(pagecache, a_page_is_read_once)
{
    struct pagecache *cache = cache_new(16);
    struct frame *first, *again;

    REQUIRE(cache);
    EXPECT_EQUAL(pagecache_page(cache, 3, &first), PAGECACHE_NEW);
    EXPECT_EQUAL(pagecache_page(cache, 3, &again), PAGECACHE_HIT);
    EXPECT(first == again);
    EXPECT_EQUAL(first->refs, 1);
    EXPECT_EQUAL(first->kind, FRAME_FILE);
    EXPECT_EQUAL(*(uint8_t *)frame_address(first), 3);
    EXPECT_EQUAL(reads, 1);
    EXPECT_EQUAL(cache->pages, 1);
    pagecache_put(cache);
}

KTEST(pagecache, bounds_and_errors)
{
    struct pagecache *cache = cache_new(16);
    struct frame *frame;
    uint64_t before = frame_free_count();

    REQUIRE(cache);
    EXPECT_EQUAL(pagecache_page(cache, 16, &frame), -EFAULT);
    EXPECT_EQUAL(pagecache_page(cache, UINT64_MAX, &frame), -EFAULT);
    EXPECT_EQUAL(pagecache_page(cache, 7, &frame), -EIO);
    EXPECT_EQUAL(cache->pages, 0);
    EXPECT(frame_free_count() + 1 >= before); /* a node may stay, a page does not */
    pagecache_put(cache);
}

KTEST(pagecache, far_pages_and_without_ops)
{
    static const uint64_t indexes[] = { 0, 511, 512, 1ul << 18, (1ul << 27) + 5, (1ul << 40) - 1 };
    struct pagecache *cache = pagecache_create(FRAME_SHM, 1ul << 52, NULL, NULL, "sparse", 1);
    struct frame *frame[ARRAY_SIZE(indexes)], *found;

    REQUIRE(cache);
    for (unsigned i = 0; i < ARRAY_SIZE(indexes); i++) {
        REQUIRE(pagecache_page(cache, indexes[i], &frame[i]) == PAGECACHE_NEW);
        EXPECT_EQUAL(*(uint64_t *)frame_address(frame[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(indexes); i++) {
        EXPECT_EQUAL(pagecache_page(cache, indexes[i], &found), PAGECACHE_HIT);
        EXPECT(found == frame[i]);
    }
    pagecache_put(cache);
}

KTEST(pagecache, read_stops_at_the_end)
{
    struct pagecache *cache = pagecache_create(FRAME_FILE, PAGE_SIZE + 10, &index_ops, &reads, "short", 1);
    unsigned char buffer[32];

    REQUIRE(cache);
    EXPECT_EQUAL(pagecache_read(cache, PAGE_SIZE - 2, buffer, sizeof(buffer)), 12);
    EXPECT(buffer[1] == 0 && buffer[2] == 1 && buffer[11] == 1);
    EXPECT_EQUAL(pagecache_read(cache, PAGE_SIZE + 10, buffer, 1), 0);
    EXPECT_EQUAL(pagecache_read(cache, UINT64_MAX, buffer, 1), 0);
    pagecache_put(cache);
}

KTEST(pagecache, last_reference_drops_all)
{
    uint64_t before = frame_free_count();
    struct pagecache *cache = cache_new(2000);
    struct frame *frame;

    REQUIRE(cache);
    for (uint64_t i = 1000; i < 1040; i++)
        REQUIRE(pagecache_page(cache, i, &frame) == PAGECACHE_NEW);
    pagecache_get(cache);
    pagecache_put(cache);
    EXPECT_EQUAL(cache->pages, 40);
    pagecache_put(cache);
    EXPECT_EQUAL(frame_free_count(), before);
}

KTEST(pagecache, every_failed_allocation)
{
    struct pagecache *cache = cache_new(1ul << 20);
    struct frame *frame;
    unsigned n = 0;
    int result;

    REQUIRE(cache);
    do {
        frame_fail_nth(++n);
        result = pagecache_page(cache, (1ul << 20) - 1, &frame);
        EXPECT(result == -ENOMEM || result == PAGECACHE_NEW);
        EXPECT_EQUAL(cache->pages, result == PAGECACHE_NEW);
    } while (result == -ENOMEM && n < 10);
    frame_fail_nth(0);
    EXPECT_EQUAL(result, PAGECACHE_NEW);
    pagecache_put(cache);
}

KTEST(pagecache, drop_gives_pages_and_nodes_back)
{
    static const uint64_t indexes[] = { 0, 1, 511, 512, 513, 1ul << 18, (1ul << 27) + 5 };
    struct pagecache_quota quota = { .limit = 100 };
    struct pagecache *cache = pagecache_create(FRAME_SHM, 1ul << 52, NULL, NULL, "sparse", 1);
    uint64_t before = frame_free_count();
    struct frame *frame;

    REQUIRE(cache);
    cache->quota = &quota;
    for (unsigned i = 0; i < ARRAY_SIZE(indexes); i++)
        REQUIRE(pagecache_page(cache, indexes[i], &frame) == PAGECACHE_NEW);
    EXPECT_EQUAL(quota.used, 7);
    pagecache_drop(cache, 1, 512);
    EXPECT(pagecache_find(cache, 0) && !pagecache_find(cache, 1) && !pagecache_find(cache, 512));
    EXPECT(pagecache_find(cache, 513) && pagecache_find(cache, 1ul << 18));
    EXPECT_EQUAL(pagecache_seek(cache, 1, 1000, true), 513);
    EXPECT_EQUAL(pagecache_seek(cache, 513, 1000, false), 514);
    EXPECT_EQUAL(quota.used, 4);
    pagecache_drop(cache, 0, UINT64_MAX);
    EXPECT_EQUAL(cache->pages, 0);
    EXPECT_EQUAL(frame_free_count(), before); /* no node stays */
    pagecache_put(cache);
}

KTEST(pagecache, quota_and_hold)
{
    struct pagecache_quota quota = { .limit = 1 };
    struct pagecache *cache = pagecache_create(FRAME_SHM, PAGE_SIZE, NULL, NULL, "small", 1);
    struct frame *frame;

    REQUIRE(cache);
    cache->quota = &quota;
    EXPECT_EQUAL(pagecache_hold_present(cache, 0, &frame), 0);
    EXPECT(!frame);
    EXPECT_EQUAL(pagecache_hold(cache, 5, PAGECACHE_WITHIN, &frame), -EFAULT);
    REQUIRE(pagecache_hold(cache, 5, PAGECACHE_BEYOND, &frame) == PAGECACHE_NEW);
    EXPECT_EQUAL(frame->refs, 2);
    frame_put(frame);
    EXPECT_EQUAL(pagecache_hold(cache, 0, PAGECACHE_WITHIN, &frame), -ENOSPC);
    pagecache_put(cache);
    EXPECT_EQUAL(quota.used, 0);
}
