// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
// linked: dynamically
// brings: p7-allocator.so
//
// P7: in a dynamically linked program an allocator is swapped with LD_PRELOAD. And how such a program
// lies in memory: linker and libraries are promises, too, shared by all who run them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/wait.h>

#include "child.h"
#include "observe.h"

#define ALLOCATOR "/tests/p7-allocator.so"
#define BLOCK 100000
#define BLOCKS 100

static const char *self;

// The line of /proc/self/maps that holds `address`, or "".
static const char *maps_line(uintptr_t address)
{
    static char line[600];
    char *text = observe_file("/proc/self/maps");
    for (char *at = strtok(text, "\n"); at; at = strtok(NULL, "\n")) {
        uintptr_t start, end;
        if (sscanf(at, "%lx-%lx", &start, &end) == 2 && start <= address && address < end)
            return strncpy(line, at, sizeof(line) - 1);
    }
    return "";
}

static bool lies_in(uintptr_t address, const char *rights, const char *file)
{
    const char *line = maps_line(address);
    if (strstr(line, rights) && strstr(line, file))
        return true;
    tap_note("%lx: %s", address, line);
    return false;
}

// ---- the allocator

// What the program says that was started with the allocator in front: how many checks failed.
static int allocator_judge(void)
{
    char **arena = dlsym(RTLD_DEFAULT, "allocator_arena");
    if (!arena)
        return 100;
    char *blocks[BLOCKS];
    int outside = 0;
    long before = rss_at(*arena);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        outside += blocks[i] < *arena || blocks[i] >= *arena + (1ul << 30);
    }
    // Only the word in front of each block is written, and no two of them lie in one page.
    bool lazy = rss_at(*arena) - before == BLOCKS;
    memset(blocks[7], 7, BLOCK);
    char *grown = realloc(blocks[7], 2 * BLOCK);
    bool kept = grown != blocks[7] && all_bytes(grown, BLOCK, 7) && all_bytes(grown + BLOCK, BLOCK - 16, 0);
    FILE *stream = fopen("/proc/self/stat", "r"); // the library's own calls come here, too
    bool library = stream && (char *)stream >= *arena && (char *)stream < *arena + (1ul << 30);
    return outside + 10 * !lazy + 20 * !kept + 40 * !library;
}

static void becomes_preloaded(void *arg)
{
    (void)arg;
    setenv("LD_PRELOAD", ALLOCATOR, 1);
    execl(self, self, "allocator", NULL);
}

static void becomes_plain(void *arg)
{
    (void)arg;
    execl(self, self, "allocator", NULL);
}

// ---- the program in memory

static void layout_check(void)
{
    uintptr_t base = getauxval(AT_BASE), code = (uintptr_t)layout_check;
    Elf64_Ehdr *linker = (Elf64_Ehdr *)base;
    ok(lies_in(base, "r--p", "/ld-linux-x86-64.so.2") || lies_in(base, "r--p", "/ld-"), "AT_BASE: there the dynamic linker begins");
    ok(memcmp(linker->e_ident, ELFMAG, SELFMAG) == 0, "with its ELF header");
    ok(lies_in(base + linker->e_entry, "r-xp", "/ld-"), "its entry can be executed");
    ok(lies_in(getauxval(AT_ENTRY), "r-xp", "/tests/p7-preload"), "AT_ENTRY: the program's own");
    ok(lies_in(getauxval(AT_PHDR), "r--p", "/tests/p7-preload"), "AT_PHDR: the program's headers");
    ok(lies_in((uintptr_t)dlsym(RTLD_NEXT, "printf"), "r-xp", "/libc."), "printf lies in the C library");
    is(code >> 44, 5, "a position-independent program that has a linker lies low");
    is(base >> 44, 7, "and its linker high");
    ok((uintptr_t)sbrk(0) >> 44 == 5, "the heap begins behind the program");
}

// A child that runs the library's code maps the frame that is there already.
static void touches_library(struct link *link, void *arg)
{
    volatile char *page = arg;
    (void)*page;
    say(link, (long)page_frame((char *)page));
}

static void sharing_check(void)
{
    char *text = (char *)((uintptr_t)dlsym(RTLD_NEXT, "qsort") & ~4095ul);
    (void)*(volatile char *)text;
    struct link link = child_start(touches_library, text);
    ok(hear(&link) == (long)page_frame(text) && page_frame(text), "a page of the library is one frame for all");
    child_end(&link);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return allocator_judge();
    tap_begin();
    is(WEXITSTATUS(child_run(becomes_preloaded, NULL)), 0, "P7 LD_PRELOAD: all blocks come from the other allocator, lazily");
    is(WEXITSTATUS(child_run(becomes_plain, NULL)), 100, "P7 without it there is none");
    layout_check();
    sharing_check();
    return tap_end();
}
