// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
//
// Another process's memory: process_vm_readv, process_vm_writev and /proc/PID/mem. Lazy pages come to be over there as
// by an access of its own, and copy-on-write holds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "child.h"
#include "observe.h"

#define PAGES 8L

static char *region;

// Waits for questions: offset to read; answers with the byte there. -1 ends it.
static void child_answers(struct link *link, void *arg)
{
    (void)arg;
    for (long at = hear(link); at >= 0; at = hear(link))
        say(link, region[at]);
}

static long ask(struct link *link, long at)
{
    say(link, at);
    return hear(link);
}

static struct iovec part(void *base, size_t length)
{
    return (struct iovec){base, length};
}

static void copies(struct link *link)
{
    char buffer[3 * PAGE], *other = region;
    struct iovec local = part(buffer, sizeof(buffer)), remote = part(other + PAGE - 5, 10);
    is(process_vm_readv(link->pid, &local, 1, &remote, 1, 0), 10, "process_vm_readv: what both sides have room for");
    ok(all_bytes(buffer, 5, 'a') && all_bytes(buffer + 5, 5, 'b'), "across a border of pages");
    struct iovec locals[2] = {part(buffer, 3), part(buffer + 100, 4)};
    struct iovec remotes[3] = {part(other, 1), part(other + PAGE, 5), part(other, 9)};
    memset(buffer, 0, sizeof(buffer));
    is(process_vm_readv(link->pid, locals, 2, remotes, 3, 0), 7, "in pieces on both sides");
    ok(!memcmp(buffer, "abb", 4) && !memcmp(buffer + 100, "bbba", 5), "each where it belongs");

    memcpy(buffer, "written", 7);
    local = part(buffer, 7);
    remote = part(other + 2, 7);
    is(process_vm_writev(link->pid, &local, 1, &remote, 1, 0), 7, "process_vm_writev");
    is(ask(link, 2), 'w', "the other one sees it");
    is(region[2], 'a', "and it alone: the page was shared until then");
    remote = part(other + 4 * PAGE, 7);
    is(process_vm_writev(link->pid, &local, 1, &remote, 1, 0), 7, "a page that was never touched");
    is(ask(link, 4 * PAGE + 6), 'n', "comes to be over there");
    is(ask(link, 4 * PAGE + 7), 0, "with zeroes in the rest");
    remote = part(other + 6 * PAGE, PAGE);
    local = part(buffer, PAGE);
    memset(buffer, 1, PAGE);
    is(process_vm_readv(link->pid, &local, 1, &remote, 1, 0), PAGE, "another is read");
    ok(all_bytes(buffer, PAGE, 0), "as zeroes");
}

static void refusals(struct link *link)
{
    char buffer[2 * PAGE], *other = region;
    struct iovec local = part(buffer, sizeof(buffer)), remote = part(other, 10), wrong;
    fails(process_vm_readv(link->pid, &local, 1, &remote, 1, 1), EINVAL, "no flags are defined");
    fails(process_vm_readv(link->pid, &local, 1025, &remote, 1, 0), EINVAL, "1024 parts at most");
    fails(process_vm_readv(link->pid, &local, 1, &remote, 1025, 0), EINVAL, "on either side");
    fails(process_vm_readv(99999, &local, 1, &remote, 1, 0), ESRCH, "nobody has that number");
    is(process_vm_readv(99999, &local, 0, &remote, 1, 0), 0, "which does not matter where nothing is wanted");
    is(process_vm_readv(99999, &local, 1, &remote, 0, 0), 0, "on either side");
    wrong = part(other + PAGES * PAGE, 10);
    fails(process_vm_readv(link->pid, &local, 1, &wrong, 1, 0), EFAULT, "where nothing is mapped");
    wrong = part((void *)0xffff800000000000ul, 10);
    fails(process_vm_readv(link->pid, &local, 1, &wrong, 1, 0), EFAULT, "least of all the kernel's");
    wrong = part((void *)0xfffffffffffff000ul, 2 * PAGE);
    fails(process_vm_readv(link->pid, &local, 1, &wrong, 1, 0), EFAULT, "nor what begins there and ends at the beginning");
    wrong = part((void *)8, 10);
    fails(process_vm_readv(link->pid, &wrong, 1, &remote, 1, 0), EFAULT, "to nowhere");
    wrong = part(other + (PAGES - 1) * PAGE, 2 * PAGE);
    is(process_vm_readv(link->pid, &local, 1, &wrong, 1, 0), PAGE, "what is there before the end is read");
    wrong = part(other + 7 * PAGE, 10);
    local = part(buffer, 10);
    fails(process_vm_writev(link->pid, &local, 1, &wrong, 1, 0), EFAULT, "what is read-only over there is not written");
    pid_t pid = fork();
    if (!pid) {
        setgid(1000), setuid(1000);
        _exit(process_vm_readv(link->pid, &local, 1, &remote, 1, 0) == -1 && errno == EPERM ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    is(status, 0, "nor may others look");
}

static void through_proc(struct link *link)
{
    char path[40], buffer[2 * PAGE];
    snprintf(path, sizeof(path), "/proc/%d/mem", link->pid);
    int fd = open(path, O_RDWR);
    ok(fd >= 0, "/proc/PID/mem can be opened");
    is(pread(fd, buffer, 10, (long)region + PAGE - 5), 10, "its offset is the address");
    ok(all_bytes(buffer, 5, 'a') && all_bytes(buffer + 5, 5, 'b'), "there is what is there");
    is(pwrite(fd, "W", 1, (long)region + 3 * PAGE), 1, "it can be written");
    is(ask(link, 3 * PAGE), 'W', "and the other one sees it");
    is(region[3 * PAGE], 'd', "and it alone");
    is(lseek(fd, (long)region, SEEK_SET), (long)region, "seek");
    is(read(fd, buffer, 3), 3, "and read");
    is(lseek(fd, 0, SEEK_CUR), (long)region + 3, "it goes on from there");
    fails(pread(fd, buffer, 10, (long)region + PAGES * PAGE), EIO, "where nothing is mapped");
    is(pread(fd, buffer, 2 * PAGE, (long)region + (PAGES - 1) * PAGE), PAGE, "before the end it ends");
    fails(pread(fd, (void *)8, 10, (long)region), EFAULT, "to nowhere");
    say(link, -1);
    child_end(link);
    is(pread(fd, buffer, 10, (long)region), 0, "of one that has gone nothing is left");
    close(fd);
    fd = open("/proc/self/mem", O_RDWR);
    is(pwrite(fd, "me", 2, (long)region), 2, "one's own");
    ok(region[0] == 'm' && region[1] == 'e', "as well");
    close(fd);
}

// ---- who may: the real ids count

// Becomes somebody, who may be looked at, and waits.
static void child_is(struct link *link, void *user)
{
    long id = (long)user;
    syscall(SYS_setresgid, 1000, 1000, 1000);
    syscall(SYS_setresuid, id, id, id);
    prctl(PR_SET_DUMPABLE, 1);
    say(link, 1);
    hear(link);
}

// User 1000 who acts for 2000 looks at processes of both: bit 0, the first can be read; bit 1, the second.
static void acts_for_another(void *arg)
{
    char byte;
    struct iovec local = part(&byte, 1), remote = part(region, 1);
    struct link first = child_start(child_is, (void *)1000l), second = child_start(child_is, (void *)2000l);
    (void)arg;
    hear(&first), hear(&second);
    syscall(SYS_setresgid, 1000, 1000, 1000);
    syscall(SYS_setresuid, 1000, 2000, 2000);
    int seen = (process_vm_readv(first.pid, &local, 1, &remote, 1, 0) == 1) +
               2 * (process_vm_readv(second.pid, &local, 1, &remote, 1, 0) == 1);
    say(&first, 0), say(&second, 0);
    child_end(&first), child_end(&second);
    _exit(seen);
}

// ---- a program that comes after

static char fresh = 'f';

// In the new program: what its old descriptors of mem, pagemap, maps and environ still give; 0: nothing.
static int after_main(void)
{
    char byte = 0;
    uint64_t entry = 0;
    return (pread(10, &byte, 1, (long)&fresh) != 0) + 2 * (pwrite(10, "W", 1, (long)&fresh) != 0) + 4 * (fresh != 'f') +
           8 * (pread(11, &entry, sizeof(entry), (long)&fresh / PAGE * 8) != 0) + 16 * (read(12, &byte, 1) != 0) +
           32 * (read(13, &byte, 1) != 0);
}

static void becomes_after(void *arg)
{
    (void)arg;
    dup2(open("/proc/self/mem", O_RDWR), 10);
    dup2(open("/proc/self/pagemap", O_RDONLY), 11);
    dup2(open("/proc/self/maps", O_RDONLY), 12);
    dup2(open("/proc/self/environ", O_RDONLY), 13);
    execl("/proc/self/exe", "remote", "after", NULL);
    _exit(99);
}

// ---- long copies

enum { PARTS = 1000 };
#define PART (256l << 10)

static void child_counts(struct link *link, void *counter)
{
    say(link, 1);
    for (;;)
        ++*(volatile long *)counter;
}

// Reads a number that another process counts up before and after a quarter of a gigabyte.
static void long_copy(void)
{
    long *counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *room = mmap(NULL, 2 * PART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static struct iovec local[PARTS + 2], remote[PARTS + 2];
    long seen[2] = {-1, -1};
    struct link link = child_start(child_counts, counter);
    for (int i = 1; i <= PARTS; i++) {
        local[i] = part(room, PART);
        remote[i] = part(room + PART, PART);
    }
    for (int i = 0; i < 2; i++) {
        local[i * (PARTS + 1)] = part(&seen[i], sizeof(long));
        remote[i * (PARTS + 1)] = part(counter, sizeof(long));
    }
    memset(room, 1, 2 * PART);
    hear(&link);
    is(process_vm_readv(getpid(), local, PARTS + 2, remote, PARTS + 2, 0), PARTS * PART + 16, "a long copy");
    ok(seen[0] < seen[1], "others go on meanwhile");
    kill(link.pid, SIGKILL);
    child_end(&link);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return after_main();
    tap_begin();
    region = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(region + PAGES * PAGE, PAGE);
    memset(region, 'a', PAGE);
    memset(region + PAGE, 'b', PAGE);
    memset(region + 3 * PAGE, 'd', PAGE);
    mprotect(region + 7 * PAGE, PAGE, PROT_READ);
    struct link link = child_start(child_answers, NULL);
    copies(&link);
    refusals(&link);
    through_proc(&link);
    is(WEXITSTATUS(child_run(acts_for_another, NULL)), 1, "who acts for another looks at his own, and at no more");
    is(WEXITSTATUS(child_run(becomes_after, NULL)), 0, "mem, pagemap, maps and environ tell nothing of the program that comes after");
    long_copy();
    return tap_end();
}
