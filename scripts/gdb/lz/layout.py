# SPDX-License-Identifier: MIT
"""Numbers of the kernel that are macros in C, so that no debug information tells them.

tests/system/gdb-lz.t compares each with the header that it comes from.
"""
# arch/x86_64/page.h
PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
USER_START = 0x1000
USER_END = 0x7FFFFFFFF000
DIRECT_MAP_START = 0xFFFF800000000000
KERNEL_STACKS_START = 0xFFFFC00000000000
KERNEL_IMAGE_START = 0xFFFFFFFF80000000

# arch/x86_64/pte.h
PTE_LEVELS = 4
PTE_ENTRIES = 512
PTE_USER_ENTRIES = 256
PTE_PRESENT = 1 << 0
PTE_WRITE = 1 << 1
PTE_USER = 1 << 2
PTE_ACCESSED = 1 << 5
PTE_DIRTY = 1 << 6
PTE_LARGE = 1 << 7
PTE_GLOBAL = 1 << 8
PTE_HOLDS_FRAME = 1 << 9
PTE_LAZY_FREE = 1 << 10
PTE_NO_EXEC = 1 << 63
PTE_FRAME_MASK = 0x000FFFFFFFFFF000

# mm/vma.h, in pages
VMA_GUARD_GAP = 256

# mm/pagecache.c
NODE_SHIFT = 9

# mm/commit.h: processes may leave this part of their size to others in mode 2
USER_RESERVE_SHARE = 32

# mman.h of Linux, which the kernel takes over
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
