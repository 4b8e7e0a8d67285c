// SPDX-License-Identifier: MIT
/*
 * elf.h: static ELF programs (elf(5)) as promises: nothing is read but the headers.
 */
#ifndef KERNEL_ELF_H
#define KERNEL_ELF_H

#include "mm/aspace.h"

/* What the start of the program needs to know. Addresses are as loaded. */
struct elf_image {
    vaddr_t entry;
    vaddr_t phdr; /* the program headers in memory; 0: no segment holds them */
    unsigned phnum;
    bool stack_executable; /* PT_GNU_STACK with PF_X */
};

/*
 * Map the segments of the program in `cache` into a fresh address space, and set its layout and break. 0,
 * or -ENOEXEC (not a static x86-64 program), -ENOENT (it wants a dynamic linker, which is not built),
 * -ENOMEM, -EIO. May sleep.
 */
int elf_map(struct aspace *aspace, struct pagecache *cache, struct elf_image *image) __must_check;

#endif
