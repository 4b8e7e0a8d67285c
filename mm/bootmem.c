// SPDX-License-Identifier: MIT
/*
 * bootmem.c: two sorted lists of disjoint ranges, RAM and reserved. Free memory is the one less the other.
 */
#include "mm/bootmem.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"

#define RANGES_MAX 128 /* a list that grows beyond it is a panic: no machine's map comes near */

struct range {
    paddr_t start, end;
};

struct range_list {
    unsigned count;
    struct range range[RANGES_MAX];
};

static struct range_list ram, reserved;

static void range_remove(struct range_list *list, unsigned i)
{
    list->count--;
    for (; i < list->count; i++)
        list->range[i] = list->range[i + 1];
}

/* Add [start, end), swallowing every range that it touches, so that the list stays sorted and disjoint. */
static void range_add(struct range_list *list, paddr_t start, paddr_t end)
{
    unsigned i = 0;
    while (i < list->count && list->range[i].end < start)
        i++;
    while (i < list->count && list->range[i].start <= end) {
        start = MIN(start, list->range[i].start);
        end = MAX(end, list->range[i].end);
        range_remove(list, i);
    }
    BUG_ON(list->count == RANGES_MAX, "%u memory ranges", list->count);
    for (unsigned j = list->count++; j > i; j--)
        list->range[j] = list->range[j - 1];
    list->range[i] = (struct range){ start, end };
}

void bootmem_add(paddr_t start, paddr_t end)
{
    start = page_up(start);
    end = page_down(end);
    if (end > RAM_LIMIT) {
        log_warn("mm: RAM above %lu GiB is not used", RAM_LIMIT >> 30);
        end = RAM_LIMIT;
    }
    if (start < end)
        range_add(&ram, start, end);
}

void bootmem_reserve(paddr_t start, paddr_t end)
{
    range_add(&reserved, page_down(start), page_up(end));
}

/*
 * The first free range that begins at or above `from`, as far as it goes. False: there is none. A free range
 * is a stretch of one RAM range between two reserved ones.
 */
static bool free_range_next(paddr_t from, struct range *found)
{
    for (unsigned i = 0; i < ram.count; i++) {
        paddr_t start = MAX(ram.range[i].start, from), end = ram.range[i].end;
        for (unsigned j = 0; j < reserved.count && start < end; j++) {
            if (reserved.range[j].end <= start)
                continue;
            if (reserved.range[j].start > start) {
                end = MIN(end, reserved.range[j].start);
                break;
            }
            start = reserved.range[j].end;
        }
        if (start < end) {
            *found = (struct range){ start, end };
            return true;
        }
    }
    return false;
}

paddr_t bootmem_alloc(uint64_t size, uint64_t align, paddr_t limit)
{
    struct range free;
    for (paddr_t from = 0; free_range_next(from, &free); from = free.end) {
        paddr_t start = align_up(free.start, align);
        if (start + size > limit)
            break;
        if (start + size <= free.end) {
            bootmem_reserve(start, start + size);
            return start;
        }
    }
    panic("not enough memory to boot: %lu bytes wanted below 0x%lx", size, limit);
}

paddr_t bootmem_end(void) { return ram.count ? ram.range[ram.count - 1].end : 0; }

uint64_t bootmem_total(void)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < ram.count; i++)
        total += ram.range[i].end - ram.range[i].start;
    return total;
}

void bootmem_for_each_free(void (*visit)(paddr_t start, paddr_t end))
{
    struct range free;
    for (paddr_t from = 0; free_range_next(from, &free); from = free.end)
        visit(free.start, free.end);
}

void bootmem_for_each_ram(void (*visit)(paddr_t start, paddr_t end))
{
    for (unsigned i = 0; i < ram.count; i++)
        visit(ram.range[i].start, ram.range[i].end);
}
