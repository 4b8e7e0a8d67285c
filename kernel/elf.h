// SPDX-License-Identifier: MIT
/*
 * elf.h: ELF programs (elf(5)) as promises: nothing is read but the headers.
 */
#ifndef KERNEL_ELF_H
#define KERNEL_ELF_H

#include "mm/aspace.h"

/* What the start of the program needs to know. Addresses are as loaded. */
struct elf_image {
    vaddr_t start; /* of user mode: the dynamic linker's entry, or the program's own */
    vaddr_t entry; /* the program's */
    vaddr_t base;  /* where the dynamic linker lies; 0: there is none */
    vaddr_t phdr;  /* the program headers in memory; 0: no segment holds them */
    unsigned phnum;
    bool stack_executable; /* PT_GNU_STACK with PF_X */
    char *linker;          /* PT_INTERP: path of the dynamic linker, to be kfree()d; NULL: a static program */
};

/*
 * Map the segments of the program in `cache` into a fresh address space, and set its layout and break. 0,
 * or -ENOEXEC (not an x86-64 program), -ENOMEM, -EIO. On an error, too, image->linker is the caller's. May
 * sleep.
 */
int elf_map(struct aspace *aspace, struct pagecache *cache, struct elf_image *image) __must_check;

/*
 * Map the dynamic linker in `cache` beside it, and have user mode start there (ld.so(8)). 0, or -ELIBBAD
 * (it is no x86-64 program), -EIO (it ends within its ELF header), -ENOMEM. May sleep.
 */
int elf_map_linker(struct aspace *aspace, struct pagecache *cache, struct elf_image *image) __must_check;

#endif
