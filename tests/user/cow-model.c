// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
//
// A random walk with a model: processes four deep write, drop, unmap, remap, protect and fork, and each
// compares every page with what its own book says. The seed is printed; give it as an argument to walk
// the same way again.
#include "child.h"
#include "observe.h"

#define PAGES 1200L // three leaf tables, the last one shared with a hole
#define STEPS 48
#define DEPTH 4

enum state { HOLE, PLAIN, CONSTANT }; // unmapped, read-write, read-only

static struct {
    unsigned char value[PAGES];
    unsigned char state[PAGES];
} book;
static char *region;
static unsigned long seed;

static unsigned long draw(unsigned long below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static void range_draw(long *from, long *count)
{
    *from = draw(PAGES);
    *count = 1 + draw(draw(4) ? 8 : 300);
    if (*from + *count > PAGES)
        *count = PAGES - *from;
}

static void step_write(long from, long count)
{
    for (long i = from; i < from + count; i++)
        if (book.state[i] == PLAIN) {
            book.value[i] = draw(255) + 1;
            region[i * PAGE] = region[i * PAGE + 4095] = book.value[i];
        }
}

static void step_drop(long from, long count)
{
    madvise(region + from * PAGE, count * PAGE, MADV_DONTNEED);
    for (long i = from; i < from + count; i++)
        book.value[i] = 0;
}

static void step_unmap(long from, long count)
{
    munmap(region + from * PAGE, count * PAGE);
    for (long i = from; i < from + count; i++)
        book.value[i] = 0, book.state[i] = HOLE;
}

static void step_map(long from, long count)
{
    mmap(region + from * PAGE, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
         -1, 0);
    for (long i = from; i < from + count; i++)
        book.value[i] = 0, book.state[i] = PLAIN;
}

// mprotect refuses to cross a hole after changing what comes before it, so it goes page by page.
static void step_protect(long from, long count)
{
    enum state state = draw(2) ? PLAIN : CONSTANT;
    for (long i = from; i < from + count; i++)
        if (book.state[i] != HOLE) {
            mprotect(region + i * PAGE, PAGE, state == PLAIN ? PROT_READ | PROT_WRITE : PROT_READ);
            book.state[i] = state;
        }
}

// Pages that differ from the book; present ones among holes are found by pagemap.
static long pages_wrong(void)
{
    static uint64_t words[PAGES];
    long wrong = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY);
    lseek(fd, (uintptr_t)region / PAGE * 8, SEEK_SET);
    if (read(fd, words, sizeof(words)) != sizeof(words))
        wrong++;
    close(fd);
    for (long i = 0; i < PAGES; i++) {
        char want = book.value[i];
        if (book.state[i] == HOLE)
            wrong += words[i] >> 63;
        else
            wrong += region[i * PAGE] != want || region[i * PAGE + 4095] != want;
    }
    return wrong;
}

static void walk(void *arg)
{
    static void (*const steps[])(long, long) = {step_write, step_write, step_write, step_drop,
                                                step_unmap, step_map, step_protect};
    long depth = (long)arg;
    seed = seed * 6364136223846793005ul + depth + 1;
    for (int step = 0; step < STEPS / depth; step++) {
        long from, count;
        range_draw(&from, &count);
        steps[draw(7)](from, count);
        if (depth < DEPTH && draw(9) == 0 && child_run(walk, (void *)(depth + 1)) != 0)
            _exit(2);
        if (step % 8 == 0 && pages_wrong() != 0)
            _exit(1);
    }
    if (pages_wrong() != 0)
        _exit(1);
    if (depth > 1)
        _exit(0);
}

int main(int argc, char **argv)
{
    static const unsigned long seeds[] = {88172645463325252ul, 4711, 20260101, 0x5eed5eed};
    tap_begin();
    observe_settle();
    long count = argc > 1 ? 1 : 4, frames = 0;
    for (long i = 0; i < count; i++) {
        if (i == 1)
            frames = frames_free();
        seed = argc > 1 ? strtoul(argv[1], NULL, 0) : seeds[i];
        tap_note("seed %lu", seed);
        region = region_map(PAGES);
        memset(&book, 0, sizeof(book));
        memset(book.state, PLAIN, sizeof(book.state));
        is(child_run(walk, (void *)1l), 0, "a family walks at random and every page is as its book says");
        walk((void *)1l);
        is(pages_wrong(), 0, "so it is when the parent walks itself");
        region_unmap(region, PAGES);
    }
    between(-slack_objects(), frames ? frames - frames_free() : 0, slack_processes(50),
            "every frame comes back");
    return tap_end();
}
