// SPDX-License-Identifier: MIT
/*
 * space.h: what tests of address spaces need: one to run in, and touches of user memory as a system call
 * makes them.
 *
 * All touches go through usercopy, so they fault like any access to user memory: on the real MMU in the
 * kernel, on the software one in the host ring.
 */
#ifndef TESTS_KERNEL_SPACE_H
#define TESTS_KERNEL_SPACE_H

#include <linux/mman.h>

#include "mm/aspace.h"
#include "mm/fault.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)

/*
 * A new, empty address space that this CPU runs on now; NULL when memory is out (the test then says so
 * itself).
 */
struct aspace *space_enter(void) __must_check;
/* Leave it (for the kernel's tables) and give it up. */
void space_leave(struct aspace *space);

/* Map `pages` of anonymous memory where the kernel likes; 0: it failed, and the test has. */
vaddr_t space_map(struct aspace *space, uint64_t pages, unsigned prot, unsigned flags);
/* The same at `addr` (MAP_FIXED). */
bool space_map_at(struct aspace *space, vaddr_t addr, uint64_t pages, unsigned prot, unsigned flags);

/* Read or write one byte of the current address space: the byte, 0, or -EFAULT. */
int space_read(vaddr_t addr);
int space_write(vaddr_t addr, uint8_t value);

/* The frame that the address shows; NULL: no entry. And its entry. */
struct frame *space_frame(struct aspace *space, vaddr_t addr);
pte_t space_entry(struct aspace *space, vaddr_t addr);

/* Faults of this kind since the test began. */
uint64_t space_faults(enum fault_kind kind);
/* Faults of all kinds. */
uint64_t space_all_faults(void);

/* Resident pages of one kind. */
uint64_t space_resident(struct aspace *space, enum resident_kind kind);

#endif
