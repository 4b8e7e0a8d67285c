// SPDX-License-Identifier: MIT
/*
 * model.h: what an address space should be, said as simply as possible: a sorted array of ranges, a sorted
 * array of pages that have been touched, and for each page its bytes.
 *
 * The model knows nothing of tables, trees or TLBs. It says for every access what the program must see and
 * which kind of fault the kernel must report, and for every call how many pages of which kind there must be
 * afterwards. Frames of private pages are shared after a fork by a plain reference count of whole pages.
 */
#ifndef TESTS_HOST_MODEL_H
#define TESTS_HOST_MODEL_H

#include "mm/aspace.h"
#include "mm/fault.h"

struct model_frame {
    unsigned refs; /* address spaces that have the page */
    uint8_t data[PAGE_SIZE];
};

/* What a shared or file mapping shows. */
struct model_object {
    unsigned refs; /* ranges, plus one for a file itself */
    bool is_file;
    uint8_t number;          /* of the file; its contents depend on it */
    uint64_t size;           /* bytes */
    bool commit_by_page;     /* shm: charged to the ledger page by page, not as a whole */
    uint8_t **page;          /* shm: contents by index, NULL: not there yet. file: not NULL: in the cache */
    struct pagecache *cache; /* the kernel's, to tell objects apart */
};

struct model_range {
    vaddr_t start, end;
    unsigned prot;
    unsigned flags; /* enum vma_flags */
    struct model_object *object;
    uint64_t index; /* of the object's page at `start` */
};

enum model_state { MODEL_ZERO, MODEL_ANON, MODEL_OBJECT };

struct model_page {
    vaddr_t addr;
    enum model_state state;
    struct model_frame *frame; /* MODEL_ANON */
    bool lazy_free;            /* given up (MADV_FREE) and not written since */
};

struct model {
    struct aspace *aspace; /* what is compared with it */
    struct model_range *range;
    unsigned ranges, ranges_room;
    struct model_page *page;
    unsigned pages, pages_room;
    vaddr_t brk_start, brk;
    uint64_t stack_limit;
    unsigned lock_future; /* mlockall(MCL_FUTURE): flags of mappings to come */
};

/* Over all address spaces: frames that must be allocated now. */
extern uint64_t model_anon_frames, model_shm_frames, model_file_frames;
/* Pages that the ledger counts for shared memory: its objects', not their mappers'. */
extern uint64_t model_shm_committed;

void model_init(struct model *model);
void model_clear(struct model *model);
/* The child's model; `child` is not initialised. */
void model_fork(struct model *child, struct model *parent);

struct model_object *model_file_create(uint64_t size, uint8_t number);
struct model_object *model_shm_create(uint64_t size, bool commit_by_page);
void model_object_put(struct model_object *object);
/* What a page of a file holds. */
void model_file_page(uint8_t number, uint64_t index, uint8_t *page);

struct model_range *model_range_at(const struct model *model, vaddr_t addr);
struct model_page *model_page_at(const struct model *model, vaddr_t addr);

bool model_is_free(const struct model *model, vaddr_t start, vaddr_t end);
bool model_is_mapped(const struct model *model, vaddr_t start, vaddr_t end);
/* Where the kernel must put `length` bytes, or 0. */
vaddr_t model_find_gap(const struct model *model, uint64_t length, vaddr_t low, vaddr_t high);

/* The calls, after the kernel has done them. Ranges are valid and page aligned. */
void model_unmap(struct model *model, vaddr_t start, vaddr_t end);
/* Takes over the caller's reference on object. */
void model_map(struct model *model, vaddr_t start, vaddr_t end, unsigned prot, unsigned flags,
               struct model_object *object, uint64_t index);
void model_protect(struct model *model, vaddr_t start, vaddr_t end, unsigned prot);
void model_set_flags(struct model *model, vaddr_t start, vaddr_t end, unsigned set, unsigned clear);
/* MADV_FREE; and what has been taken back of it. */
void model_free_lazily(struct model *model, vaddr_t start, vaddr_t end);
/* Pages [first, last) of the object go: from the object, and (_unmap) from one who maps it. */
void model_punch(struct model_object *object, uint64_t first, uint64_t last);
void model_punch_unmap(struct model *model, const struct model_object *object, uint64_t first, uint64_t last);
void model_drop(struct model *model, vaddr_t start, vaddr_t end);
void model_move(struct model *model, vaddr_t from, vaddr_t to, uint64_t old_length, uint64_t new_length);

/* Where the VMA of addr, which is mapped, ends: ranges that are alike are one to the kernel. */
vaddr_t model_vma_end(const struct model *model, vaddr_t addr);

/* Sums. */
uint64_t model_total(const struct model *model);
uint64_t model_committed(const struct model *model); /* private memory */
uint64_t model_pages_in(const struct model *model, vaddr_t start, vaddr_t end);
/* Pages that the ledger counts for [start, end): what unmapping it gives back. */
uint64_t model_committed_in(const struct model *model, vaddr_t start, vaddr_t end);
uint64_t model_resident(const struct model *model, enum resident_kind kind);

/* Pages promised in all, as far as the ledger goes; the test that has the models tells. */
uint64_t model_committed_in_all(void);
/* Does the policy of the ledger (mm/commit.h) refuse so many pages to a process of this size? */
bool model_commit_refuses(uint64_t pages, uint64_t size);
/* The same after so many pages have been given back. */
bool model_commit_refuses_after(uint64_t pages, uint64_t size, uint64_t refunded);
/* Do the limits on sizes (RLIMIT_AS, RLIMIT_DATA) refuse so many pages of such memory? */
bool model_size_refuses(const struct model *model, uint64_t pages, unsigned prot, unsigned flags);

/* A set of fault kinds: bit per kind, and one for no fault at all. */
typedef uint32_t model_kinds;
#define KIND(kind) (1u << (kind))
#define NO_FAULT KIND(FAULT_KINDS)
#define FAILED_KINDS (KIND(FAULT_SEGV_MAPERR) | KIND(FAULT_SEGV_ACCERR) | KIND(FAULT_BUS) | KIND(FAULT_OOM))

/* The kinds that this access may end in. */
model_kinds model_predict(const struct model *model, vaddr_t addr, enum fault_access access);
/* The access has succeeded: the page is now as it must be. */
void model_touch(struct model *model, vaddr_t addr, enum fault_access access);
/* The byte at addr; the address is mapped. */
uint8_t *model_bytes(struct model *model, vaddr_t addr, uint8_t scratch[PAGE_SIZE]);

#endif
