// SPDX-License-Identifier: MIT
/*
 * mmu.c: the software MMU: walks, TLB and paging-structure caches as SDM 3, 4.6 to 4.10 describe them.
 *
 * Rights multiply along the path. A translation is cached with the rights of its whole path, an upper-level
 * entry with the rights down to it. A write through a translation that was cached clean walks again to set
 * the dirty bit, as CPUs do.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/mmu.h"
#include "arch/x86_64/usermem.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "mm/aspace.h"
#include "mm/bootmem.h"
#include "mm/frame.h"
#include "tests/host/machine.h"

/*
 * What is known of a stretch of addresses: where it leads and what may be done. level 0: a page; 1..3: a
 * table of that level.
 */
struct cached {
    uint64_t key;        /* addr >> shift of the level */
    uint64_t generation; /* when it was remembered: true as long as nothing was flushed since; 0: never */
    pfn_t pfn;    /* of the page, or of the table below */
    bool write, exec, dirty;
};

#define TLB_SIZE 4096 /* direct mapped: a collision evicts, as on any CPU */
#define PSC_SIZE 64
#define CANONICAL_END (1ul << 47)

static struct cached tlb[TLB_SIZE];
static struct cached psc[PTE_LEVELS][PSC_SIZE]; /* [level]: leads to a table of `level` (1 to 3) */
static uint64_t tlb_generation = 1, psc_generation = 1;
static pfn_t root_pfn;

struct access_trace last_access;

uint64_t tlb_page_flushes;

static struct cached *tlb_slot(vaddr_t addr) { return &tlb[(addr >> PAGE_SHIFT) % TLB_SIZE]; }

/* The cache of entries that lead to tables of `level`: each covers what such a table covers. */
static uint64_t psc_key(vaddr_t addr, unsigned level) { return addr >> (PAGE_SHIFT + 9 * level); }

static struct cached *psc_slot(vaddr_t addr, unsigned level)
{
    return &psc[level][psc_key(addr, level) % PSC_SIZE];
}

static struct cached *tlb_find(vaddr_t addr)
{
    struct cached *slot = tlb_slot(addr);
    return slot->generation == tlb_generation && slot->key == addr >> PAGE_SHIFT ? slot : NULL;
}

void tlb_flush_page(vaddr_t addr)
{
    struct cached *slot = tlb_find(addr);
    if (slot)
        slot->generation = 0;
    psc_generation++;
    tlb_page_flushes++;
}

void tlb_flush_user(void)
{
    tlb_generation++;
    psc_generation++;
}

void mmu_switch(paddr_t root)
{
    BUG_ON(!is_aligned(root, PAGE_SIZE), "root at 0x%lx", root);
    root_pfn = root >> PAGE_SHIFT;
    tlb_flush_user();
}

unsigned tlb_count(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < TLB_SIZE; i++)
        count += tlb[i].generation == tlb_generation;
    return count;
}

static pte_t *table_entry(pfn_t table, vaddr_t addr, unsigned level)
{
    struct frame *frame = frame_at(table);
    bool is_table =
        table == mmu_kernel_root() >> PAGE_SHIFT || (frame->kind == FRAME_TABLE && frame->refs > 0);

    BUG_ON(table >= frame_count, "walk through frame 0x%lx, beyond RAM", table);
    BUG_ON(!is_table, "walk through frame 0x%lx, which is no table: kind %u, refs %u", table, frame->kind,
           frame->refs);
    return (pte_t *)frame_address(frame) + pte_index(addr, level);
}

/* The longest way that the paging-structure caches know, else the root. */
static struct cached walk_start(vaddr_t addr, unsigned *level)
{
    for (*level = PTE_LEAF_LEVEL; *level < PTE_ROOT_LEVEL; ++*level) {
        struct cached *known = psc_slot(addr, *level);
        if (known->generation == psc_generation && known->key == psc_key(addr, *level))
            return *known;
    }
    return (struct cached){ .pfn = root_pfn, .write = true, .exec = true };
}

/* One entry's part in the walk: what is found so far, times its rights. */
static void walk_step(struct cached *found, pte_t entry)
{
    found->pfn = pte_pfn(entry);
    found->write &= pte_is_writable(entry);
    found->exec &= pte_is_executable(entry);
    found->dirty = pte_is_dirty(entry);
    BUG_ON(found->pfn >= frame_count, "entry 0x%lx leads beyond RAM", entry.bits);
    BUG_ON(!(entry.bits & PTE_USER), "user half has an entry without the user bit: 0x%lx", entry.bits);
}

/*
 * Walk to the leaf. False: an entry is not present. `found` is what the TLB may keep; nothing is set in the
 * tables but accessed bits.
 */
static bool walk(vaddr_t addr, struct cached *found, pte_t **leaf)
{
    unsigned level;

    *found = walk_start(addr, &level);
    for (;; level--) {
        pte_t *slot = table_entry(found->pfn, addr, level), entry = pte_load(slot);
        if (!pte_is_present(entry))
            return false;
        BUG_ON(level > PTE_LEAF_LEVEL && entry.bits & PTE_LARGE, "large page at 0x%lx", addr);
        pte_store(slot, (pte_t){ entry.bits | PTE_ACCESSED });
        walk_step(found, entry);
        if (level == PTE_LEAF_LEVEL) {
            *leaf = slot;
            found->key = addr >> PAGE_SHIFT;
            found->generation = tlb_generation;
            return true;
        }
        struct cached *known = psc_slot(addr, level - 1);
        *known = *found;
        known->key = psc_key(addr, level - 1);
        known->generation = psc_generation;
    }
}

static bool allows(const struct cached *known, enum fault_access access)
{
    return access == ACCESS_READ || (access == ACCESS_WRITE ? known->write : known->exec);
}

/* The page that an access reaches now must be one that a program may reach. */
static void frame_check(pfn_t pfn, vaddr_t addr, enum fault_access access)
{
    const struct frame *frame = frame_at(pfn);
    bool is_user = frame->kind >= FRAME_ZERO && frame->kind < FRAME_KINDS;

    BUG_ON(!is_user || !frame->refs, "0x%lx shows frame 0x%lx: kind %u, refs %u", addr, pfn, frame->kind,
           frame->refs);
    BUG_ON(access == ACCESS_WRITE && frame->kind == FRAME_ZERO, "write at 0x%lx to the zero page", addr);
    BUG_ON(access == ACCESS_WRITE && frame->kind == FRAME_FILE, "write at 0x%lx to a file's cached page",
           addr);
}

/* Translate. True and *pfn, or false and the fault that the CPU would report. */
static bool translate(vaddr_t addr, enum fault_access access, pfn_t *pfn, bool *was_present)
{
    struct cached *known = tlb_find(addr), found;
    pte_t *leaf;

    *was_present = true;
    if (addr >= CANONICAL_END) { /* the kernel's half has no user bit; in between there is no page fault */
        BUG_ON(addr < -CANONICAL_END, "access to non-canonical 0x%lx: a general-protection fault", addr);
        return false;
    }
    if (known && !allows(known, access))
        return false;
    if (!known || (access == ACCESS_WRITE && !known->dirty)) {
        if (known)
            known->generation = 0;
        if (!walk(addr, &found, &leaf)) {
            *was_present = false;
            return false;
        }
        if (access == ACCESS_WRITE && found.write) {
            pte_store(leaf, (pte_t){ pte_load(leaf).bits | PTE_DIRTY });
            found.dirty = true;
        }
        known = tlb_slot(addr);
        *known = found;
        if (!allows(known, access))
            return false;
    }
    *pfn = known->pfn;
    frame_check(*pfn, addr, access);
    return true;
}

static enum fault_kind fault_raise(vaddr_t addr, enum fault_access access, bool user, bool present)
{
    struct fault fault = { .addr = addr, .ip = 0x401000, .cause = { access, user, present } };
    const struct aspace *aspace = this_cpu()->aspace;

    BUG_ON(!host_interrupts, "fault at 0x%lx with interrupts disabled", addr);
    pfn_t root = aspace ? frame_pfn(aspace->tree.root) : mmu_kernel_root() >> PAGE_SHIFT;
    BUG_ON(root != root_pfn, "fault at 0x%lx on other tables than the current address space's", addr);
    enum fault_kind kind = aspace ? mm_fault(&fault) : FAULT_SEGV_MAPERR; /* as arch/x86_64/trap.c has it */
    if (last_access.count < ACCESS_FAULTS_MAX)
        last_access.kind[last_access.count] = kind;
    last_access.count++;
    return kind;
}

/*
 * The byte at `addr` for one access, faulting as often as it takes. NULL: a fault was not resolved. A
 * resolved fault lets the access go on; only a stack that grew, or a spurious fault, may be followed by one
 * more for the page itself.
 */
static char *touch(vaddr_t addr, enum fault_access access, bool user)
{
    unsigned again = 0;
    bool present;
    pfn_t pfn;

    while (!translate(addr, access, &pfn, &present)) {
        enum fault_kind kind = fault_raise(addr, access, user, present);
        if (!fault_resolved(kind))
            return NULL;
        again += kind == FAULT_STACK_GROW || kind == FAULT_SPURIOUS ? 1 : 100;
        if (again > 2 && !translate(addr, access, &pfn, &present))
            panic("%s at 0x%lx (access %u) does not let the access go on", fault_kind_name(kind), addr,
                  access);
    }
    return (char *)frame_address(frame_at(pfn)) + page_offset(addr);
}

/* Bytes up to the end of the page, at most n. */
static size_t in_page(vaddr_t addr, size_t n) { return MIN(n, PAGE_SIZE - page_offset(addr)); }

static size_t copy_user(vaddr_t addr, char *buffer, size_t n, enum fault_access access, bool user)
{
    size_t done = 0;

    last_access.count = 0;
    while (done < n) {
        size_t part = in_page(addr + done, n - done);
        char *at = touch(addr + done, access, user);
        if (!at)
            break;
        if (access == ACCESS_WRITE)
            memcpy(at, buffer + done, part);
        else if (buffer)
            memcpy(buffer + done, at, part);
        done += part;
    }
    return done;
}

size_t user_read(vaddr_t addr, void *buffer, size_t n)
{
    return copy_user(addr, buffer, n, ACCESS_READ, true);
}

size_t user_execute(vaddr_t addr, size_t n) { return copy_user(addr, NULL, n, ACCESS_EXEC, true); }

size_t user_write(vaddr_t addr, const void *buffer, size_t n)
{
    return copy_user(addr, (char *)buffer, n, ACCESS_WRITE, true);
}

/* Kernel memory is RAM, the thread's stack or the program's own data; anything else is a user address. */
static bool is_kernel_address(vaddr_t addr)
{
    extern char __executable_start[], end[];
    char here;
    bool is_stack = addr > (vaddr_t)&here - (16ul << 20) && addr < (vaddr_t)&here + (16ul << 20);
    bool is_ram = addr >= HOST_RAM_START && addr < HOST_RAM_START + HOST_RAM_SIZE;
    return is_ram || is_stack || (addr >= (vaddr_t)__executable_start && addr < (vaddr_t)end);
}

size_t usermem_copy(void *dst, const void *src, size_t n)
{
    bool to_user = !is_kernel_address((vaddr_t)dst);

    BUG_ON(to_user != is_kernel_address((vaddr_t)src), "usermem_copy(%p, %p): not one user side", dst, src);
    if (to_user)
        return n - copy_user((vaddr_t)dst, (char *)src, n, ACCESS_WRITE, false);
    return n - copy_user((vaddr_t)src, dst, n, ACCESS_READ, false);
}

size_t usermem_clear(void *dst, size_t n)
{
    static const char zeroes[PAGE_SIZE];
    size_t done = 0;

    while (done < n) {
        size_t part = MIN(n - done, PAGE_SIZE);
        size_t now = copy_user((vaddr_t)dst + done, (char *)zeroes, part, ACCESS_WRITE, false);
        done += now;
        if (now < part)
            break;
    }
    return n - done;
}

ssize_type usermem_copy_string(char *dst, const char *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (copy_user((vaddr_t)src + i, &dst[i], 1, ACCESS_READ, false) != 1)
            return -1;
        if (!dst[i])
            return i;
    }
    return n;
}

/*
 * The tables as they are, without any cache. False: not present. level: of the table that is wanted, 0 for
 * the page.
 */
static bool walk_fresh(vaddr_t addr, unsigned level, struct cached *found)
{
    *found = (struct cached){ .pfn = root_pfn, .write = true, .exec = true };
    for (unsigned at = PTE_ROOT_LEVEL; at > level; at--) {
        pte_t entry = pte_load(table_entry(found->pfn, addr, at));
        if (!pte_is_present(entry))
            return false;
        walk_step(found, entry);
    }
    return true;
}

static void cached_check(const struct cached *known, vaddr_t addr, unsigned level)
{
    struct cached now;

    BUG_ON(!walk_fresh(addr, level, &now), "stale: 0x%lx level %u is gone, frame 0x%lx remembered", addr,
           level, known->pfn);
    BUG_ON(now.pfn != known->pfn, "stale: 0x%lx level %u is frame 0x%lx, 0x%lx remembered", addr, level,
           now.pfn, known->pfn);
    BUG_ON(known->write && !now.write, "stale: 0x%lx level %u is read-only, writable remembered", addr,
           level);
    BUG_ON(known->exec && !now.exec, "stale: 0x%lx level %u is not executable, executable remembered", addr,
           level);
}

void tlb_check(void)
{
    for (unsigned i = 0; i < TLB_SIZE; i++)
        if (tlb[i].generation == tlb_generation)
            cached_check(&tlb[i], tlb[i].key << PAGE_SHIFT, 0);
    for (unsigned level = PTE_LEAF_LEVEL; level < PTE_ROOT_LEVEL; level++)
        for (unsigned i = 0; i < PSC_SIZE; i++)
            if (psc[level][i].generation == psc_generation)
                cached_check(&psc[level][i], psc[level][i].key << (PAGE_SHIFT + 9 * level), level);
}
