// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
//
// C7: System V shared memory: one memory for all who attach it, by number or by key; who may, how many do, and when it
// ends. Charged when it is made, without a frame until it is touched.
#define _GNU_SOURCE
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "child.h"
#include "observe.h"
#include "sysctl.h"

#define PAGES 64L
#define NOBODY 65534

static int make(key_t key, size_t size, int flags)
{
    int id = shmget(key, size, flags);
    if (id < 0)
        tap_bail("C7 shmget");
    return id;
}

static char *attach(int id, const void *at, int flags)
{
    char *addr = shmat(id, at, flags);
    if (addr == (void *)-1)
        tap_bail("C7 shmat");
    return addr;
}

static struct shmid_ds stat_of(int id)
{
    struct shmid_ds stat;
    memset(&stat, 0, sizeof(stat));
    if (shmctl(id, IPC_STAT, &stat))
        stat.shm_nattch = -errno;
    return stat;
}

static long attached(int id)
{
    return stat_of(id).shm_nattch;
}

static int drop(int id)
{
    return shmctl(id, IPC_RMID, NULL);
}

static void laziness(void)
{
    observe_settle();
    long promised = meminfo("Committed_AS:"), frames = frames_free();
    int id = make(IPC_PRIVATE, 1024 * PAGE, 0600);
    is(meminfo("Committed_AS:") - promised, 1024 * PAGE / 1024, "C7 shmget promises all of it");
    between(-slack_objects(), frames - frames_free(), slack_objects(), "C7 but takes no frame");
    char *addr = attach(id, NULL, 0);
    is(meminfo("Committed_AS:") - promised, 1024 * PAGE / 1024, "C7 shmat promises nothing more");
    frames = frames_free();
    long tables = frames_tables();
    region_write(addr, 100, 'x');
    between(100, frames - frames_free() - (frames_tables() - tables), 102 + slack_objects(),
            "C7 a page that is written takes a frame");
    is(rss_at(addr), 100, "C7 and is resident");
    shmdt(addr);
    addr = attach(id, NULL, 0);
    ok(addr[0] == 'x' && addr[99 * PAGE] == 'x' && !addr[100 * PAGE], "C7 contents stay while nobody has it attached");
    shmdt(addr);
    drop(id);
    is(meminfo("Committed_AS:"), promised, "C7 the promise ends with the segment");
    id = make(IPC_PRIVATE, 1024 * PAGE, 0600 | SHM_NORESERVE);
    is(meminfo("Committed_AS:"), promised, "C7 SHM_NORESERVE promises nothing");
    addr = attach(id, NULL, 0);
    region_write(addr, 10, 1);
    is(meminfo("Committed_AS:") - promised, 10 * PAGE / 1024, "C7 but what is touched counts");
    drop(id);
    shmdt(addr);
    is(meminfo("Committed_AS:"), promised, "C7 and goes with it");
}

static void child_writes(struct link *link, void *arg)
{
    char *shared = arg;
    shared[0] = 'c';
    say(link, shared[PAGE]);
    hear(link);
    shmdt(shared);
    say(link, 1);
    hear(link);
}

static void sharing(int id)
{
    char *shared = attach(id, NULL, 0);
    shared[PAGE] = 'p';
    struct link link = child_start(child_writes, shared);
    is(hear(&link), 'p', "C7 the child of fork reads what the parent wrote");
    is(shared[0], 'c', "C7 and the parent what the child wrote: nothing is copied");
    is(attached(id), 2, "C7 fork attaches once more");
    struct shmid_ds stat = stat_of(id);
    is(stat.shm_lpid, getpid(), "C7 for which the parent is the last to have done something");
    ok(stat.shm_atime && !stat.shm_dtime, "C7 attached has it been, detached not");
    say(&link, 1);
    hear(&link);
    is(attached(id), 1, "C7 shmdt in the child detaches once");
    is(stat_of(id).shm_lpid, link.pid, "C7 the last now is the child");
    ok(stat_of(id).shm_dtime, "C7 and it has been detached");
    is(child_end(&link), 0, "C7 the child ends well");

    link = child_start(child_writes, shared);
    hear(&link);
    is(attached(id), 2, "C7 another child");
    kill(link.pid, SIGKILL);
    child_end(&link);
    is(attached(id), 1, "C7 a child's end detaches");
    char *second = attach(id, NULL, 0);
    ok(second != shared && second[PAGE] == 'p', "C7 the same process may attach it twice");
    second[2 * PAGE] = 's';
    is(shared[2 * PAGE], 's', "C7 and sees it twice");
    is(attached(id), 2, "C7 that counts as two");
    is(shmdt(second), 0, "C7 shmdt of one");
    is(shared[2 * PAGE], 's', "C7 leaves the other");
    is(shmdt(shared), 0, "C7 shmdt of the other");
    is(attached(id), 0, "C7 none is left");
    fails(shmdt(shared), EINVAL, "C7 shmdt where nothing is attached");
}

static void execs(void *arg)
{
    attach(*(int *)arg, NULL, 0);
    execl("/proc/self/exe", "c7-segments", "nothing", NULL);
}

static void pieces(int id)
{
    char *shared = attach(id, NULL, 0);
    munmap(shared + 10 * PAGE, 2 * PAGE);
    is(attached(id), 2, "C7 a hole in it makes two of one");
    mprotect(shared + 20 * PAGE, PAGE, PROT_READ);
    is(attached(id), 4, "C7 other rights in the middle make three of one");
    mprotect(shared + 20 * PAGE, PAGE, PROT_READ | PROT_WRITE);
    is(attached(id), 4, "C7 which stay three when the rights are alike again");
    munmap(shared, PAGE);
    is(attached(id), 4, "C7 an end that goes leaves as many");
    is(shmdt(shared), 0, "C7 shmdt where it began");
    is(attached(id), 0, "C7 detaches all that is left");
    shared = attach(id, NULL, 0);
    char *moved = mremap(shared, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, shared - 128 * PAGE);
    ok(moved == shared - 128 * PAGE, "C7 mremap moves it");
    is(attached(id), 1, "C7 it is attached once as before");
    fails(shmdt(shared), EINVAL, "C7 shmdt at the old place");
    is(shmdt(moved), 0, "C7 shmdt at the new one");
    is(child_run(execs, &id), 0, "C7 a child attaches it and runs another program");
    is(attached(id), 0, "C7 exec detaches");
}

static void places(int id)
{
    char *room = mmap(NULL, 3 * PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at = room + PAGES * PAGE;
    fails((long)shmat(id, at, 0), EINVAL, "C7 shmat where something is");
    munmap(at, PAGES * PAGE);
    ok(shmat(id, at, 0) == at, "C7 shmat at an address that is free");
    fails((long)shmat(id, at, 0), EINVAL, "C7 but once");
    ok(shmat(id, at, SHM_REMAP) == at, "C7 SHM_REMAP takes the place over");
    is(attached(id), 1, "C7 from what was there");
    shmdt(at);
    fails((long)shmat(id, at + 1, 0), EINVAL, "C7 shmat at an odd address");
    ok(shmat(id, at + 100, SHM_RND) == at, "C7 SHM_RND rounds it down");
    shmdt(at);
    fails((long)shmat(id, NULL, SHM_REMAP), EINVAL, "C7 SHM_REMAP without an address");
    fails((long)shmat(id, (void *)100, SHM_REMAP | SHM_RND), EINVAL, "C7 SHM_REMAP rounded to none");
    fails((long)shmat(id, (void *)(0x7ffffffff000 - 2 * PAGE), 0), ENOMEM, "C7 nor beyond the end of user space");
    fails(shmdt(at + 1), EINVAL, "C7 shmdt of an odd address");
    munmap(room, 3 * PAGES * PAGE);
}

static char rights_shown(const char *addr, char *line, size_t size)
{
    snprintf(line, size, "%s", smaps_entry(getpid(), addr));
    char *end = strchr(line, '\n');
    if (end)
        *end = 0;
    return line[26];
}

static void rights(int id, key_t key)
{
    char line[256], want[64];
    char *shared = attach(id, NULL, SHM_RDONLY);
    rights_shown(shared, line, sizeof(line));
    ok(strstr(line, "r--s 00000000 "), "C7 SHM_RDONLY is read only: %s", line);
    snprintf(want, sizeof(want), "00:01 %d ", id);
    ok(strstr(line, want), "C7 maps: its number stands as the inode");
    snprintf(want, sizeof(want), " /SYSV%08x (deleted)", (unsigned)key);
    ok(strstr(line, want), "C7 and its key in the name");
    fails(mprotect(shared, PAGE, PROT_READ | PROT_WRITE), EACCES, "C7 and stays so");
    shmdt(shared);
    shared = attach(id, NULL, SHM_EXEC);
    rights_shown(shared, line, sizeof(line));
    ok(strstr(line, "rwxs 00000000 "), "C7 SHM_EXEC can be run");
    shmdt(shared);
    shared = attach(id, NULL, 0);
    is(madvise(shared, PAGE, MADV_REMOVE), 0, "C7 MADV_REMOVE of its first page");
    is(shared[0], 0, "C7 which is zero again");
    is(mprotect(shared, PAGE, PROT_READ | PROT_EXEC), 0, "C7 mprotect can make it run later");
    shmdt(shared);
}

static void sizes_and_keys(void)
{
    key_t key = 0x1a2b0001;
    fails(shmget(key, 100, 0600), ENOENT, "C7 no segment has this key");
    int id = make(key, 100, 0640 | IPC_CREAT);
    is(shmget(key, 0, 0), id, "C7 now one has");
    is(shmget(key, 100, IPC_CREAT | 0600), id, "C7 IPC_CREAT finds it");
    fails(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST, "C7 IPC_EXCL does not want to");
    fails(shmget(key, 101, 0600), EINVAL, "C7 it is not larger than it was made");
    fails(shmget(IPC_PRIVATE, 0, 0600), EINVAL, "C7 nor is one of nothing made");
    fails(shmget(IPC_PRIVATE, ~0ul, 0600), EINVAL, "C7 or of more than shmmax");
    fails(shmget(IPC_PRIVATE, 1ul << 62, 0600), ENOMEM, "C7 or of what is not there");
    fails(shmget(IPC_PRIVATE, 2 << 20, 0600 | SHM_HUGETLB), ENOMEM, "C7 or of huge pages, of which there are none");
    struct shmid_ds stat = stat_of(id);
    is(stat.shm_segsz, 100, "C7 its size is as asked for");
    is(stat.shm_perm.mode, 0640, "C7 so are its rights");
    is(stat.shm_cpid, getpid(), "C7 its maker");
    is(stat.shm_lpid, 0, "C7 who did nothing with it");
    is(stat.shm_perm.__key, key, "C7 its key");
    ok(stat.shm_ctime && !stat.shm_atime && !stat.shm_dtime, "C7 made, never attached");
    char *shared = attach(id, NULL, 0);
    shared[PAGE - 1] = 1;
    is(drop(id), 0, "C7 IPC_RMID while attached");
    stat = stat_of(id);
    is(stat.shm_perm.mode, 01640, "C7 it is marked");
    is(stat.shm_perm.__key, 0, "C7 and has no key any more");
    fails(shmget(key, 0, 0), ENOENT, "C7 so the key is free");
    char *again = attach(id, NULL, 0);
    is(again[PAGE - 1], 1, "C7 by its number it can be attached still");
    shmdt(again);
    shmdt(shared);
    fails(shmctl(id, IPC_STAT, &stat), EINVAL, "C7 the last shmdt ends it");
    fails((long)shmat(id, NULL, 0), EINVAL, "C7 then it cannot be attached");
    fails(drop(id), EINVAL, "C7 or removed");
    fails(drop(-1), EINVAL, "C7 no number is negative");
    fails(shmctl(id, 99, NULL), EINVAL, "C7 an unknown command");
}

static void other_generation(void)
{
    int first = make(IPC_PRIVATE, 1, 0600), other = first + (1 << 15);
    struct shmid_ds stat;
    fails(shmctl(other, IPC_STAT, &stat), EINVAL, "C7 the same place, of another time");
    fails((long)shmat(other, NULL, 0), EINVAL, "C7 cannot be attached");
    drop(first);
}

static void as_nobody(void *arg)
{
    const int *ids = arg;
    struct shmid_ds stat;
    setgid(NOBODY);
    setuid(NOBODY);
    bool good = (long)shmat(ids[0], NULL, 0) == -1 && errno == EACCES;
    good &= shmctl(ids[0], IPC_STAT, &stat) == -1 && errno == EACCES;
    good &= drop(ids[0]) == -1 && errno == EPERM;
    good &= shmctl(ids[0], SHM_LOCK, NULL) == -1 && errno == EPERM;
    if (!good)
        _exit(1);
    char *readable = shmat(ids[1], NULL, SHM_RDONLY);
    if (readable == (void *)-1 || ((long)shmat(ids[1], NULL, 0) != -1 || errno != EACCES))
        _exit(2);
    if ((long)shmat(ids[1], NULL, SHM_RDONLY | SHM_EXEC) != -1 || errno != EACCES)
        _exit(3);
    if (shmget(0x1a2b0002, 0, 0600) != -1 || errno != EACCES || shmget(0x1a2b0002, 0, 0400) != ids[1])
        _exit(4);
    if (stat_of(ids[2]).shm_perm.mode != 0660 || (long)shmat(ids[2], NULL, 0) == -1 || shmctl(ids[2], SHM_LOCK, NULL) != -1)
        _exit(5);
    if ((long)shmat(ids[2], (void *)100, SHM_RND) != -1 || errno != EPERM)
        _exit(10);
    int own = shmget(IPC_PRIVATE, PAGE, 0);
    if ((long)shmat(own, NULL, 0) != -1 || errno != EACCES)
        _exit(6);
    struct rlimit none = { 0, 0 };
    if (shmctl(own, SHM_LOCK, NULL) || !(shmctl(own, SHM_STAT_ANY, &stat) == own))
        _exit(7);
    setrlimit(RLIMIT_MEMLOCK, &none);
    if (shmctl(own, SHM_UNLOCK, NULL) || shmctl(own, SHM_LOCK, NULL) != -1 || errno != EPERM)
        _exit(8);
    if (drop(own))
        _exit(9);
}

static void ownership(void)
{
    int ids[3] = { make(IPC_PRIVATE, PAGE, 0600), make(0x1a2b0002, PAGE, 0604 | IPC_CREAT), make(IPC_PRIVATE, PAGE, 0600) };
    struct shmid_ds stat = stat_of(ids[2]);
    stat.shm_perm.gid = NOBODY;
    stat.shm_perm.mode = 07660;
    is(shmctl(ids[2], IPC_SET, &stat), 0, "C7 IPC_SET gives it to a group");
    stat = stat_of(ids[2]);
    ok(stat.shm_perm.gid == NOBODY && stat.shm_perm.cgid == 0 && stat.shm_perm.mode == 0660, "C7 and sets its rights");
    fails(shmctl(ids[2], IPC_SET, (void *)8), EFAULT, "C7 IPC_SET from nowhere");
    fails(shmctl(ids[2], IPC_STAT, (void *)8), EFAULT, "C7 IPC_STAT to nowhere");
    is(child_run(as_nobody, ids) >> 8, 0, "C7 another user may what the rights say");
    is(shmctl(ids[0], SHM_LOCK, NULL), 0, "C7 SHM_LOCK");
    is(stat_of(ids[0]).shm_perm.mode, 02600, "C7 is shown");
    is(shmctl(ids[0], SHM_UNLOCK, NULL), 0, "C7 SHM_UNLOCK");
    is(stat_of(ids[0]).shm_perm.mode, 0600, "C7 takes it back");
    for (int i = 0; i < 3; i++)
        drop(ids[i]);
}

// The line of /proc/sysvipc/shm that begins with this key and number.
static bool listed(int key, int id, char *line, size_t size)
{
    char start[40], *found = observe_file("/proc/sysvipc/shm");
    snprintf(start, sizeof(start), "\n%10d %10d ", key, id);
    found = strstr(found, start);
    snprintf(line, size, "%s", found ? found + 1 : "");
    if (strchr(line, '\n'))
        *strchr(line, '\n') = 0;
    return found;
}

static void tables(void)
{
    struct shm_info info, before;
    struct shminfo limits;
    struct shmid_ds stat;
    shmctl(0, SHM_INFO, (void *)&before);
    int id = make(0x1a2b0003, 3 * PAGE - 5, 0640 | IPC_CREAT);
    char *shared = attach(id, NULL, 0), line[256], want[256];
    shared[0] = shared[PAGE] = 1;
    long last = shmctl(0, SHM_INFO, (void *)&info);
    is(info.__used_ids - before.__used_ids, 1, "C7 SHM_INFO: one segment more");
    is(info.shm_tot - before.shm_tot, 3, "C7 three pages");
    is(info.shm_rss - before.shm_rss, 2, "C7 two of them there");
    int place = -1;
    for (int i = 0; i <= last; i++)
        if (shmctl(i, SHM_STAT, &stat) == id)
            place = i;
    ok(place >= 0, "C7 SHM_STAT finds it by its place");
    ok(shmctl(0, IPC_INFO, (void *)&limits) == last, "C7 IPC_INFO also says where the last is");
    ok(limits.shmmin == 1 && limits.shmmni == (unsigned long)file_get_number("/proc/sys/kernel/shmmni"),
       "C7 and the limits");
    ok(listed(0x1a2b0003, id, line, sizeof(line)), "C7 /proc/sysvipc/shm has its line");
    stat = stat_of(id);
    snprintf(want, sizeof(want),
             "%10d %10d   640 %21lu %5d %5d      1     0     0     0     0 %10ld          0 %10ld %21lu %21lu", 0x1a2b0003, id,
             3 * PAGE - 5, getpid(), getpid(), (long)stat.shm_atime, (long)stat.shm_ctime, 2 * PAGE, 0ul);
    ok(!strcmp(line, want), "C7 which says it all");
    ok(!strncmp(observe_file("/proc/sysvipc/shm"),
                "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      "
                "atime      dtime      ctime                   rss                  swap\n", 166),
       "C7 under its heading");
    shmdt(shared);
    drop(id);
    ok(!listed(0x1a2b0003, id, line, sizeof(line)), "C7 and is gone with it");
}

static void limits(void)
{
    char text[64];
    snprintf(text, sizeof(text), "%.20s", observe_file("/proc/sys/kernel/shmmax"));
    ok(!strcmp(text, "18446744073692774399"), "C7 shmmax binds nobody");
    file_put("/proc/sys/kernel/shmmax", "8192\n");
    fails(shmget(IPC_PRIVATE, 8193, 0600), EINVAL, "C7 until it is set");
    file_put("/proc/sys/kernel/shmmax", text);
    struct shm_info info;
    shmctl(0, SHM_INFO, (void *)&info);
    snprintf(text, sizeof(text), "%.20s", observe_file("/proc/sys/kernel/shmall"));
    file_put_number("/proc/sys/kernel/shmall", info.shm_tot + 4);
    fails(shmget(IPC_PRIVATE, 5 * PAGE, 0600), ENOSPC, "C7 shmall bounds the pages of all");
    int id = make(IPC_PRIVATE, 4 * PAGE, 0600);
    ok(id >= 0, "C7 and lets as many pass");
    file_put("/proc/sys/kernel/shmall", text);
    file_put_number("/proc/sys/kernel/shmmni", info.__used_ids + 1);
    fails(shmget(IPC_PRIVATE, PAGE, 0600), ENOSPC, "C7 shmmni bounds how many there are");
    is(file_put("/proc/sys/kernel/shmmni", "32769\n"), -1, "C7 32768 at most");
    file_put_number("/proc/sys/kernel/shmmni", 4096);
    drop(id);
}

static void makes_and_leaves(struct link *link, void *arg)
{
    (void)arg;
    int unattached = make(IPC_PRIVATE, PAGE, 0600), kept = make(IPC_PRIVATE, PAGE, 0600);
    say(link, unattached);
    say(link, kept);
    attach(kept, NULL, 0);
    hear(link);
}

static void forgotten(void)
{
    struct link link = child_start(makes_and_leaves, NULL);
    int first = hear(&link), second = hear(&link);
    say(&link, 1);
    child_end(&link);
    ok(attached(first) == 0 && attached(second) == 0, "C7 segments outlive their makers");
    file_put("/proc/sys/kernel/shm_rmid_forced", "1\n");
    ok(attached(first) == -EINVAL && attached(second) == -EINVAL, "C7 until shm_rmid_forced is set");
    int own = make(IPC_PRIVATE, PAGE, 0600);
    is(attached(own), 0, "C7 then whoever made one has it");
    link = child_start(makes_and_leaves, NULL);
    first = hear(&link), second = hear(&link);
    char *shared = attach(second, NULL, 0);
    say(&link, 1);
    child_end(&link);
    ok(attached(first) == -EINVAL && attached(second) == 1, "C7 as long as it lives, or somebody has it attached");
    shmdt(shared);
    is(attached(second), -EINVAL, "C7 and no longer");
    shmdt(attach(own, NULL, 0));
    is(attached(own), -EINVAL, "C7 be its maker alive or not");
    file_put("/proc/sys/kernel/shm_rmid_forced", "0\n");
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return 0;
    tap_begin();
    laziness();
    key_t key = 0x1a2b0000;
    int id = make(key, PAGES * PAGE, 0600 | IPC_CREAT);
    sharing(id);
    pieces(id);
    places(id);
    rights(id, key);
    drop(id);
    sizes_and_keys();
    other_generation();
    ownership();
    tables();
    limits();
    forgotten();
    return tap_end();
}
