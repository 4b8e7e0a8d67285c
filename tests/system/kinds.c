// SPDX-License-Identifier: MIT
//
// Provokes every kind of fault, one after the other, each in a function of its own name, for a debugger to wait in
// (tests/system/gdb-lz.t). All but SPURIOUS, which needs a CPU that remembers an older entry: see tests/kernel/fault.c.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define READS(kind) \
    __attribute__((noinline)) void touch_##kind(volatile char *place) { (void)*place; }
#define WRITES(kind) \
    __attribute__((noinline)) void touch_##kind(volatile char *place) { *place = 1; }

READS(ZERO_READ)
WRITES(ZERO_UPGRADE)
WRITES(ZERO_FILL)
WRITES(COW_COPY)
WRITES(COW_REUSE)
READS(FILE_READ)
READS(FILE_MAP)
WRITES(STACK_GROW)
READS(SEGV_MAPERR)
WRITES(SEGV_ACCERR)
READS(BUS)

// Until there is no frame left.
__attribute__((noinline)) void touch_OOM(volatile char *place)
{
    for (;; place += PAGE)
        *place = 1;
}

// In the program's file, and far from all that runs or is read otherwise.
static const char far_away[16 * PAGE] = { 1 };

// Far from all other memory: the tables on the way to it are its own, from the root's entry on.
#define ALONE ((void *)0x20000000000)

static char *fresh(int pages)
{
    char *memory = mmap(ALONE, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != ALONE)
        exit(1);
    return memory;
}

static char *own_file(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    char *memory = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd < 0 || memory == MAP_FAILED)
        exit(1);
    return memory;
}

static char *beyond_the_end(void)
{
    int fd = open("/tmp/empty", O_RDWR | O_CREAT, 0600);
    char *memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    if (fd < 0 || memory == MAP_FAILED)
        exit(1);
    return memory;
}

// Memory that is behind what is left of the machine's but for some hundred pages.
static char *too_much(void)
{
    struct sysinfo info;
    sysinfo(&info);
    size_t most = info.freeram - 512 * PAGE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (mmap(NULL, most, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, -1, 0) == MAP_FAILED)
        exit(1);
    return mmap(NULL, 1024 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
}

// In a child, for it does not survive.
static void in_child(void (*touch)(volatile char *), char *place, char *(*make_place)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        touch(make_place ? make_place() : place);
        _exit(0);
    }
    waitpid(child, &status, 0);
    printf("signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int main(void)
{
    char *memory = fresh(2);
    touch_ZERO_READ(memory);
    touch_ZERO_UPGRADE(memory);
    touch_ZERO_FILL(memory + PAGE);

    pid_t child = fork();
    if (child == 0) {
        touch_COW_COPY(memory);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    touch_COW_REUSE(memory);

    touch_FILE_READ((volatile char *)far_away + 8 * PAGE);
    touch_FILE_MAP(own_file());
    touch_STACK_GROW((char *)__builtin_frame_address(0) - 64 * PAGE);

    in_child(touch_SEGV_MAPERR, NULL, NULL);
    in_child(touch_SEGV_ACCERR, (char *)far_away, NULL);
    in_child(touch_BUS, NULL, beyond_the_end);
    in_child(touch_OOM, NULL, too_much);
    return 0;
}
