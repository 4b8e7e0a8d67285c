// SPDX-License-Identifier: MIT
/*
 * pte.h: the format of page-table entries (SDM 3, 4.5), and the only place that knows its bits.
 *
 * An entry is none, or holds a frame. An entry that holds a frame is present, unless its rights are
 * empty (PROT_NONE): the CPU then sees a non-present entry, while a software bit says that the frame
 * number is valid. Rights of a table's entry multiply with those below; tables are always given all rights
 * but write, which copy-on-write of tables takes and gives (mm/pagetable.h).
 *
 * Levels count from 1 (leaf table, 4 KiB entries) to 4 (root).
 */
#ifndef ARCH_X86_64_PTE_H
#define ARCH_X86_64_PTE_H

#include "arch/x86_64/page.h"

typedef struct {
    uint64_t bits;
} pte_t;

enum pte_rights { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_EXEC = 4 };

#define PTE_LEVELS 4
#define PTE_ROOT_LEVEL 4
#define PTE_LEAF_LEVEL 1
#define PTE_ENTRIES 512
#define PTE_USER_ENTRIES 256 /* of the root: the lower half is user space */

#define PTE_PRESENT (1ul << 0)
#define PTE_WRITE (1ul << 1)
#define PTE_USER (1ul << 2)
#define PTE_ACCESSED (1ul << 5)
#define PTE_DIRTY (1ul << 6)
#define PTE_LARGE (1ul << 7)
#define PTE_GLOBAL (1ul << 8)
#define PTE_HOLDS_FRAME (1ul << 9) /* software: the frame number is valid though not present (PROT_NONE) */
#define PTE_LAZY_FREE (1ul << 10)  /* software: the contents may be dropped while the page is not dirty */
#define PTE_NO_EXEC (1ul << 63)
#define PTE_FRAME_MASK 0x000ffffffffff000ul

/* What one entry of a table at `level` covers: 1 << pte_shift() bytes. */
static inline unsigned pte_shift(unsigned level) { return PAGE_SHIFT + 9 * (level - 1); }
static inline uint64_t pte_span(unsigned level) { return 1ul << pte_shift(level); }

static inline unsigned pte_index(vaddr_t addr, unsigned level)
{
    return (addr >> pte_shift(level)) & (PTE_ENTRIES - 1);
}

static inline pte_t pte_none(void) { return (pte_t){ 0 }; }
static inline bool pte_is_none(pte_t pte) { return pte.bits == 0; }

/* Are all of PTE_GROUP entries none? Tables are mostly empty: walks pass over a group at a time. */
#define PTE_GROUP 8
static inline bool pte_group_starts(const pte_t *slot) { return (uint64_t)slot % (PTE_GROUP * sizeof(*slot)) == 0; }
static inline bool pte_group_is_none(const pte_t *g)
{
    return (g[0].bits | g[1].bits | g[2].bits | g[3].bits | g[4].bits | g[5].bits | g[6].bits | g[7].bits) == 0;
}

static inline bool pte_is_present(pte_t pte) { return pte.bits & PTE_PRESENT; }
static inline bool pte_is_writable(pte_t pte) { return pte.bits & PTE_WRITE; }
static inline bool pte_is_executable(pte_t pte) { return !(pte.bits & PTE_NO_EXEC); }
static inline bool pte_is_dirty(pte_t pte) { return pte.bits & PTE_DIRTY; }
static inline bool pte_is_large(pte_t pte) { return pte.bits & PTE_LARGE; } /* not asked at level 1 */
static inline bool pte_is_user(pte_t pte) { return pte.bits & PTE_USER; }
static inline bool pte_is_accessed(pte_t pte) { return pte.bits & PTE_ACCESSED; }
static inline pfn_t pte_pfn(pte_t pte) { return (pte.bits & PTE_FRAME_MASK) >> PAGE_SHIFT; }

/* Where the record of its frame is, in bytes, in an array of one of 1 << shift bytes for each frame. */
static inline uint64_t pte_record_offset(pte_t pte, unsigned shift)
{
    return (pte.bits & PTE_FRAME_MASK) >> (PAGE_SHIFT - shift); /* as pte_pfn(pte) << shift, with a shift less */
}

/* lab walk: begin */
/* The bits that `rights` stand for, which are not empty. */
static inline uint64_t pte_present_bits(unsigned rights)
{
    uint64_t write = (uint64_t)(rights & RIGHT_WRITE) * (PTE_WRITE / RIGHT_WRITE);
    uint64_t no_exec = (uint64_t)(~rights & RIGHT_EXEC) * (PTE_NO_EXEC / RIGHT_EXEC);
    return PTE_PRESENT | PTE_USER | write | no_exec; /* without a branch: once a fault */
}

/* The same for any rights. Empty ones give an entry that is not present but holds its frame. */
static inline uint64_t pte_rights_bits(unsigned rights)
{
    return rights ? pte_present_bits(rights) : PTE_HOLDS_FRAME | PTE_NO_EXEC;
}
/* lab walk: instead pte_rights.c */

/* A user leaf entry; and one whose rights are not empty. */
static inline pte_t pte_make_present(pfn_t pfn, unsigned rights)
{
    return (pte_t){ pfn << PAGE_SHIFT | pte_present_bits(rights) };
}
static inline pte_t pte_make(pfn_t pfn, unsigned rights)
{
    return (pte_t){ pfn << PAGE_SHIFT | pte_rights_bits(rights) };
}

/* An entry for a table below: all rights. */
static inline pte_t pte_make_table(pfn_t pfn)
{
    return (pte_t){ pfn << PAGE_SHIFT | PTE_PRESENT | PTE_USER | PTE_WRITE };
}

/*
 * A kernel leaf entry, not for user mode and kept in the TLB when the address space changes; `rights` are
 * not empty. Accessed and dirty are set beforehand: nobody asks, and the CPU need not write them.
 */
static inline pte_t pte_make_kernel(pfn_t pfn, unsigned rights)
{
    return (pte_t){ pfn << PAGE_SHIFT | PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED | PTE_DIRTY |
                    (rights & RIGHT_WRITE ? PTE_WRITE : 0) | (rights & RIGHT_EXEC ? 0 : PTE_NO_EXEC) };
}

/* The same entry for a page of its level's span (2 MiB at level 2, 1 GiB at level 3). */
static inline pte_t pte_make_large(pte_t pte) { return (pte_t){ pte.bits | PTE_LARGE }; }

/* An entry for a table that maps kernel addresses only. */
static inline pte_t pte_make_kernel_table(pfn_t pfn)
{
    return (pte_t){ pfn << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED };
}

/* The same frame and accessed/dirty state with other rights: pte_rights_bits() of them. */
static inline pte_t pte_with_rights(pte_t pte, uint64_t rights_bits)
{
    return (pte_t){ (pte.bits & (PTE_FRAME_MASK | PTE_ACCESSED | PTE_DIRTY | PTE_LAZY_FREE)) | rights_bits };
}

/* MADV_FREE marks a page clean; the CPU marks it dirty again at the next write, which takes the mark's meaning away. */
static inline pte_t pte_lazy_free(pte_t pte)
{
    return (pte_t){ (pte.bits & ~(PTE_DIRTY | PTE_ACCESSED)) | PTE_LAZY_FREE };
}
static inline bool pte_is_lazy_free(pte_t pte) { return pte.bits & PTE_LAZY_FREE && !(pte.bits & PTE_DIRTY); }

static inline pte_t pte_read_only(pte_t pte) { return (pte_t){ pte.bits & ~PTE_WRITE }; }
static inline pte_t pte_dirtied(pte_t pte) { return (pte_t){ pte.bits | PTE_DIRTY | PTE_ACCESSED }; }
static inline pte_t pte_writable(pte_t pte) { return (pte_t){ pte.bits | PTE_WRITE }; }

/* Does this entry, taken alone, allow the access? */
static inline bool pte_allows(pte_t pte, unsigned rights)
{
    return pte_is_present(pte) && (!(rights & RIGHT_WRITE) || pte_is_writable(pte)) &&
           (!(rights & RIGHT_EXEC) || pte_is_executable(pte));
}

/* Entries are read and written whole: the MMU may be looking. */
static inline pte_t pte_load(const pte_t *slot) { return (pte_t){ READ_ONCE(slot->bits) }; }
static inline void pte_store(pte_t *slot, pte_t pte) { WRITE_ONCE(slot->bits, pte.bits); }

#endif
