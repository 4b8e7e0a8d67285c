// SPDX-License-Identifier: MIT
/*
 * vma.c: VMAs and the set of them.
 *
 * The tree is a treap: a search tree by address that is at the same time a heap by `priority`, a number
 * hashed from an address in memory (the VMA's own, or that of the one it was copied from by fork), which keeps it
 * balanced on average whatever the order of insertion (Seidel and Aragon, "Randomized Search Trees", 1996). Splitting and joining are its two operations; every
 * node on their way gets its max_gap anew.
 */
#include "mm/vma.h"

#include <linux/mman.h>

#include "kernel/lib/assert.h"
#include "mm/slab.h"

static struct slab_cache vma_slab = SLAB_CACHE_INIT(vma_slab, "vma", struct vma);

struct vma *vma_create(vaddr_t start, vaddr_t end, unsigned prot, unsigned flags, const struct vma_ops *ops,
                       struct pagecache *cache, uint64_t index)
{
    struct vma *vma = slab_alloc(&vma_slab);
    if (!vma)
        return NULL;
    ASSERT(start < end && is_aligned(start | end, PAGE_SIZE));
    vma->start = start;
    vma->end = end;
    vma->prot = prot;
    vma->flags = flags;
    vma->ops = ops;
    vma->cache = cache ? pagecache_attach(cache) : NULL;
    vma->index = cache ? index : 0;
    return vma;
}

struct vma *vma_clone(const struct vma *vma)
{
    struct vma *copy = slab_alloc_unset(&vma_slab);
    if (!copy)
        return NULL;
    *copy = *vma; /* the links as well: whoever takes it into a set gives it others */
    if (copy->cache)
        (void)pagecache_attach(copy->cache);
    return copy;
}

void vma_destroy(struct vma *vma)
{
    if (vma->cache)
        pagecache_detach(vma->cache);
    slab_free(&vma_slab, vma);
}

/* lab commit: begin */
bool vma_is_accountable(unsigned prot, unsigned flags)
{
    return prot & PROT_WRITE && !(flags & (VMA_SHARED | VMA_NORESERVE));
}
/* lab commit: instead vma_is_accountable.c */

static struct vma vma_none; /* holds no address */

void vma_set_init(struct vma_set *set)
{
    *set = (struct vma_set){ .last = &vma_none };
    TAILQ_INIT(&set->list);
}

/* ---- the tree ---- */

static uint64_t tree_max_gap(const struct vma *node) { return node ? node->max_gap : 0; }

static void node_update(struct vma *node)
{
    node->max_gap = MAX(node->gap, MAX(tree_max_gap(node->left), tree_max_gap(node->right)));
}

/* Divide a tree into the nodes below `addr` and those from it on. */
static void tree_divide(struct vma *node, vaddr_t addr, struct vma **lower, struct vma **upper)
{
    if (!node) {
        *lower = *upper = NULL;
        return;
    }
    if (node->start < addr) {
        tree_divide(node->right, addr, &node->right, upper);
        *lower = node;
    } else {
        tree_divide(node->left, addr, lower, &node->left);
        *upper = node;
    }
    node_update(node);
}

static struct vma *tree_join(struct vma *lower, struct vma *upper)
{
    if (!lower || !upper)
        return lower ? lower : upper;
    struct vma *top = lower->priority > upper->priority ? lower : upper;
    if (top == lower)
        lower->right = tree_join(lower->right, upper);
    else
        upper->left = tree_join(lower, upper->left);
    node_update(top);
    return top;
}

static struct vma *tree_insert(struct vma *node, struct vma *vma)
{
    if (!node || vma->priority > node->priority) {
        tree_divide(node, vma->start, &vma->left, &vma->right);
        node = vma;
    } else if (vma->start < node->start) {
        node->left = tree_insert(node->left, vma);
    } else {
        node->right = tree_insert(node->right, vma);
    }
    node_update(node);
    return node;
}

/* Bring max_gap up to date from `vma`, whose gap has changed, to the root. */
static void tree_refresh(struct vma *node, const struct vma *vma)
{
    if (node != vma)
        tree_refresh(vma->start < node->start ? node->left : node->right, vma);
    node_update(node);
}

/* `vma` goes, and its successor's gap has changed already. */
static struct vma *tree_remove(struct vma *node, struct vma *vma)
{
    if (node == vma) {
        if (node->right) /* there the successor is; else it is above */
            tree_refresh(node->right, vma_next(vma));
        return tree_join(node->left, node->right);
    }
    if (vma->start < node->start)
        node->left = tree_remove(node->left, vma);
    else
        node->right = tree_remove(node->right, vma);
    node_update(node);
    return node;
}

/* ---- the set ---- */

/* The gap in front of `vma` (NULL: nothing to do), whose neighbour below is `prev` (NULL: none). */
static void gap_set(struct vma *vma, const struct vma *prev)
{
    if (!vma)
        return;
    vaddr_t from = prev ? prev->end : 0, to = vma_guard_start(vma);
    vma->gap = to > from ? to - from : 0;
}

/* The same for a VMA whose place in the tree stays. */
static void gap_update(struct vma_set *set, struct vma *vma)
{
    if (!vma)
        return;
    gap_set(vma, vma_prev(vma));
    tree_refresh(set->root, vma);
}

static void pages_add(struct vma_set *set, uint64_t pages)
{
    set->pages += pages;
    set->peak_pages = MAX(set->peak_pages, set->pages);
}

/* lab vma: begin */
struct vma *vma_find_first(struct vma_set *set, vaddr_t addr)
{
    struct vma *found = NULL;

    for (struct vma *node = set->root; node;) {
        if (addr >= node->end) {
            node = node->right;
            continue;
        }
        found = node;
        if (addr >= node->start)
            break;
        node = node->left;
    }
    if (found && addr >= found->start)
        set->last = found;
    return found;
}
/* lab vma: instead vma_find_first.c */

struct vma *vma_find(struct vma_set *set, vaddr_t addr)
{
    struct vma *vma = vma_find_again(set, addr);
    return vma && addr >= vma->start ? vma : NULL;
}

void vma_insert(struct vma_set *set, struct vma *vma)
{
    struct vma *next = vma_find_first(set, vma->start);

    ASSERT(!next || vma->end <= next->start);
    if (next)
        TAILQ_INSERT_BEFORE(next, vma, link);
    else
        TAILQ_INSERT_TAIL(&set->list, vma, link);
    vma->priority = ((uint64_t)vma >> 4) * 0x9e3779b97f4a7c15ul >> 32; /* Fibonacci hashing: Knuth 3, 6.4 */
    gap_set(vma, vma_prev(vma));
    gap_set(next, vma);
    set->root = tree_insert(set->root, vma); /* `next` lies on the way down: its max_gap is made anew as well */
    set->last = vma;
    set->count++;
    pages_add(set, vma_pages(vma));
}

void vma_remove(struct vma_set *set, struct vma *vma)
{
    gap_set(vma_next(vma), vma_prev(vma));
    set->root = tree_remove(set->root, vma);
    TAILQ_REMOVE(&set->list, vma, link);
    if (set->last == vma)
        set->last = &vma_none;
    set->count--;
    set->pages -= vma_pages(vma);
}

/* Copy a subtree, and append its VMAs to the list as they come. False: out of memory, and `*copy` is not to be used. */
static bool tree_clone(const struct vma *node, struct vma **copy, struct vma_set *set)
{
    struct vma *left = NULL;

    *copy = NULL;
    if (!node)
        return true;
    if (node->left && !tree_clone(node->left, &left, set))
        return false;
    struct vma *vma = vma_clone(node);
    if (!vma)
        return false;
    vma->left = left;
    TAILQ_INSERT_TAIL(&set->list, vma, link);
    *copy = vma;
    return !node->right || tree_clone(node->right, &vma->right, set);
}

bool vma_set_clone(struct vma_set *set, const struct vma_set *from)
{
    struct vma *vma;

    ASSERT(TAILQ_EMPTY(&set->list));
    if (!tree_clone(from->root, &set->root, set)) {
        while ((vma = TAILQ_FIRST(&set->list))) {
            TAILQ_REMOVE(&set->list, vma, link);
            vma_destroy(vma);
        }
        set->root = NULL;
        return false;
    }
    set->count = from->count;
    set->pages = set->peak_pages = from->pages;
    return true;
}

void vma_resize(struct vma_set *set, struct vma *vma, vaddr_t start, vaddr_t end)
{
    ASSERT(start < end && is_aligned(start | end, PAGE_SIZE));
    bool start_moves = start != vma->start, end_moves = end != vma->end;
    set->pages -= vma_pages(vma);
    if (vma->cache)
        vma->index += (start >> PAGE_SHIFT) - (vma->start >> PAGE_SHIFT); /* modulo 2^64: also where start moves down */
    vma->start = start;
    vma->end = end;
    pages_add(set, vma_pages(vma));
    if (start_moves)
        gap_update(set, vma);
    if (end_moves)
        gap_update(set, vma_next(vma));
}

/* lab vma: begin */
void vma_split(struct vma_set *set, struct vma *vma, vaddr_t addr, struct vma *upper)
{
    ASSERT(addr > vma->start && addr < vma->end);
    upper->start = addr;
    upper->end = vma->end;
    upper->index = vma->cache ? vma_index_of(vma, addr) : 0;
    vma->end = addr;
    set->pages -= vma_pages(upper); /* comes back with it, as do the gaps */
    vma_insert(set, upper);
}
/* lab vma: instead vma_split.c */

/* lab vma: begin */
static bool vma_is_alike(const struct vma *lower, const struct vma *upper)
{
    return lower->end == upper->start && lower->prot == upper->prot && lower->flags == upper->flags &&
           lower->ops == upper->ops && lower->cache == upper->cache &&
           (!lower->cache ||
            (vma_index_of(lower, upper->start) == upper->index && !pagecache_is_counted(lower->cache)));
}

/* Let `lower` take over `upper` if they are alike. Returns the VMA that covers upper's range. */
static struct vma *vma_absorb(struct vma_set *set, struct vma *lower, struct vma *upper)
{
    if (!vma_is_alike(lower, upper))
        return upper;
    lower->end = upper->end;
    set->pages += vma_pages(upper); /* goes with it */
    vma_remove(set, upper);
    vma_destroy(upper);
    return lower;
}

struct vma *vma_merge(struct vma_set *set, struct vma *vma)
{
    struct vma *prev = vma_prev(vma), *next = vma_next(vma);

    if (next)
        vma_absorb(set, vma, next);
    return prev ? vma_absorb(set, prev, vma) : vma;
}
/* lab vma: instead vma_merge.c */

/* lab vma: begin */
/* The highest fit in front of a node of this subtree; what lies to the right is tried first. */
static vaddr_t tree_find_gap(const struct vma *node, uint64_t length, vaddr_t low, vaddr_t high)
{
    if (!node || node->max_gap < length)
        return 0;
    if (node->end < high) {
        vaddr_t found = tree_find_gap(node->right, length, low, high);
        if (found)
            return found;
    }
    vaddr_t end = vma_guard_start(node), start = MAX(end - node->gap, low);
    end = MIN(end, high);
    if (start < end && end - start >= length)
        return end - length;
    return node->start > low ? tree_find_gap(node->left, length, low, high) : 0;
}

vaddr_t vma_find_gap(struct vma_set *set, uint64_t length, vaddr_t low, vaddr_t high)
{
    struct vma *top = TAILQ_LAST(&set->list, vma_list);
    vaddr_t start = MAX(top ? top->end : 0, low);

    ASSERT(low > 0);
    if (start < high && high - start >= length)
        return high - length;
    return tree_find_gap(set->root, length, low, high);
}
/* lab vma: instead vma_find_gap.c */

/* ---- the checker ---- */

static unsigned tree_check(const struct vma *node)
{
    if (!node)
        return 0;
    const struct vma *left = node->left, *right = node->right;
    BUG_ON(left && (left->start >= node->start || left->priority > node->priority), "treap order at 0x%lx", node->start);
    BUG_ON(right && (right->start <= node->start || right->priority > node->priority), "treap order at 0x%lx",
           node->start);
    BUG_ON(node->max_gap != MAX(node->gap, MAX(tree_max_gap(left), tree_max_gap(right))), "max_gap 0x%lx at 0x%lx",
           node->max_gap, node->start);
    return tree_check(left) + 1 + tree_check(right);
}

void vma_set_check(struct vma_set *set)
{
    struct vma *vma, *prev = NULL;
    unsigned count = 0;
    uint64_t pages = 0;

    TAILQ_FOREACH(vma, &set->list, link) {
        vaddr_t from = prev ? prev->end : 0, to = vma_guard_start(vma);
        BUG_ON(vma->start < from || vma->start >= vma->end, "VMA [0x%lx, 0x%lx) after 0x%lx", vma->start, vma->end, from);
        BUG_ON(vma->gap != (to > from ? to - from : 0), "gap 0x%lx before 0x%lx", vma->gap, vma->start);
        BUG_ON(prev && vma_is_alike(prev, vma), "VMAs at 0x%lx should be one", vma->start);
        count++;
        pages += vma_pages(vma);
        prev = vma;
    }
    BUG_ON(count != set->count || pages != set->pages, "%u VMAs of %lu pages, not %u of %lu", count, pages, set->count,
           set->pages);
    BUG_ON(tree_check(set->root) != count, "tree and list of VMAs differ");
}
