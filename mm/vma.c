// SPDX-License-Identifier: MIT
/*
 * vma.c: VMAs and the set of them.
 *
 * The tree is a treap: a search tree by address that is at the same time a heap by `priority`, a number
 * as good as random, which keeps it balanced on average whatever the order of insertion (Seidel and Aragon, "Randomized
 * Search Trees", 1996). A new node begins at the bottom and is lifted, less than twice on average; one that goes is sunk likewise.
 *
 * No gap in a subtree is larger than `max_gap` of its root. What a removed VMA leaves too large there, a search in vain brings down.
 */
#include "mm/vma.h"

#include <linux/mman.h>

#include "kernel/lib/assert.h"
#include "mm/slab.h"

static struct slab_cache vma_slab = SLAB_CACHE_INIT(vma_slab, "vma", struct vma);

struct vma *vma_create(vaddr_t start, vaddr_t end, unsigned prot, unsigned flags, const struct vma_ops *ops,
                       struct pagecache *cache, uint64_t index)
{
    struct vma *vma = slab_alloc_unset(&vma_slab); /* what is not set here, vma_insert() sets */
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
    vma->fault_next = 0; /* where no page is */
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

static uint64_t node_max_gap(const struct vma *n) { return MAX(n->gap, MAX(tree_max_gap(n->left), tree_max_gap(n->right))); }

/* There is such a gap in front of `node` (may be NULL) or below it now. */
static void tree_raise(struct vma *node, uint64_t gap)
{
    for (; node && node->max_gap < gap; node = node->up)
        node->max_gap = gap;
}

/* The gap in front of `node` (may be NULL) is smaller now. */
static void tree_lower(struct vma *node)
{
    for (uint64_t max_gap; node && (max_gap = node_max_gap(node)) < node->max_gap; node = node->up)
        node->max_gap = max_gap;
}

/* Let `to` (may be NULL) be where `node` is. */
static void tree_replace(struct vma_set *set, const struct vma *node, struct vma *to)
{
    struct vma *up = node->up;
    *(!up ? &set->root : up->left == node ? &up->left : &up->right) = to;
    if (to)
        to->up = up;
}

/* Turn the tree so that `node` and the one above it change places; the order stays. */
static void tree_lift(struct vma_set *set, struct vma *node)
{
    struct vma *up = node->up, **outer = up->left == node ? &up->left : &up->right,
               **inner = up->left == node ? &node->right : &node->left;

    tree_replace(set, up, node);
    *outer = *inner;
    if (*inner)
        (*inner)->up = up;
    *inner = up;
    up->up = node;
    node->max_gap = up->max_gap;
    up->max_gap = node_max_gap(up);
}

/* For each new node another: by its place in memory, a program that maps and unmaps would always have the same luck. */
static uint32_t random_priority(void)
{
    static uint64_t state;
    return (uint32_t)((state = state * 6364136223846793005ul + 1442695040888963407ul) >> 32); /* Knuth's MMIX */
}

/* `vma` stands in the list, and its gap and its successor's are set. */
static void tree_insert(struct vma_set *set, struct vma *vma)
{
    struct vma *next = vma_next(vma), *prev = vma_prev(vma);

    vma->left = vma->right = NULL;
    vma->max_gap = vma->gap;
    vma->up = next && !next->left ? next : prev; /* if there is something left of one, there is nothing right of the other */
    *(!vma->up ? &set->root : vma->up == next ? &next->left : &prev->right) = vma;
    tree_raise(vma->up, vma->gap);
    tree_lower(next);
    while (vma->up && vma->up->priority < vma->priority)
        tree_lift(set, vma);
}

static void tree_remove(struct vma_set *set, struct vma *vma)
{
    while (vma->left && vma->right)
        tree_lift(set, vma->left->priority > vma->right->priority ? vma->left : vma->right);
    tree_replace(set, vma, vma->left ? vma->left : vma->right);
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
static void gap_update(struct vma *vma)
{
    if (!vma)
        return;
    gap_set(vma, vma_prev(vma));
    tree_raise(vma, vma->gap);
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
    struct vma *next = vma_find_near(set, vma->start);

    ASSERT(!next || vma->end <= next->start);
    if (next)
        TAILQ_INSERT_BEFORE(next, vma, link);
    else
        TAILQ_INSERT_TAIL(&set->list, vma, link);
    vma->priority = random_priority();
    gap_set(vma, vma_prev(vma));
    gap_set(next, vma);
    tree_insert(set, vma);
    set->last = vma;
    set->count++;
    pages_add(set, vma_pages(vma));
}

void vma_remove(struct vma_set *set, struct vma *vma)
{
    struct vma *next = vma_next(vma);

    TAILQ_REMOVE(&set->list, vma, link);
    tree_remove(set, vma);
    gap_update(next);
    if (set->last == vma)
        set->last = next ? next : &vma_none;
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
    if (left)
        left->up = vma;
    TAILQ_INSERT_TAIL(&set->list, vma, link);
    *copy = vma;
    if (node->right && !tree_clone(node->right, &vma->right, set))
        return false;
    if (vma->right)
        vma->right->up = vma;
    return true;
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
        gap_update(vma);
    if (end_moves)
        gap_update(vma_next(vma));
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
static inline bool vma_is_alike(const struct vma *lower, const struct vma *upper)
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
static vaddr_t tree_find_gap(struct vma_set *set, struct vma *node, uint64_t length, vaddr_t low, vaddr_t high)
{
    vaddr_t found = 0;

    if (!node || node->max_gap < length)
        return 0;
    if (node->end < high && (found = tree_find_gap(set, node->right, length, low, high)))
        return found;
    vaddr_t end = vma_guard_start(node), start = MAX(end - node->gap, low);
    end = MIN(end, high);
    if (start < end && end - start >= length) {
        set->last = node; /* the place's neighbour above: vma_find_near() */
        return end - length;
    }
    found = node->start > low ? tree_find_gap(set, node->left, length, low, high) : 0;
    if (!found)
        node->max_gap = node_max_gap(node);
    return found;
}

vaddr_t vma_find_gap(struct vma_set *set, uint64_t length, vaddr_t low, vaddr_t high)
{
    struct vma *top = TAILQ_LAST(&set->list, vma_list);
    vaddr_t start = MAX(top ? top->end : 0, low);

    ASSERT(low > 0);
    if (start < high && high - start >= length)
        return high - length;
    return tree_find_gap(set, set->root, length, low, high);
}
/* lab vma: instead vma_find_gap.c */

/* ---- the checker ---- */

static unsigned tree_check(const struct vma *node)
{
    if (!node)
        return 0;
    const struct vma *left = node->left, *right = node->right;
    BUG_ON(left && (left->start >= node->start || left->priority > node->priority || left->up != node),
           "treap order at 0x%lx", node->start);
    BUG_ON(right && (right->start <= node->start || right->priority > node->priority || right->up != node),
           "treap order at 0x%lx", node->start);
    BUG_ON(node->max_gap < node_max_gap(node), "max_gap 0x%lx at 0x%lx", node->max_gap, node->start);
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
