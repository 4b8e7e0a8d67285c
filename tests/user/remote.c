// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
//
// Another process's memory: process_vm_readv, process_vm_writev and /proc/PID/mem. Lazy pages come to be over there as
// by an access of its own, and copy-on-write holds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
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

int main(void)
{
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
    return tap_end();
}
