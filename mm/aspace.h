// SPDX-License-Identifier: MIT
/*
 * aspace.h: an address space: a set of promises (VMAs) and the tree of tables that keeps some of them.
 *
 * Everything a process asks of its memory is a function here; all take the mutex themselves unless they end in
 * _locked, may sleep on it, and leave all as it was when they fail. Addresses and lengths come straight
 * from user mode: these functions check them.
 */
#ifndef MM_ASPACE_H
#define MM_ASPACE_H

#include "kernel/wait.h"
#include "mm/pagetable.h"
#include "mm/vma.h"

struct aspace {
    struct mutex lock; /* guards all below */
    uint32_t refs;     /* atomic: processes that run in it (vfork shares), and passing readers */
    uint64_t number;   /* its own since boot: an address may become another's */
    struct pagetable tree;
    struct vma_set vmas;
    LIST_ENTRY(aspace) all; /* list of all address spaces (its own lock) */

    /* The layout that exec made. */
    vaddr_t code_start, code_end, data_start, data_end;
    vaddr_t brk_start, brk;
    vaddr_t stack_start; /* initial stack pointer */
    vaddr_t arg_start, arg_end, env_start, env_end;
    vaddr_t auxv_start, auxv_end;
    vaddr_t mmap_top;       /* mappings go below, downwards */
    /* Bytes: RLIMIT_STACK, RLIMIT_AS, RLIMIT_DATA (soft and hard), RLIMIT_MEMLOCK as set last (UINT64_MAX: none). */
    uint64_t stack_limit, size_limit, data_limit, data_limit_hard, lock_limit;
    bool unprivileged;      /* its processes are not root's: the administrator's reserve is not theirs, lock_limit is */
    unsigned lock_future;   /* mlockall(MCL_FUTURE): VMA_LOCKED, VMA_LOCK_ONFAULT for mappings to come, or 0 */
    vaddr_t given_back_start, given_back_end; /* what munmap(2) or brk(2) took away last, for mm/near.h; empty: nothing yet */
    uint64_t peak_resident; /* pages: VmHWM as far as noted; see aspace_usage() */
};

/* Boot switches: each makes the kernel pay at once (docs/parameters.md). All on by default. */
struct lazy_switches {
    bool zfod, zeropage, cow, sharedtables;
};
extern struct lazy_switches lazy;
void lazy_switches_init(void);

/* /proc/sys/vm: VMAs a process may have; the lowest address that mmap chooses (root may ask for less, not for page 0). */
extern unsigned long vm_max_map_count, vm_mmap_min_addr;

/* An empty address space with one reference, or NULL. */
struct aspace *aspace_create(void) __must_check;
/* fork(2): a copy of the promises, and the tables shared. 0 or -ENOMEM. */
int aspace_fork(struct aspace *parent, struct aspace **child) __must_check;
struct aspace *aspace_get(struct aspace *aspace);
/* The last reference gives all memory and charges back. */
void aspace_put(struct aspace *aspace);
/* Run on it from now on (NULL: the kernel's tables alone). No reference is moved. Interrupts may be off. */
void aspace_switch(struct aspace *aspace);

/* mmap(2). `flags` are MAP_*; `cache` NULL for anonymous memory (a shared one gets a cache made); else one reference is added. */
struct map_request {
    vaddr_t addr;
    uint64_t length;
    unsigned prot;
    unsigned flags;
    struct pagecache *cache;
    uint64_t offset;  /* bytes into the cache */
    bool never_write; /* a shared mapping of a file that is not open for writing */
    bool never_exec;  /* one of a file whose file system is mounted so */
};
/*
 * The address, or -EINVAL, -ENOMEM, -EEXIST, -EPERM (fixed below vm.mmap_min_addr; MAP_LOCKED by one who may lock nothing),
 * -EAGAIN (more locked than RLIMIT_MEMLOCK), -EOVERFLOW (the file's end), -EACCES (writing to never_write). As on Linux,
 * what MAP_FIXED replaces goes before the ledger is asked, and stays away if that refuses.
 */
int64_t aspace_map(struct aspace *aspace, const struct map_request *request) __must_check;
/* munmap(2): 0, -EINVAL, -ENOMEM. */
int aspace_unmap(struct aspace *aspace, vaddr_t addr, uint64_t length) __must_check;
/*
 * shmdt(2): unmap an object with these `ops`, of which `addr` is where its first page is, or would be: every part of it
 * that still lies in its place. 0, -EINVAL: there is none (or `addr` is not page aligned), -ENOMEM.
 */
int aspace_unmap_object(struct aspace *aspace, vaddr_t addr, const struct pagecache_ops *ops) __must_check;
/* mprotect(2): 0, -EINVAL, -ENOMEM, -EACCES. As on Linux, VMA by VMA: those before the one that fails have changed. */
int aspace_protect(struct aspace *aspace, vaddr_t addr, uint64_t length, unsigned prot) __must_check;
/*
 * mremap(2): the address, or -EINVAL, -EFAULT, -ENOMEM, -EAGAIN (more locked than RLIMIT_MEMLOCK). With MREMAP_FIXED what was at the new place, and when shrinking
 * the end of the old range, goes first, as on Linux, and stays away if the rest then fails with -ENOMEM.
 */
int64_t aspace_remap(struct aspace *aspace, vaddr_t old_addr, uint64_t old_length, uint64_t new_length, unsigned flags,
                     vaddr_t new_addr) __must_check;
/*
 * madvise(2): 0, -EINVAL, -ENOMEM, -EFAULT, -EAGAIN (no memory or no more VMAs for a mark). Built: NORMAL, RANDOM,
 * SEQUENTIAL, WILLNEED, COLD, PAGEOUT (without effect: nothing is paged out), DONTDUMP, DODUMP, DONTNEED,
 * DONTNEED_LOCKED, FREE, REMOVE, DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK, POPULATE_READ, POPULATE_WRITE.
 */
int aspace_advise(struct aspace *aspace, vaddr_t addr, uint64_t length, int advice) __must_check;
/* brk(2) as the kernel gives it: the break afterwards, which is the old one where the request was refused. */
vaddr_t aspace_brk(struct aspace *aspace, vaddr_t brk);

/*
 * mlock2(2), munlock(2), mlockall(2), munlockall(2). 0, -EINVAL, -ENOMEM, -EAGAIN, -EPERM (the unprivileged with a
 * RLIMIT_MEMLOCK of 0). As on Linux, what lies before a hole is locked, or unlocked, and then the call fails.
 */
enum lock_mode { LOCK_NOW, LOCK_ON_FAULT };
int aspace_lock(struct aspace *aspace, vaddr_t addr, uint64_t length, enum lock_mode mode) __must_check;
int aspace_unlock(struct aspace *aspace, vaddr_t addr, uint64_t length) __must_check;
int aspace_lock_all(struct aspace *aspace, int flags) __must_check;
void aspace_unlock_all(struct aspace *aspace);

/*
 * mincore(2): one byte a page from `addr` (page aligned, in user space) on, up to the end of its VMA. How many, or
 * -ENOMEM: nothing is mapped there.
 */
int64_t aspace_in_core(struct aspace *aspace, vaddr_t addr, uint64_t pages, unsigned char *in_core) __must_check;

/* msync(2). Files live in memory, so there is nothing to write out: the checks are the call. 0, -EINVAL, -ENOMEM, -EBUSY. */
int aspace_sync(struct aspace *aspace, vaddr_t addr, uint64_t length, uint64_t flags) __must_check;

/* exec: a stack VMA ending at `top`, `length` bytes now, growing to RLIMIT_STACK. 0 or -ENOMEM. */
int aspace_map_stack(struct aspace *aspace, vaddr_t top, uint64_t length, uint64_t limit) __must_check;
/* exec: where the break starts. */
void aspace_set_brk(struct aspace *aspace, vaddr_t start);

/*
 * Fault in every page of [start, end) that is mapped in the current address space, as a read, a write, or (LOCKED, WISH)
 * the access that its VMA's rights suggest: private writable memory is written, what is locked on fault is passed over.
 * Memory is found as for a fault: someone may be killed for it. 0, -ENOMEM (the caller is dying), -EFAULT (a right is
 * missing, a file is too short; WISH goes on with the next VMA instead).
 */
enum populate { POPULATE_LOCKED, POPULATE_WISH, POPULATE_READ, POPULATE_WRITE };
int aspace_populate(struct aspace *aspace, vaddr_t start, vaddr_t end, enum populate how) __must_check;

/* Without killing: fault in every page of [addr, addr + length), mapped beforehand, as an access would. 0, -ENOMEM, -EFAULT. Holds the mutex. */
int aspace_populate_locked(struct aspace *aspace, vaddr_t addr, uint64_t length, bool write) __must_check;

/*
 * Copy to or from an address space that need not be the current one (exec's new stack, /proc/PID/cmdline), faulting
 * pages in as an access by its owner would. 0 or -EFAULT (also when memory is out).
 */
int aspace_write(struct aspace *aspace, vaddr_t addr, const void *buffer, size_t n) __must_check;
int aspace_read(struct aspace *aspace, vaddr_t addr, void *buffer, size_t n) __must_check;

/* What /proc shows, in pages. RSS is the sum of `resident`. peak_* are maxima since exec. */
struct aspace_usage {
    uint64_t total, peak_total;
    uint64_t resident[RESIDENT_KINDS], peak_resident;
    uint64_t tables; /* as VmPTE counts: all tables below the root and the root */
    uint64_t shared_tables;
    uint64_t text, data, stack; /* VmExe, VmData, VmStk: virtual sizes by Linux's rules */
    uint64_t locked;            /* VmLck */
};
void aspace_usage(struct aspace *aspace, struct aspace_usage *usage);
uint64_t aspace_resident(const struct pagetable_figures *figures);
/* Note the resident peak before memory is given back. Holds the mutex. */
void aspace_note_peak_locked(struct aspace *aspace);

/* Visit each VMA in order, with the mutex held. visit() returns 0 to go on; anything else is returned. */
int aspace_visit(struct aspace *aspace, int (*visit)(struct aspace *aspace, struct vma *vma, void *arg), void *arg);
/*
 * Can any process write to an object that is_meant() through a mapping of it, or make one able to by mprotect(2)? A mapping
 * made while this sleeps may be missed, but none made before it, nor their children's.
 */
bool aspaces_may_write(bool (*is_meant)(const struct pagecache *cache, const void *arg), const void *arg);

/*
 * One VMA's pages for smaps, in pages. A page is shared when it has another mapping. Its proportional share is its
 * size divided by its mappings (proc(5), Pss), here in bytes with PSS_SHIFT binary places. The mutex is held.
 */
#define PSS_SHIFT 12
struct vma_usage {
    uint64_t resident, anonymous, referenced, lazy_free;
    uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
    uint64_t share[RESIDENT_KINDS], share_dirty;
};
struct mappers; /* mm/mappers.h: counted under this same hold of the mutex */
void vma_usage_locked(struct aspace *aspace, const struct vma *vma, const struct mappers *mappers,
                      struct vma_usage *usage);

/* Is any page of this private mapping memory of its own, as after a write? The mutex is held. */
bool vma_has_private_pages_locked(const struct aspace *aspace, const struct vma *vma);

/* VMAs against tables against reference counts: panics with what is wrong. For tests, and on demand. */
void aspace_check(struct aspace *aspace);
/*
 * The same for all address spaces at once, and every frame's reference count against the entries that exist. 0, or
 * -ENOMEM: no memory for the tally (4 bytes a frame in one block, so on machines beyond 4 GiB).
 */
int mm_check(void) __must_check;

/* All of mm: bootmem is filled, the direct map stands. Called once. */
void mm_init(void);

#endif
