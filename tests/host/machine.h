// SPDX-License-Identifier: MIT
/*
 * machine.h: the machine that the host ring runs mm/ on: RAM, a software MMU with a TLB, one CPU.
 *
 * User memory is reached as a program reaches it: every access walks the tables that mm/ has built (pte.h is
 * the kernel's own), checks the rights of each level, sets accessed and dirty bits, and faults into
 * mm_fault().
 *
 * The TLB is the most forgetful software's nightmare: it keeps every translation and every upper-level entry
 * that it has ever seen until it is told to forget. A real CPU may do so, apart from the one address
 * that faulted (SDM 3, 4.10.4), so a flush that mm/ owes is always missed.
 */
#ifndef TESTS_HOST_MACHINE_H
#define TESTS_HOST_MACHINE_H

#include "arch/x86_64/page.h"
#include "mm/fault.h"

/* Parameters as the boot loader would pass them. Before machine_start(). */
void machine_set_params(const char *line);

/*
 * Make a machine with `ram` bytes (at most HOST_RAM_SIZE), with holes as PCs have them, and start mm/ on it.
 * Once a process.
 */
void machine_start(uint64_t ram);

/* RAM and one CPU, but nothing of mm/ started. */
void machine_power_on(uint64_t ram);

/* Call this when the kernel panics, to say what was going on. */
void machine_at_panic(void (*say)(void));

/* What a thread needs before it runs code of the kernel: the GS base. */
void machine_enter_thread(void);

/* The faults that the last access took, in order. */
#define ACCESS_FAULTS_MAX 64
struct access_trace {
    unsigned count; /* may be larger than ACCESS_FAULTS_MAX: then the rest was not noted */
    enum fault_kind kind[ACCESS_FAULTS_MAX];
};
extern struct access_trace last_access;

/*
 * User mode reads, writes or executes n bytes at `addr` of the current address space. Returns the bytes done:
 * fewer than n when a fault was not resolved; its kind is then the last one in last_access.
 */
size_t user_read(vaddr_t addr, void *buffer, size_t n);
size_t user_write(vaddr_t addr, const void *buffer, size_t n);
size_t user_execute(vaddr_t addr, size_t n);

/*
 * Is everything that the TLB remembers still true? An entry may allow less than the tables do, but not more,
 * and not another frame. Panics with what is stale.
 */
void tlb_check(void);

/* What stands in the TLB now (for the tests of the model itself). */
unsigned tlb_count(void);

#endif
