// SPDX-License-Identifier: MIT
/*
 * random.h: what the files of the random test have in common: its world, its dice, and how it complains.
 */
#ifndef TESTS_HOST_RANDOM_H
#define TESTS_HOST_RANDOM_H

#include "kernel/lib/assert.h"
#include "tests/host/model.h"

#define SPACES 6
#define LARGE (1ul << 30) /* mappings from this size on are MAP_NORESERVE and touched here and there only */

extern struct model model[SPACES];
extern struct model *now; /* the one that runs */

/* An allocation of this operation may fail, or a VMA be refused (vm.max_map_count). */
extern bool injecting;

/* 0 to limit - 1; true one time in n; 1 to 2^bits, small numbers often. */
uint64_t below(uint64_t limit);
bool one_in(unsigned n);
uint64_t pages_up_to(unsigned bits);

/* A range that touches something mapped, usually. */
void pick_range(vaddr_t *start, uint64_t *pages);
struct model *pick_space(void);

/* Is there memory to spare, in the model's view? */
bool is_roomy(void);

/* Say what this operation does: printed when it goes wrong. */
void note(const char *fmt, ...) __printf_like(1, 2);
#define CHECK(cond, fmt, ...) BUG_ON(!(cond), fmt, ##__VA_ARGS__)

/* Did the call fail for what was made to fail? Then nothing may have changed, which the checks see. */
bool failed_as_told(int64_t result);
/* Some calls are not all or nothing when they run out of memory: those go without. */
void inject_only_if(bool atomic);

/*
 * Touch every page as the kernel does when it must have them; stops at the first that cannot be had, and returns
 * how that one ends (0: all are there).
 */
model_kinds model_populate(struct model *space, vaddr_t start, vaddr_t end, bool write);

/* random_advice.c */
void op_advise(void);
void op_lock(void);
void op_unlock(void);
void op_lock_all(void);
void op_in_core(void);
void op_reclaim(void);
/* random_limits.c */
void op_commit_policy(void);
void op_size_limits(void);
/* Back to what the machine starts with. */
void limits_reset(void);

/* What MAP_POPULATE and mlock(2) fetch, as the rights of each VMA say, as far as it can be had. */
void model_fetch(struct model *space, vaddr_t start, vaddr_t end);

#endif
