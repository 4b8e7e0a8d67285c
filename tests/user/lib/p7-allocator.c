// SPDX-License-Identifier: MIT
//
// An allocator for p7-preload.c: takes block after block from one promise of a gibibyte and gets none back.
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_SIZE (1ul << 30)

char *allocator_arena;
size_t allocator_used;

void *malloc(size_t size)
{
    if (!allocator_arena) {
        void *arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (arena == MAP_FAILED)
            return NULL;
        allocator_arena = arena;
    }
    size = (size + 31) & ~15ul;
    if (size > ARENA_SIZE - allocator_used)
        return NULL;
    size_t *block = (size_t *)(allocator_arena + allocator_used);
    allocator_used += size;
    *block = size - 16; // the block lies 16 bytes further on
    return block + 2;
}

void free(void *block) { (void)block; }

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : malloc(bytes); // a fresh promise reads as zeroes
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    if (moved && block) {
        size_t old = ((size_t *)block)[-2];
        memcpy(moved, block, old < size ? old : size);
    }
    return moved;
}
