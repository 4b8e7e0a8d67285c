// SPDX-License-Identifier: MIT
// ram: 96M  time: 120
//
// Random mmap, munmap, mprotect, MADV_DONTNEED, fork, write and check by 16 processes at once, each with
// a model of what it should see; every byte right. Arguments: seconds (4 in the ring; 60 in
// tests/system/stress.t), seed.
#include <time.h>

#include "child.h"
#include "observe.h"

#define WORKERS 16
#define PAGES 192L     // of a worker's arena
#define SPAN 24L       // pages that one operation may touch
#define GENERATIONS 3  // how deep children fork
#define CHILD_STEPS 40 // operations in a forked child's life

enum fault_kind { FINE, WRONG_BYTE, WRONG_ERROR, CALL_FAILED, CHILD_WRONG };

struct world {
    char *arena;
    unsigned long seed;
    int generation;
    unsigned char rights[PAGES]; // PROT_*; NOTHING: not mapped
    unsigned int stamp[PAGES];   // what fills the page; 0: zeroes
};
#define NOTHING 0x80

static struct world world;   // this process's own: fork copies it with the memory that it describes
static long *shared;         // a counter for each worker, shared with its children
static int ends[2];          // a pipe, for system calls that read and write user memory
static long deadline;

static unsigned long draw(unsigned long below)
{
    world.seed ^= world.seed << 13;
    world.seed ^= world.seed >> 7;
    world.seed ^= world.seed << 17;
    return (world.seed >> 8) % below;
}

static long now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static char *page_at(long page)
{
    return world.arena + page * PAGE;
}

// The word that fills a page with this stamp at this place; a page that strays is found out.
static unsigned long pattern(unsigned int stamp, long word)
{
    return stamp ? stamp * 0x9e3779b97f4a7c15ul + word : 0;
}

static void page_fill(long page, unsigned int stamp)
{
    unsigned long *words = (unsigned long *)page_at(page);
    for (long i = 0; i < PAGE / 8; i++)
        words[i] = pattern(stamp, i);
    world.stamp[page] = stamp;
}

static enum fault_kind page_check(long page)
{
    const unsigned long *words = (const unsigned long *)page_at(page);
    for (long i = 0; i < PAGE / 8; i++)
        if (words[i] != pattern(world.stamp[page], i))
            return WRONG_BYTE;
    return FINE;
}

// A random range.
static void range_draw(long *first, long *count)
{
    *first = draw(PAGES);
    *count = 1 + draw(SPAN);
    if (*first + *count > PAGES)
        *count = PAGES - *first;
}

static int rights_draw(void)
{
    static const int choice[] = {PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE};
    return choice[draw(4)];
}

static enum fault_kind do_map(void)
{
    long first, count;
    range_draw(&first, &count);
    int rights = rights_draw(), populate = draw(8) == 0 ? MAP_POPULATE : 0;
    if (mmap(page_at(first), count * PAGE, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | populate, -1, 0) !=
        page_at(first))
        return CALL_FAILED;
    memset(world.rights + first, rights, count);
    memset(world.stamp + first, 0, count * sizeof(world.stamp[0]));
    return FINE;
}

static enum fault_kind do_unmap(void)
{
    long first, count;
    range_draw(&first, &count);
    if (munmap(page_at(first), count * PAGE))
        return CALL_FAILED;
    memset(world.rights + first, NOTHING, count);
    return FINE;
}

// Up to the first hole mprotect does its work, then it fails.
static enum fault_kind do_protect(void)
{
    long first, count, end;
    range_draw(&first, &count);
    int rights = rights_draw();
    for (end = first; end < first + count && world.rights[end] != NOTHING; end++)
        world.rights[end] = rights;
    int result = mprotect(page_at(first), count * PAGE, rights);
    if (end < first + count)
        return result == -1 && errno == ENOMEM ? FINE : WRONG_ERROR;
    return result == 0 ? FINE : CALL_FAILED;
}

// Holes are passed over, and told at the end.
static enum fault_kind do_drop(void)
{
    long first, count, holes = 0;
    range_draw(&first, &count);
    for (long page = first; page < first + count; page++) {
        holes += world.rights[page] == NOTHING;
        world.stamp[page] = 0;
    }
    int result = madvise(page_at(first), count * PAGE, MADV_DONTNEED);
    if (holes)
        return result == -1 && errno == ENOMEM ? FINE : WRONG_ERROR;
    return result == 0 ? FINE : CALL_FAILED;
}

static enum fault_kind do_write(void)
{
    long first, count;
    range_draw(&first, &count);
    for (long page = first; page < first + count; page++)
        if (world.rights[page] == (PROT_READ | PROT_WRITE))
            page_fill(page, 1 + draw(1 << 30));
    return FINE;
}

static enum fault_kind do_check(void)
{
    long first, count;
    range_draw(&first, &count);
    for (long page = first; page < first + count; page++)
        if (world.rights[page] != NOTHING && (world.rights[page] & PROT_READ) && page_check(page) != FINE)
            return WRONG_BYTE;
    return FINE;
}

// A page goes through a pipe into another, by the kernel's hands; EFAULT where the rights say so.
static enum fault_kind do_copy(void)
{
    long from = draw(PAGES), to = draw(PAGES);
    bool readable = world.rights[from] != NOTHING && (world.rights[from] & PROT_READ);
    bool writable = world.rights[to] == (PROT_READ | PROT_WRITE);
    char rest[PAGE];
    ssize_t n = write(ends[1], page_at(from), PAGE);
    if (!readable)
        return n == -1 && errno == EFAULT ? FINE : WRONG_ERROR;
    if (n != PAGE)
        return CALL_FAILED;
    n = read(ends[0], page_at(to), PAGE);
    if (!writable && (n != -1 || errno != EFAULT))
        return WRONG_ERROR;
    if (!writable)
        return read(ends[0], rest, PAGE) == PAGE ? FINE : CALL_FAILED;
    world.stamp[to] = world.stamp[from];
    return n == PAGE ? page_check(to) : CALL_FAILED;
}

static enum fault_kind steps_run(long steps);

// A child goes its own way for a while; what it does must not be seen here, but for the shared counter.
static enum fault_kind do_fork(void)
{
    if (world.generation >= GENERATIONS)
        return FINE;
    long before = *shared;
    pid_t pid = fork();
    if (pid < 0)
        return CALL_FAILED;
    if (pid == 0) {
        if (pipe(ends))
            _exit(CALL_FAILED);
        world.generation++;
        world.seed += world.generation * 7919;
        enum fault_kind kind = steps_run(CHILD_STEPS);
        ++*shared;
        _exit(kind);
    }
    enum fault_kind kind = steps_run(draw(CHILD_STEPS));
    int status;
    if (kind == FINE && (waitpid(pid, &status, 0) != pid || status != 0 || *shared <= before))
        kind = WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : CHILD_WRONG;
    return kind;
}

static enum fault_kind step(void)
{
    switch (draw(24)) {
    case 0 ... 3: return do_map();
    case 4 ... 5: return do_unmap();
    case 6 ... 8: return do_protect();
    case 9 ... 10: return do_drop();
    case 11 ... 15: return do_write();
    case 16 ... 20: return do_check();
    case 21 ... 22: return do_copy();
    default: return draw(3) ? FINE : do_fork();
    }
}

static enum fault_kind steps_run(long steps)
{
    enum fault_kind kind = FINE;
    while (kind == FINE && steps-- > 0)
        kind = step();
    return kind;
}

static void worker(struct link *link, void *arg)
{
    long number = (long)arg, steps = 0;
    enum fault_kind kind = FINE;
    world.arena = region_map(PAGES);
    world.seed = (world.seed + number + 1) * 0x2545f4914f6cdd1dul;
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(world.rights, PROT_READ | PROT_WRITE, PAGES);
    if (pipe(ends))
        _exit(1);
    for (; kind == FINE && now_ms() < deadline; steps += 50)
        kind = steps_run(50);
    for (long page = 0; kind == FINE && page < PAGES; page++)
        if (world.rights[page] != NOTHING && (world.rights[page] & PROT_READ))
            kind = page_check(page);
    say(link, kind);
    say(link, steps);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"all right", "a wrong byte", "a wrong errno", "a call failed",
                                        "a child went wrong"};
    struct link links[WORKERS];
    long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 4, steps = 0;
    world.seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    tap_begin();
    observe_settle();
    long frames = frames_free(), committed = meminfo("Committed_AS:");
    deadline = now_ms() + seconds * 1000;
    for (long i = 0; i < WORKERS; i++)
        links[i] = child_start(worker, (void *)i);
    for (int i = 0; i < WORKERS; i++) {
        long kind = hear(&links[i]);
        steps += kind == FINE ? hear(&links[i]) : 0;
        int status = child_end(&links[i]);
        ok(kind == FINE && status == 0, "worker %d: %s", i, kind >= 0 && kind <= CHILD_WRONG ? names[kind] : "gone");
    }
    tap_note("%ld steps of the workers alone in %ld s, seed %lu", steps, seconds, world.seed);
    is(meminfo("Committed_AS:"), committed, "the promises are given back");
    between(-slack_processes(WORKERS), frames - frames_free(), slack_processes(WORKERS), "so are the frames");
    return tap_end();
}
