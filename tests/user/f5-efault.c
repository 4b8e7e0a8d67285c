// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// F5: a bad pointer given to a system call is EFAULT, with nothing half done. Raw system calls, so
// that no C library looks at the pointer first.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "child.h"
#include "observe.h"

struct pointer {
    const char *what;
    char *addr;
};

static struct pointer pointers[8];
static int pointer_count;
static int ends[2];

static void pointer_add(const char *what, void *addr)
{
    pointers[pointer_count++] = (struct pointer){what, addr};
}

static void pointers_make(void)
{
    char *edge = region_map(3), *none = region_map(1);
    edge[PAGE - 1] = 'x'; // not an empty string
    munmap(edge + PAGE, PAGE);
    mprotect(none, PAGE, PROT_NONE);
    pointer_add("NULL", NULL);
    pointer_add("an unmapped page", edge + PAGE + 8);
    pointer_add("a PROT_NONE page", none);
    pointer_add("the end of a mapping", edge + PAGE - 1);
    pointer_add("the kernel's half", (void *)0xffff800000001000);
    pointer_add("the kernel's image", (void *)0xffffffff80100000);
    pointer_add("a non-canonical address", (void *)0x8000000000000000);
    pointer_add("the last bytes of all", (void *)-3l);
}

static bool refused(long result)
{
    return result == -1 && errno == EFAULT;
}

// Calls that read their argument from user memory.
static void inputs_check(struct pointer p)
{
    int fd = open("/dev/null", O_RDONLY);
    close(fd);
    ok(refused(syscall(SYS_write, ends[1], p.addr, 64)), "F5 write from %s", p.what);
    ok(refused(syscall(SYS_writev, ends[1], p.addr, 2)), "F5 writev with %s", p.what);
    ok(refused(syscall(SYS_nanosleep, p.addr, NULL)), "F5 nanosleep with %s", p.what);
    if (p.addr)
        ok(refused(syscall(SYS_rt_sigprocmask, SIG_BLOCK, p.addr, NULL, 8)), "F5 rt_sigprocmask from %s",
           p.what);
    ok(refused(syscall(SYS_openat, AT_FDCWD, p.addr, O_RDONLY)), "F5 openat with %s", p.what);
    ok(refused(syscall(SYS_execve, p.addr, NULL, NULL)), "F5 execve with %s", p.what);
    if (p.addr)
        ok(refused(syscall(SYS_execve, "/bin/busybox", p.addr, NULL)), "F5 execve with argv at %s", p.what);
    int again = open("/dev/null", O_RDONLY);
    is(again, fd, "F5 no descriptor was lost");
    close(again);
}

// Calls that write their result to user memory.
static void outputs_check(struct pointer p)
{
    int fd = open("/proc/self/stat", O_RDONLY), directory = open("/", O_RDONLY | O_DIRECTORY);
    long got = syscall(SYS_read, fd, p.addr, 64);
    ok(refused(got) || (p.addr == pointers[3].addr && got == 1), "F5 read of a file into %s", p.what);
    ok(refused(syscall(SYS_fstat, fd, p.addr)), "F5 fstat into %s", p.what);
    ok(refused(syscall(SYS_getdents64, directory, p.addr, 1024)), "F5 getdents64 into %s", p.what);
    ok(refused(syscall(SYS_getcwd, p.addr, 100)), "F5 getcwd into %s", p.what);
    ok(refused(syscall(SYS_uname, p.addr)), "F5 uname into %s", p.what);
    ok(refused(syscall(SYS_pipe, p.addr)), "F5 pipe into %s", p.what);
    ok(refused(syscall(SYS_clock_gettime, 1, p.addr)), "F5 clock_gettime into %s", p.what);
    ok(refused(syscall(SYS_getrusage, 0, p.addr)), "F5 getrusage into %s", p.what);
    if (p.addr)
        ok(refused(syscall(SYS_rt_sigaction, SIGUSR1, NULL, p.addr, 8)), "F5 rt_sigaction into %s", p.what);
    close(directory);
    close(fd);
    int again = open("/proc/self/stat", O_RDONLY);
    is(again, fd, "F5 no descriptor was lost");
    close(again);
}

static void read_only_check(void)
{
    char *page = region_map(2);
    strcpy(page, "kept");
    mprotect(page, PAGE, PROT_READ);
    int fd = open("/proc/self/stat", O_RDONLY);
    ok(refused(syscall(SYS_read, fd, page, 50)), "F5 read into a read-only page");
    ok(refused(syscall(SYS_uname, page)), "F5 uname into a read-only page");
    is(strcmp(page, "kept"), 0, "F5 its contents are kept");
    ok(refused(syscall(SYS_read, fd, (char *)pointers_make, 50)), "F5 read into text");
    close(fd);
}

// A pipe's bytes must not get lost when the reader's buffer is bad.
static void nothing_lost_check(void)
{
    char buffer[8] = "";
    ok(write(ends[1], "abcdefgh", 8) == 8, "F5 eight bytes go into a pipe");
    ok(refused(syscall(SYS_read, ends[0], pointers[1].addr, 8)), "F5 a read of them into an unmapped page");
    is(read(ends[0], buffer, 8), 8, "F5 they are still there");
    is(memcmp(buffer, "abcdefgh", 8), 0, "F5 in order");

    char *edge = pointers[3].addr - 99; // 100 good bytes, then nothing
    memset(edge, 'e', 100);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    long wrote = syscall(SYS_write, ends[1], edge, 200);
    long got = read(ends[0], observe_text, 1000);
    ok((wrote == -1 && got == -1) || (wrote == got && wrote <= 100),
       "F5 a write that runs off its mapping reports what went into the pipe");
    fcntl(ends[0], F_SETFL, 0);
}

static void wait_check(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(9);
    ok(refused(syscall(SYS_wait4, pid, pointers[1].addr, 0, NULL)),
       "F5 wait4 with its status in an unmapped page");
}

int main(void)
{
    tap_begin();
    pointers_make();
    if (pipe(ends))
        tap_bail("pipe");
    for (int i = 0; i < pointer_count; i++) {
        inputs_check(pointers[i]);
        outputs_check(pointers[i]);
    }
    read_only_check();
    nothing_lost_check();
    wait_check();
    return tap_end();
}
