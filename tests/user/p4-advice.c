// SPDX-License-Identifier: MIT
// ram: 96M  time: 60
// not-with: zfod=off cow=off
//
// P4: madvise. What each advice does, what fork makes of it, which errors there are; MADV_FREE's pages
// stay until memory is short or somebody writes; mincore and msync.
#include "mman-new.h"
#include "oom.h"

#define PAGES 256L
#define SIZE (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)

static char *map(int flags)
{
    char *at = mmap(NULL, SIZE, RW, MAP_ANONYMOUS | flags, -1, 0);
    if (at == MAP_FAILED)
        tap_bail("mmap");
    return at;
}

static void plain_check(void)
{
    static const int advices[] = {MADV_NORMAL, MADV_SEQUENTIAL, MADV_RANDOM, MADV_WILLNEED};
    char *at = map(MAP_PRIVATE);
    region_write(at, PAGES, 'a');
    for (size_t i = 0; i < 4; i++)
        is(madvise(at, SIZE, advices[i]), 0, "P4 advice %d passes", advices[i]);
    is(rss_at(at), PAGES, "P4 none of them moves a page");
    is(region_read(at, PAGES), PAGES * 'a', "P4 or changes a byte");
    fails(madvise(at + 1, PAGE, MADV_DONTNEED), EINVAL, "P4 an address that is not aligned");
    fails(madvise(at, SIZE, 999), EINVAL, "P4 an advice that there is not");
    fails(madvise(at, -PAGE, MADV_DONTNEED), EINVAL, "P4 a length that wraps around");
    is(madvise(at, 0, MADV_DONTNEED), 0, "P4 no length at all passes");
    munmap(at + SIZE / 2, PAGE);
    fails(madvise(at, SIZE, MADV_DONTNEED), ENOMEM, "P4 a range with a hole");
    is(rss_at(at) + rss_at(at + SIZE / 2 + PAGE), 0, "P4 but what is there has been dropped");
    munmap(at, SIZE);
}

static void shared_check(void)
{
    char *at = map(MAP_SHARED);
    region_write(at, PAGES, 's');
    long shmem = meminfo("Shmem:");
    is(madvise(at, SIZE, MADV_DONTNEED), 0, "P4 MADV_DONTNEED of shared memory passes");
    is(rss_at(at), 0, "P4 its pages are not mapped any more");
    is(meminfo("Shmem:"), shmem, "P4 but they are kept");
    is(region_read(at, PAGES), PAGES * 's', "P4 and come back with their contents");
    is(madvise(at, SIZE, MADV_REMOVE), 0, "P4 MADV_REMOVE of shared memory passes");
    is(meminfo("Shmem:"), shmem - SIZE / 1024, "P4 its pages are gone");
    is(region_read(at, PAGES), 0, "P4 zeroes come instead");
    munmap(at, SIZE);
    at = map(MAP_PRIVATE);
    fails(madvise(at, SIZE, MADV_REMOVE), EINVAL, "P4 MADV_REMOVE of private memory");
    munmap(at, SIZE);
    at = map(MAP_SHARED);
    fails(madvise(at, SIZE, MADV_FREE), EINVAL, "P4 MADV_FREE of shared memory");
    munmap(at, SIZE);
}

// A child in whose memory the advised range is missing, or wiped.
static void child_misses(void *arg)
{
    _exit(smaps_entry(0, arg) == NULL ? 0 : 1);
}

static void child_sees_zeroes(void *arg)
{
    if (region_read(arg, PAGES) != 0)
        _exit(1);
    region_write(arg, PAGES, 'c');
    _exit(0);
}

static void child_sees(void *arg)
{
    _exit(region_read(arg, PAGES) == PAGES * 'f' ? 0 : 1);
}

static void fork_check(void)
{
    char *at = map(MAP_PRIVATE);
    region_write(at, PAGES, 'f');
    is(madvise(at, SIZE, MADV_DONTFORK), 0, "P4 MADV_DONTFORK passes");
    is(child_run(child_misses, at), 0, "P4 the child does not have it");
    is(madvise(at, SIZE, MADV_DOFORK), 0, "P4 MADV_DOFORK passes");
    is(child_run(child_sees, at), 0, "P4 now the child has it");
    is(madvise(at, SIZE, MADV_WIPEONFORK), 0, "P4 MADV_WIPEONFORK passes");
    is(child_run(child_sees_zeroes, at), 0, "P4 the child finds zeroes");
    is(region_read(at, PAGES), PAGES * 'f', "P4 the parent's contents are as they were");
    is(madvise(at, SIZE, MADV_KEEPONFORK), 0, "P4 MADV_KEEPONFORK passes");
    is(child_run(child_sees, at), 0, "P4 now the child has the contents");
    munmap(at, SIZE);
    at = map(MAP_SHARED);
    fails(madvise(at, SIZE, MADV_WIPEONFORK), EINVAL, "P4 MADV_WIPEONFORK of shared memory");
    munmap(at, SIZE);
}

// A hog that is there before the memory that will be given up is mapped, so that it shares none of it.
static void hog_later(struct link *link, void *arg)
{
    (void)arg;
    struct hog hog = {.adj = 1000, .pages = hear(link), .way = BY_WRITE};
    hog_body(link, &hog);
}

// Half of the freed pages are written again; then memory is asked for until it is short.
static void free_check(void)
{
    struct link hog = child_start(hog_later, NULL);
    long pages = meminfo("MemFree:") / 4 / 4;
    char *at = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    region_write(at, pages, 'l');
    is(madvise(at, pages * PAGE, MADV_FREE), 0, "P4 MADV_FREE passes");
    is(rss_at(at), pages, "P4 the pages stay");
    is(region_read(at, pages), pages * 'l', "P4 with their contents");
    long before = faults();
    region_write(at, pages / 2, 'w');
    between(0, faults() - before, pages / 2 + 2, "P4 half of them are written again");
    long kills = observe_number(observe_file("/proc/vmstat"), "\noom_kill ");
    say(&hog, meminfo("MemFree:") / 4 + pages / 4);
    is(hog_wait(&hog), 0,
       "P4 a process that needs more than is free gets it: from the pages given up");
    is(observe_number(observe_file("/proc/vmstat"), "\noom_kill ") - kills, 0, "P4 nobody is killed for it");
    is(region_read(at, pages / 2), pages / 2 * 'w', "P4 the pages written again have what was written");
    long lost = 0, wrong = 0;
    for (long i = pages / 2; i < pages; i++) {
        lost += at[i * PAGE] == 0;
        wrong += at[i * PAGE] != 0 && at[i * PAGE] != 'l';
    }
    between(pages / 8, lost, pages - pages / 2, "P4 of the others many are gone, and read zero");
    is(wrong, 0, "P4 the rest have what they had");
    region_write(at, pages, 'n');
    is(region_read(at, pages), pages * 'n', "P4 all can be written");
    munmap(at, pages * PAGE);
}

static void mincore_check(void)
{
    unsigned char core[PAGES];
    char *at = map(MAP_SHARED);
    region_write(at + 3 * PAGE, 5, 1);
    is(mincore(at, SIZE, core), 0, "P4 mincore passes");
    long in = 0;
    for (long i = 0; i < PAGES; i++)
        in += core[i] & 1;
    ok(in == 5 && core[3] & 1 && core[7] & 1, "P4 mincore tells the five pages that are there");
    munmap(at, SIZE);
    at = map(MAP_PRIVATE);
    region_write(at, 10, 1);
    is(mincore(at, SIZE, core), 0, "P4 mincore of private memory");
    ok(core[0] & 1 && core[9] & 1 && !(core[10] & 1), "P4 tells what has been written");
    fails(mincore(at + 1, PAGE, core), EINVAL, "P4 mincore at an address that is not aligned");
    fails(mincore(at, SIZE, (void *)8), EFAULT, "P4 mincore into nowhere");
    munmap(at, SIZE);
    fails(mincore(at, SIZE, core), ENOMEM, "P4 mincore of nothing");
}

static void msync_check(void)
{
    char *at = map(MAP_SHARED);
    is(msync(at, SIZE, MS_SYNC), 0, "P4 msync passes");
    is(msync(at, SIZE, MS_ASYNC), 0, "P4 msync MS_ASYNC passes");
    fails(msync(at, SIZE, MS_SYNC | MS_ASYNC), EINVAL, "P4 msync with both");
    fails(msync(at + 1, PAGE, MS_SYNC), EINVAL, "P4 msync at an address that is not aligned");
    fails(msync(at, SIZE, 64), EINVAL, "P4 msync with a flag that there is not");
    munmap(at, SIZE);
    fails(msync(at, SIZE, MS_SYNC), ENOMEM, "P4 msync of nothing");
}

int main(void)
{
    oom_begin();
    plain_check();
    shared_check();
    fork_check();
    mincore_check();
    msync_check();
    free_check();
    return tap_end();
}
