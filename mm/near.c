// SPDX-License-Identifier: MIT
/*
 * near.c: an address in words. The first that fits, from the surest to the vaguest: no user address; inside a
 * promise that does not allow it; a null pointer; memory given back; just outside of a promise; far from all.
 */
#include "mm/near.h"

#include <linux/mman.h>

#include "kernel/lib/string.h"

#define NULL_REACH 0x10000ul /* structures and arrays behind a null pointer are not larger, and nothing is mapped there */
#define NEIGHBOUR_REACH (256 * PAGE_SIZE)

static const char *const access_words[] = { [ACCESS_READ] = "read", [ACCESS_WRITE] = "write", [ACCESS_EXEC] = "jump" };

static const char *missing_right(enum fault_access access)
{
    static const char *const words[] = {
        [ACCESS_READ] = "readable", [ACCESS_WRITE] = "writable", [ACCESS_EXEC] = "executable"
    };
    return words[access];
}

/* What this memory is to the program. Its file is mapped in several VMAs: text, constants, data. */
static const char *vma_role(struct aspace *aspace, const struct vma *vma)
{
    const struct vma *text = vma_find(&aspace->vmas, aspace->code_start);

    if (vma->start < aspace->brk && vma->end > aspace->brk_start)
        return "the heap";
    if (vma->flags & VMA_GROWSDOWN)
        return "the stack";
    if (!vma->cache)
        return "an anonymous mapping";
    if (vma->cache->kind == FRAME_SHM && vma->cache->name) /* without a name of its own: a file of tmpfs */
        return "shared memory";
    if (!text || vma->cache != text->cache)
        return "a mapped file";
    if (vma->prot & PROT_EXEC)
        return "the program's text";
    return vma->start < aspace->data_end && vma->end > aspace->data_start ? "the program's data" :
                                                                              "the program's constants";
}

/* No user address. One just below the end of all addresses is a null pointer less something. */
static void describe_kernel(char *text, size_t size, const char *verb, vaddr_t addr)
{
    if (-addr <= PAGE_SIZE)
        snprintf(text, size, "%s at NULL pointer - %lu", verb, -addr);
    else if (addr < DIRECT_MAP_START)
        snprintf(text, size, "%s beyond the last user address", verb);
    else
        snprintf(text, size, "%s at a kernel address", verb);
}

/* The promise is there, but not for this access, or its file ends before. */
static void describe_inside(char *text, size_t size, struct aspace *aspace, const struct vma *vma, vaddr_t addr,
                            enum fault_access access)
{
    static const char *const verbs[] = {
        [ACCESS_READ] = "read in", [ACCESS_WRITE] = "write to", [ACCESS_EXEC] = "jump into"
    };
    static const unsigned needed[] = { [ACCESS_READ] = ~0u, [ACCESS_WRITE] = PROT_WRITE, [ACCESS_EXEC] = PROT_EXEC };
    const char *verb = verbs[access], *role = vma_role(aspace, vma);

    if (!vma->prot)
        snprintf(text, size, "%s %s, which allows nothing (PROT_NONE)", verb, role);
    else if (!(vma->prot & needed[access]))
        snprintf(text, size, "%s %s, not %s", verb, role, missing_right(access));
    else if (vma->cache && vma_index_of(vma, addr) >= page_up(vma->cache->size) >> PAGE_SHIFT)
        snprintf(text, size, "%s %s, beyond its end", verb, role);
    else
        snprintf(text, size, "%s %s", verb, role);
}

/* What munmap(2) or brk(2) gave back last. */
static bool describe_given_back(char *text, size_t size, const struct aspace *aspace, const char *verb, vaddr_t addr)
{
    if (addr < aspace->given_back_start || addr >= aspace->given_back_end)
        return false;
    if (aspace->given_back_start >= aspace->brk_start && aspace->given_back_start == page_up(aspace->brk))
        snprintf(text, size, "%s in heap that was given back, %lu bytes above its end", verb, addr - aspace->brk);
    else
        snprintf(text, size, "%s in memory that was unmapped, %lu bytes from its start", verb,
                 addr - aspace->given_back_start);
    return true;
}

/* Below a stack, which could not grow so far. */
static void describe_below_stack(char *text, size_t size, const struct aspace *aspace, const struct vma *stack,
                                 const char *verb, vaddr_t addr)
{
    const char *reason = stack->end - page_down(addr) > aspace->stack_limit ?
                             "beyond its limit (RLIMIT_STACK)" :
                             "where it may not grow: in its guard, or out of promises";
    snprintf(text, size, "%s %lu bytes below the stack, %s", verb, stack->start - addr, reason);
}

/* Between two promises, `above` and the one before it; either may be NULL. */
static void describe_between(char *text, size_t size, struct aspace *aspace, struct vma *above, const char *verb,
                             vaddr_t addr)
{
    struct vma *below = above ? vma_prev(above) : TAILQ_LAST(&aspace->vmas.list, vma_list);
    uint64_t up = above ? above->start - addr : UINT64_MAX, down = below ? addr - below->end : UINT64_MAX;

    if (above && above->flags & VMA_GROWSDOWN && (up <= NEIGHBOUR_REACH || up <= down))
        describe_below_stack(text, size, aspace, above, verb, addr);
    else if (MIN(up, down) > NEIGHBOUR_REACH)
        snprintf(text, size, "%s far from all that is mapped", verb);
    else if (!down)
        snprintf(text, size, "%s just behind the end of %s", verb, vma_role(aspace, below));
    else if (down <= up)
        snprintf(text, size, "%s %lu bytes behind the end of %s", verb, down, vma_role(aspace, below));
    else
        snprintf(text, size, "%s %lu bytes before the start of %s", verb, up, vma_role(aspace, above));
}

void near_describe(char *text, size_t size, struct aspace *aspace, vaddr_t addr, enum fault_access access)
{
    const char *verb = access_words[access];

    if (addr >= USER_END) {
        describe_kernel(text, size, verb, addr);
        return;
    }
    struct vma *vma = aspace ? vma_find_first(&aspace->vmas, addr) : NULL;
    if (vma && addr >= vma->start)
        describe_inside(text, size, aspace, vma, addr, access);
    else if (addr < NULL_REACH)
        snprintf(text, size, "%s at NULL pointer + %lu", verb, addr);
    else if (!aspace)
        snprintf(text, size, "%s at a user address, with no process to own it", verb);
    else if (!describe_given_back(text, size, aspace, verb, addr))
        describe_between(text, size, aspace, vma, verb, addr);
}
