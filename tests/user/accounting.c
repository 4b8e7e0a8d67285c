// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
// not-with: zfod=off zeropage=off cow=off
//
// What each memory operation costs, O5 and the rest of the table: VSZ, RSS, Committed_AS and minor
// faults move as on Linux, in each mode of overcommit; frames may only be fewer. The figures are those
// that Linux 6.1 shows. A row that begins with "." goes on with the mapping of the row before.
//
// fork: an operation that follows it may be the child's ("child:"); then it is done and measured there.
// With shared page tables some faults after fork are not needed, since one unshared table gives many
// pages back their write bit at once: those rows say AT_MOST.
#define _GNU_SOURCE // mremap
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" // rows end where the rest is zero

#include <sys/syscall.h>

#include "sysctl.h"
#include "child.h"
#include "mman-new.h"
#include "observe.h"

#define ALL 1024L // pages of 4 MiB
#define RW (PROT_READ | PROT_WRITE)
#define RO PROT_READ
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)

#define FAULTS_SLACK (on_lazybones() ? 0 : 1) // Linux has one more now and then
#define FRAMES_SLACK (on_lazybones() ? 30 : 3 * FRAMES_SLACK_LINUX) // tables: by alignment; a child's own

enum { EQUAL, AT_MOST, SOME };
// What a row's faults are compared by: equal; at most; nought or a few (fork's own pages).

struct row {
    const char *what;
    long (*run)(const struct row *);
    long a, b;                              // what `run` needs: see there
    long vsz, rss, committed, faults, free; // in kB; free: what Linux's free memory does
    int compare;                            // of the faults
    int result;                             // errno that the call must end with
    long strict;                            // what mode 2 charges beyond `committed`
};

struct sums {
    long vsz, rss, committed, free, faults, result;
};

static char *memory;      // the mapping that a sequence of rows is about
static struct link other; // the child of a fork
static int busybox;       // a file that is wholly in memory
static long image;        // kB that fork charges for this program itself
static const char *self;

// ---- operations; `a` is a number of pages unless said

// a: rights, b: flags
static long map_size(const struct row *row, long pages, int fd)
{
    memory = mmap(NULL, pages * PAGE, row->a, row->b, fd, 0);
    return memory == MAP_FAILED ? -1 : 0;
}

static long map(const struct row *row)
{
    return map_size(row, ALL, -1);
}

static long map_written(const struct row *row)
{
    if (map_size(row, ALL, -1) == 0)
        region_write(memory, ALL, 1);
    return 0;
}

static long map_half_written(const struct row *row)
{
    if (map_size(row, ALL / 2, -1) == 0)
        region_write(memory, ALL / 2, 1);
    return 0;
}

// a: rights, b: advice
static long map_advised(const struct row *row)
{
    struct row plain = {.a = row->a, .b = PRIVATE};
    return map(&plain) ? -1 : madvise(memory, ALL * PAGE, row->b);
}

// 1 MiB of a file
static long map_file(const struct row *row)
{
    return map_size(row, ALL / 4, busybox);
}

static long map_file_written(const struct row *row)
{
    if (map_file(row) == 0)
        region_write(memory, ALL / 4, 1);
    return 0;
}

// b: first page
static long reads(const struct row *row)
{
    region_read(memory + row->b * PAGE, row->a);
    return 0;
}

static long writes(const struct row *row)
{
    region_write(memory + row->b * PAGE, row->a, 2);
    return 0;
}

static long unmap(const struct row *row)
{
    return munmap(memory + row->b * PAGE, row->a * PAGE);
}

// The first and the last quarter.
static long unmap_ends(const struct row *row)
{
    (void)row;
    return munmap(memory, ALL / 4 * PAGE) | munmap(memory + ALL * 3 / 4 * PAGE, ALL / 4 * PAGE);
}

static long writes_unmaps_half(const struct row *row)
{
    region_write(memory, ALL, 3);
    return munmap(memory + row->a * PAGE, (ALL - row->a) * PAGE);
}

// b: rights
static long protect(const struct row *row)
{
    return mprotect(memory, row->a * PAGE, row->b);
}

// b: advice
static long advise(const struct row *row)
{
    return madvise(memory, row->a * PAGE, row->b);
}

static long lock(const struct row *row)
{
    return mlock(memory, row->a * PAGE);
}

static long lock_on_fault(const struct row *row)
{
    return syscall(SYS_mlock2, memory, row->a * PAGE, MLOCK_ONFAULT);
}

static long unlock(const struct row *row)
{
    return munlock(memory, row->a * PAGE);
}

// Moves the break by `a` pages. The first time, `memory` becomes the old break.
static long heap(const struct row *row)
{
    long end = syscall(SYS_brk, 0);
    if (row->a > 0)
        memory = (char *)end;
    return syscall(SYS_brk, end + row->a * PAGE) == end + row->a * PAGE ? 0 : -1;
}

static long heap_written(const struct row *row)
{
    heap(row);
    region_write(memory, ALL, 1);
    struct row down = {.a = -ALL / 2};
    return heap(&down);
}

// a: pages now, b: pages then
static long remap(const struct row *row)
{
    memory = mremap(memory, row->a * PAGE, row->b * PAGE, MREMAP_MAYMOVE);
    return memory == MAP_FAILED ? -1 : 0;
}

static void child_serves(struct link *link, void *arg);

static long forks(const struct row *row)
{
    (void)row;
    other = child_start(child_serves, NULL);
    return hear(&other);
}

static long child_exits(const struct row *row)
{
    (void)row;
    return child_end(&other);
}

static long execs(const struct row *row)
{
    int up[2];
    if (pipe(up))
        return -1;
    other.pid = row->a ? vfork() : fork();
    if (other.pid == 0) {
        dup2(up[1], 1);
        execl(self, self, "pause", NULL);
        _exit(127);
    }
    close(up[1]);
    other.in = up[0];
    return hear(&other) == 1 ? 0 : -1;
}

static long kills(const struct row *row)
{
    (void)row;
    kill(other.pid, SIGKILL);
    close(other.in);
    return waitpid(other.pid, NULL, 0) == other.pid ? 0 : -1;
}

// ---- measuring

static struct sums sums_before(void)
{
    struct sums sums = {.rss = rss_all(0) * 4, .vsz = vsz_all() * 4, .free = frames_free() * 4};
    sums.committed = meminfo("Committed_AS:");
    sums.faults = faults();
    return sums;
}

// Does a row's operation here; what has moved by it.
static struct sums row_do(const struct row *row)
{
    struct sums before = sums_before();
    long result = row->run(row) == 0 ? 0 : errno;
    long count = faults();
    struct sums after = sums_before();
    return (struct sums){after.vsz - before.vsz, after.rss - before.rss, after.committed - before.committed,
                         after.free - before.free, count - before.faults, result};
}

// The child of a fork: does the rows that its parent names, until the parent has had enough.
static const struct row *child_row(long index);

static void child_serves(struct link *link, void *arg)
{
    long index;
    (void)arg;
    say(link, 0);
    while ((index = hear(link)) >= 0) {
        observe_settle(); // the first time it copies the image; see row_do_in_child()
        say(link, 0);
        hear(link);
        struct sums sums = row_do(child_row(index));
        if (write(link->out, &sums, sizeof(sums)) != sizeof(sums))
            _exit(1);
    }
}

static long settled; // kB that the child took so as to measure, which its exit gives back

static struct sums row_do_in_child(long index)
{
    struct sums sums = {.result = -1};
    long free = frames_free() * 4;
    say(&other, index);
    hear(&other);
    settled += free - frames_free() * 4;
    say(&other, 0);
    if (read(other.in, &sums, sizeof(sums)) != sizeof(sums))
        tap_bail("the child's figures");
    return sums;
}

// kB of private writable mappings: what fork, or exec, charges. pid 0: this process.
static long charged(pid_t pid)
{
    char path[32] = "/proc/self/maps", rights[5];
    long sum = 0;
    if (pid)
        snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    for (char *line = observe_file(path); *line; line = strchr(line, '\n') + 1) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3 && rights[1] == 'w' && rights[3] == 'p')
            sum += (end - start) / 1024;
    }
    return sum;
}

// ---- the table

#define IMAGE 1000000 // in `committed`: and what this program's own image is charged
#define EXEC 2000000  // in `committed`: what the program that was started owes
#define CHILD "child: "

static const struct row rows[] = {
    // what                                   run, a, b                        vsz    rss   comm.  faults  free
    {"mmap private RW", map, RW, PRIVATE, 4096, 0, 4096, 0, 0},
    {". first read of every page", reads, ALL, 0, 0, 0, 0, ALL, -16},
    {". second read of every page", reads, ALL, 0, 0, 0, 0, 0, 0},
    {". upgrade write of every page", writes, ALL, 0, 0, 4096, 0, ALL, -4096},
    {". second write of every page", writes, ALL, 0, 0, 0, 0, 0, 0},
    {". mprotect RW to RO", protect, ALL, RO, 0, 0, 0, 0, 0},
    {". mprotect RO to RW", protect, ALL, RW, 0, 0, 0, 0, 0},
    {". write after RW-RO-RW", writes, ALL, 0, 0, 0, 0, 0, 0},
    {". munmap of the middle half", unmap, ALL / 2, ALL / 4, -2048, -2048, -2048, 0, 2048},
    {". munmap of the rest", unmap_ends, 0, 0, -2048, -2048, -2048, 0, 2064},

    {"mmap private RW, first write of every page", map_written, RW, PRIVATE, 4096, 4096, 4096, ALL, -4112},
    {". MADV_DONTNEED", advise, ALL, MADV_DONTNEED, 0, -4096, 0, 0, 4096},
    {". read back (zeroes)", reads, ALL, 0, 0, 0, 0, ALL, 0},
    {". MADV_DONTNEED again (only zero pages)", advise, ALL, MADV_DONTNEED, 0, 0, 0, 0, 0},
    {". write again", writes, ALL, 0, 0, 4096, 0, ALL, -4096},
    {". MADV_FREE", advise, ALL, MADV_FREE, 0, 0, 0, 0, 0},
    {". write of half after MADV_FREE", writes, ALL / 2, 0, 0, 0, 0, 0, 0},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},

    {"mmap private RO", map, RO, PRIVATE, 4096, 0, 0, 0, 0},
    {". first read of every page", reads, ALL, 0, 0, 0, 0, ALL, -16},
    {". mprotect RO to RW", protect, ALL, RW, 0, 0, 4096, 0, 0},
    {". first write of every page", writes, ALL, 0, 0, 4096, 0, ALL, -4096},
    {". mprotect RW to PROT_NONE", protect, ALL, PROT_NONE, 0, 0, 0, 0, 0},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},
    {"mmap private PROT_NONE", map, PROT_NONE, PRIVATE, 4096, 0, 0, 0, 0},
    {". mprotect PROT_NONE to RW, first quarter", protect, ALL / 4, RW, 0, 0, 1024, 0, 0},
    {". munmap", unmap, ALL, 0, -4096, 0, -1024, 0, 0},

    {"mmap private RW MAP_NORESERVE", map, RW, PRIVATE | MAP_NORESERVE, 4096, 0, 0, 0, 0, .strict = 4096},
    {". first write of every page", writes, ALL, 0, 0, 4096, 0, ALL, -4112},
    {". munmap", unmap, ALL, 0, -4096, -4096, 0, 0, 4112, .strict = -4096},
    {"mmap private RO MAP_NORESERVE", map, RO, PRIVATE | MAP_NORESERVE, 4096, 0, 0, 0, 0},
    {". mprotect RO to RW", protect, ALL, RW, 0, 0, 0, 0, 0, .strict = 4096},
    {". munmap", unmap, ALL, 0, -4096, 0, 0, 0, 0, .strict = -4096},

    {"mmap shared RW", map, RW, SHARED, 4096, 0, 4096, 0, 0},
    {". first read of every page", reads, ALL, 0, 0, 4096, 0, ALL, -4120},
    {". first write of every page", writes, ALL, 0, 0, 0, 0, 0, 0},
    {". MADV_DONTNEED", advise, ALL, MADV_DONTNEED, 0, -4096, 0, 0, 0},
    {". read again (contents kept; 16 pages a fault)", reads, ALL, 0, 0, 4096, 0, ALL / 16 + 1, 0, AT_MOST},
    {". MADV_REMOVE", advise, ALL, MADV_REMOVE, 0, -4096, 0, 0, 4096},
    {". write again, munmap half", writes_unmaps_half, ALL / 2, 0, -2048, 2048, 0, ALL, -4092},
    {". munmap of the rest", unmap, ALL / 2, 0, -2048, -2048, -4096, 0, 4108},
    {"mmap shared RW, first write of every page", map_written, RW, SHARED, 4096, 4096, 4096, ALL, -4112},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},
    {"mmap shared RW MAP_NORESERVE", map, RW, SHARED | MAP_NORESERVE, 4096, 0, 0, 0, 0, .strict = 4096},
    {". first write of every page", writes, ALL, 0, 0, 4096, 4096, ALL, -4112, .strict = -4096},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},

    {"mmap private file RO, 1 MiB in memory", map_file, RO, MAP_PRIVATE, 1024, 0, 0, 0, 0},
    {". read every page (16 pages a fault)", reads, ALL / 4, 0, 0, 1024, 0, 17, -12, AT_MOST},
    {". mprotect RO to RW", protect, ALL / 4, RW, 0, 0, 1024, 0, 0},
    {". write every page", writes, ALL / 4, 0, 0, 0, 0, ALL / 4, -1024},
    {". MADV_DONTNEED", advise, ALL / 4, MADV_DONTNEED, 0, -1024, 0, 0, 1024},
    {". munmap", unmap, ALL / 4, 0, -1024, 0, -1024, 0, 12},
    {"mmap private file RW, 1 MiB", map_file, RW, MAP_PRIVATE, 1024, 0, 1024, 0, 0},
    {". munmap", unmap, ALL / 4, 0, -1024, 0, -1024, 0, 0},
    {"the same, every page written at once", map_file_written, RW, MAP_PRIVATE, 1024, 1024, 1024, ALL / 4, -1036},
    {". munmap", unmap, ALL / 4, 0, -1024, -1024, -1024, 0, 1036},
    {"mmap shared file RO, 1 MiB", map_file, RO, MAP_SHARED, 1024, 0, 0, 0, 0},
    {". munmap", unmap, ALL / 4, 0, -1024, 0, 0, 0, 0},
    {"mmap private file RO MAP_POPULATE", map_file, RO, MAP_PRIVATE | MAP_POPULATE, 1024, 1024, 0, 17, -12, AT_MOST},
    {". munmap", unmap, ALL / 4, 0, -1024, -1024, 0, 0, 12},

    {"brk up by 4 MiB", heap, ALL, 0, 4096, 0, 4096, 0, 0},
    {". first write of every page", writes, ALL, 0, 0, 4096, 0, ALL, -4108},
    {". brk down by 4 MiB", heap, -ALL, 0, -4096, -4096, -4096, 0, 4108},
    {"brk up 4 MiB, write all, brk down 2 MiB", heap_written, ALL, 0, 2048, 2048, 2048, ALL, -2056},
    {". brk back", heap, -ALL / 2, 0, -2048, -2048, -2048, 0, 2056},

    {"mmap private RW MAP_POPULATE", map, RW, PRIVATE | MAP_POPULATE, 4096, 4096, 4096, ALL, -4112},
    {". write every page", writes, ALL, 0, 0, 0, 0, 0, 0},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},
    {"mmap private RO MAP_POPULATE", map, RO, PRIVATE | MAP_POPULATE, 4096, 0, 0, ALL, -16},
    {". munmap", unmap, ALL, 0, -4096, 0, 0, 0, 16},
    {"mmap private RW MAP_NORESERVE MAP_POPULATE", map, RW, PRIVATE | MAP_NORESERVE | MAP_POPULATE, 4096, 4096, 0,
     ALL, -4112, .strict = 4096},
    {". munmap", unmap, ALL, 0, -4096, -4096, 0, 0, 4112, .strict = -4096},
    {"mmap private RW, MADV_POPULATE_WRITE", map_advised, RW, MADV_POPULATE_WRITE, 4096, 4096, 4096, ALL, -4112},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},
    {"mmap private RW, MADV_POPULATE_READ", map_advised, RW, MADV_POPULATE_READ, 4096, 0, 4096, ALL, -16},
    {". munmap", unmap, ALL, 0, -4096, 0, -4096, 0, 16},

    {"mmap private RW, to be locked", map, RW, PRIVATE, 4096, 0, 4096, 0, 0},
    {". mlock", lock, ALL, 0, 0, 4096, 0, ALL, -4112},
    {". munlock", unlock, ALL, 0, 0, 0, 0, 0, 0},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},
    {"mmap private RW, to be locked on fault", map, RW, PRIVATE, 4096, 0, 4096, 0, 0},
    {". mlock2 MLOCK_ONFAULT", lock_on_fault, ALL, 0, 0, 0, 0, 0, 0},
    {". first write of every page", writes, ALL, 0, 0, 4096, 0, ALL, -4112},
    {". MADV_DONTNEED of locked memory", advise, ALL, MADV_DONTNEED, 0, 0, 0, 0, 0, .result = EINVAL},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},
    {"mmap private RW MAP_LOCKED", map, RW, PRIVATE | MAP_LOCKED, 4096, 4096, 4096, ALL, -4112},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},

    {"mmap private RW 2 MiB, write all", map_half_written, RW, PRIVATE, 2048, 2048, 2048, ALL / 2, -2060},
    {". mremap: grow to 4 MiB", remap, ALL / 2, ALL, 2048, 0, 2048, 0, 0},
    {". mremap: shrink to 1 MiB", remap, ALL, ALL / 4, -3072, -1024, -3072, 0, 1028},
    {". munmap", unmap, ALL / 4, 0, -1024, -1024, -1024, 0, 1032},
    {"mmap private RW MAP_GROWSDOWN", map, RW, PRIVATE | MAP_GROWSDOWN, 4096, 0, 4096, 0, 0},
    {". munmap", unmap, ALL, 0, -4096, 0, -4096, 0, 0},

    {"mmap private RW, written, then fork", map_written, RW, PRIVATE, 4096, 4096, 4096, ALL, -4112},
    {". fork", forks, 0, 0, 0, 0, 4096 + IMAGE, 16, -80, SOME},
    {CHILD "writes the shared pages: copies", writes, ALL, 0, 0, 0, 0, ALL, -4096},
    {". parent writes the same: now its own", writes, ALL, 0, 0, 0, 0, ALL, 0, AT_MOST},
    {CHILD "writes again", writes, ALL, 0, 0, 0, 0, 0, 0},
    {". child exits", child_exits, 0, 0, 0, 0, -4096 - IMAGE, 16, 4172, SOME},
    {". fork again", forks, 0, 0, 0, 0, 4096 + IMAGE, 16, -64, SOME},
    {". parent writes first: copies", writes, ALL, 0, 0, 0, 0, ALL, -4096},
    {". child exits without having written", child_exits, 0, 0, 0, 0, -4096 - IMAGE, 16, 4172, SOME},
    {". fork again", forks, 0, 0, 0, 0, 4096 + IMAGE, 16, -64, SOME},
    {". child exits untouched", child_exits, 0, 0, 0, 0, -4096 - IMAGE, 16, 76, SOME},
    {". parent writes after it: re-use", writes, ALL, 0, 0, 0, 0, ALL, 0, AT_MOST},
    {". fork again", forks, 0, 0, 0, 0, 4096 + IMAGE, 16, -72, SOME},
    {CHILD "reads all", reads, ALL, 0, 0, 0, 0, 0, 0},
    {". child exits", child_exits, 0, 0, 0, 0, -4096 - IMAGE, 16, 76, SOME},
    {". mprotect RW to RO", protect, ALL, RO, 0, 0, 0, 0, 0},
    {". fork with memory that was made read-only", forks, 0, 0, 0, 0, 4096 + IMAGE, 16, -64, SOME},
    {". child exits", child_exits, 0, 0, 0, 0, -4096 - IMAGE, 16, 76, SOME},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},

    {"mmap private RW, only to be read", map, RW, PRIVATE, 4096, 0, 4096, 0, 0},
    {". read every page", reads, ALL, 0, 0, 0, 0, ALL, -16},
    {". fork with zero pages", forks, 0, 0, 0, 0, 4096 + IMAGE, 16, -48, SOME},
    {". child exits", child_exits, 0, 0, 0, 0, -4096 - IMAGE, 16, 64, SOME},
    {". munmap", unmap, ALL, 0, -4096, 0, -4096, 0, 16},
    {"mmap private RW MAP_NORESERVE, written", map_written, RW, PRIVATE | MAP_NORESERVE, 4096, 4096, 0, ALL, -4112,
     .strict = 4096},
    {". fork with MAP_NORESERVE memory", forks, 0, 0, 0, 0, IMAGE, 16, -64, SOME, .strict = 4096},
    {". child exits", child_exits, 0, 0, 0, 0, -IMAGE, 16, 76, SOME, .strict = -4096},
    {". munmap", unmap, ALL, 0, -4096, -4096, 0, 0, 4112, .strict = -4096},
    {"mmap shared RW, written", map_written, RW, SHARED, 4096, 4096, 4096, ALL, -4112},
    {". fork with shared memory", forks, 0, 0, 0, 0, IMAGE, 16, -48, SOME},
    // Linux does not copy shared memory's tables, so the child faults again; the child of a shared table
    // has the pages at once.
    {CHILD "writes the shared pages", writes, ALL, 0, 0, 4096, 0, ALL, -16, AT_MOST},
    {". child exits", child_exits, 0, 0, 0, 0, -IMAGE, 16, 76, SOME},
    {". munmap", unmap, ALL, 0, -4096, -4096, -4096, 0, 4112},

    {"fork with nothing beyond the image", forks, 0, 0, 0, 0, IMAGE, 16, -48, SOME},
    {". child exits", child_exits, 0, 0, 0, 0, -IMAGE, 16, 60, SOME},
    {"vfork and exec", execs, 1, 0, 0, 0, EXEC, 16, -52, SOME},
    {". kill and wait", kills, 0, 0, 0, 0, -EXEC, 16, 52, SOME},
    {"fork and exec", execs, 0, 0, 0, 0, EXEC, 16, -64, SOME},
    {". kill and wait", kills, 0, 0, 0, 0, -EXEC, 16, 64, SOME},
};
#define ROWS ((long)(sizeof(rows) / sizeof(rows[0])))

static const struct row *child_row(long index)
{
    return &rows[index];
}

// What Committed_AS has to move by: the row's figure, with IMAGE and EXEC filled in.
static long committed_want(const struct row *row, int mode)
{
    static long started; // what the program owes that was started last
    long want = row->committed;
    if (row->run == execs)
        started = charged(other.pid);
    if (labs(want) >= EXEC)
        want = want > 0 ? started : -started;
    else if (labs(want) >= IMAGE / 2)
        want = want > 0 ? want - IMAGE + image : want + IMAGE - image;
    return want + (mode == 2 ? row->strict : 0);
}

static bool faults_right(const struct row *row, long got)
{
    if (row->compare == EQUAL)
        return got >= row->faults && got <= row->faults + FAULTS_SLACK;
    return got >= 0 && got <= row->faults + FAULTS_SLACK;
}

// The child's RSS after writing shared pages: on Linux it grows, with shared tables it was there.
static bool rss_right(const struct row *row, long got)
{
    return got == row->rss || (row->compare == AT_MOST && on_lazybones() && got <= row->rss && got >= 0);
}

static long frames_missing; // kB by which more was taken than on Linux, since the table's beginning

static void row_check(long index, int mode)
{
    const struct row *row = &rows[index];
    bool in_child = strncmp(row->what, CHILD, strlen(CHILD)) == 0;
    struct sums got = in_child ? row_do_in_child(index) : row_do(row);
    long want = committed_want(row, mode);
    if (row->run == child_exits) {
        got.free -= settled;
        settled = 0;
    }
    frames_missing += row->free - got.free;
    bool good = got.vsz == row->vsz && rss_right(row, got.rss) && got.committed == want &&
                faults_right(row, got.faults) && got.result == row->result &&
                frames_missing <= FRAMES_SLACK * 4;
    if (ok(good, "mode %d: %s", mode, row->what))
        return;
    tap_note("got  VSZ %ld RSS %ld Committed_AS %ld faults %ld errno %ld; frames beyond Linux's: %ld kB", got.vsz,
             got.rss, got.committed, got.faults, got.result, frames_missing);
    tap_note("want VSZ %ld RSS %ld Committed_AS %ld faults %s%ld errno %d; free memory: %ld, was %ld", row->vsz,
             row->rss, want, row->compare ? "up to " : "", row->faults, row->result, row->free, got.free);
}

// The stack, whose figures depend on where it stands: goes down 1 MiB in frames of 64 KiB.
static __attribute__((noinline)) int descend(int depth)
{
    volatile char frame[64 * 1024];
    for (size_t i = 0; i < sizeof(frame); i += PAGE)
        frame[i] = 1;
    return (depth > 1 ? descend(depth - 1) : 0) + frame[0];
}

static long stack_deepens(const struct row *row)
{
    (void)row;
    descend(16);
    return 0;
}

static void stack_check(void)
{
    struct row row = {.run = stack_deepens};
    struct sums got = row_do(&row);
    between(1024 - 132, got.vsz, 1024 + 68, "stack: 1 MiB deeper, VSZ grows as far as it had not");
    is(got.committed, got.vsz, "stack: Committed_AS grows by as much");
    between(1024 - 132, got.rss, 1024 + 68, "stack: RSS grows by what is touched");
    between(got.rss / 4, got.faults, got.rss / 4 + FAULTS_SLACK, "stack: one fault a page");
    got = row_do(&row);
    ok(got.vsz == 0 && got.rss == 0 && got.committed == 0 && got.faults == 0, "stack: the same depth again is free");
}

// What the program becomes when a row starts it: says so and waits to be killed.
static int paused(void)
{
    long here = 1;
    if (write(1, &here, sizeof(here)) == sizeof(here))
        pause();
    return 0;
}

static void file_open(void)
{
    static char part[65536];
    busybox = open("/bin/busybox", O_RDONLY);
    if (busybox < 0)
        tap_bail("/bin/busybox");
    while (read(busybox, part, sizeof(part)) > 0)
        ;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return paused();
    self = argv[0];
    knobs_guard();
    tap_begin();
    file_open();
    observe_settle();
    stack_check();
    for (int mode = 0; mode <= 2; mode++) {
        knob_need("overcommit_memory", mode);
        image = charged(0);
        frames_missing = 0;
        long frames = frames_free();
        for (long i = 0; i < ROWS; i++)
            row_check(i, mode);
        between(-slack_processes(12), frames - frames_free(), slack_processes(12),
                "mode %d: in the end all frames are back", mode);
    }
    return tap_end();
}
