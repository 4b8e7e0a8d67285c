// SPDX-License-Identifier: MIT
// ram: 128M  time: 40
// subject: processes
//
// Threads by clone(2), CLONE_THREAD: numbers, family, /proc, and the ways in which a process of several threads ends.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "thread.h"

static struct thread one, two, three;
static volatile int go, seen[8];
static char self[64];

// ---- numbers ----

static int look_around(void *arg)
{
    (void)arg;
    seen[0] = (int)syscall(SYS_getpid);
    seen[1] = (int)syscall(SYS_gettid);
    seen[2] = (int)syscall(SYS_getppid);
    seen[3] = (int)syscall(SYS_getpgid, 0);
    seen[4] = (int)syscall(SYS_getsid, 0);
    return 0;
}

static void numbers_check(void)
{
    int tid = thread_start(&one, look_around, NULL);
    thread_await(&one);
    ok(tid > 0 && tid != getpid(), "a thread has a number of its own");
    is(one.tid, tid, "which CLONE_PARENT_SETTID tells the maker");
    is(one.alive, 0, "CLONE_CHILD_CLEARTID clears the word at its end, and wakes who waits");
    is(seen[0], getpid(), "getpid is the process's");
    is(seen[1], tid, "gettid its own");
    is(seen[2], getppid(), "getppid the process's");
    is(seen[3], getpgid(0), "so is its group");
    is(seen[4], getsid(0), "and its session");
    fails(syscall(SYS_tgkill, getpid(), tid, 0), ESRCH, "its number is nobody's once it has ended");
}

static void flags_check(void)
{
    fails(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL, "CLONE_THREAD wants CLONE_SIGHAND");
    fails(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0), EINVAL, "which wants CLONE_VM");
    fails(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_PIDFD, one.stack, &seen, 0, 0), EINVAL,
          "a thread has no pidfd");
}

// ---- while others run ----

static int wait_for_go(void *arg)
{
    (void)arg;
    await_change(&go, 0);
    return 0;
}

static int name_itself(void *arg)
{
    prctl(PR_SET_NAME, "second");
    return wait_for_go(arg);
}

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return count;
}

static void name_read(const char *directory, char name[32])
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%s/comm", directory);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, name, 31);
    name[n > 0 ? n - 1 : 0] = 0;
    close(fd);
}

static void proc_check(int tid)
{
    char task[48], direct[16], name[32], target[64] = "";
    snprintf(task, sizeof(task), "self/task/%d", tid);
    snprintf(direct, sizeof(direct), "%d", tid);
    is(count_entries("/proc/self/task"), 3, "/proc/self/task has each thread");
    is(status_number("self", "Threads:"), 3, "Threads: in status");
    is(status_number(task, "Tgid:"), getpid(), "Tgid: of a thread");
    is(status_number(task, "Pid:"), tid, "Pid: of it");
    is(status_number(direct, "Tgid:"), getpid(), "/proc/TID can be looked up");
    while (name_read(task, name), strcmp(name, "second"))
        sched_yield();
    ok(1, "a thread has its own name");
    name_read("self", name);
    ok(strcmp(name, "second"), "and the process keeps its");
    int found = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));)
        found |= !strcmp(entry->d_name, direct);
    closedir(proc);
    ok(!found, "/proc does not list it");
    ok(readlink("/proc/thread-self", target, sizeof(target) - 1) > 0 && strstr(target, "/task/"), "/proc/thread-self");
    snprintf(task, sizeof(task), "self/task/%d", getppid());
    is(status_number(task, "Pid:"), -1, "another process is no thread of ours");
}

static void calls_check(int tid)
{
    is(getpgid(tid), getpgid(0), "getpgid of a thread's number");
    is(getsid(tid), getsid(0), "getsid");
    fails(setpgid(tid, 0), EINVAL, "setpgid wants a process");
    fails(syscall(SYS_pidfd_open, tid, 0), EINVAL, "pidfd_open, too");
    fails(waitpid(tid, NULL, __WALL), ECHILD, "a thread is not waited for");
    fails(syscall(SYS_tgkill, getppid(), tid, 0), ESRCH, "tgkill with another process's number");
    is(syscall(SYS_tgkill, getpid(), tid, 0), 0, "tgkill with ours");
    is(kill(tid, 0), 0, "kill takes any thread's number");
    fails(syscall(SYS_unshare, CLONE_THREAD), EINVAL, "unshare cannot take threads apart");
    fails(syscall(SYS_unshare, CLONE_VM), EINVAL, "nor their memory");
    is(setpriority(PRIO_PROCESS, (id_t)tid, 5), 0, "setpriority of one thread");
    is(getpriority(PRIO_PROCESS, (id_t)tid), 5, "is that one's");
    is(getpriority(PRIO_PROCESS, 0), 0, "alone");
}

static void others_check(void)
{
    go = 0;
    thread_start(&one, wait_for_go, NULL);
    int tid = thread_start(&two, name_itself, NULL);
    proc_check(tid);
    calls_check(tid);
    set_and_wake(&go, 1);
    thread_await(&one);
    thread_await(&two);
    while (count_entries("/proc/self/task") != 1)
        sched_yield();
    is(status_number("self", "Threads:"), 1, "threads go without a trace");
}

// ---- children ----

static int fork_and_tell(void *arg)
{
    (void)arg;
    long pid = syscall(SYS_fork);
    if (pid == 0)
        syscall(SYS_exit_group, syscall(SYS_getpid) == syscall(SYS_gettid) ? 0 : 1);
    seen[0] = (int)pid;
    set_and_wake(&seen[1], 1);
    await_change(&go, 0);
    return 0;
}

static void fork_check(void)
{
    int status = -1;
    go = seen[1] = 0;
    thread_start(&one, fork_and_tell, NULL);
    await_change(&seen[1], 0);
    fails(waitpid(-1, &status, __WNOTHREAD), ECHILD, "__WNOTHREAD: another thread's child is not ours");
    is(waitpid(seen[0], &status, 0), seen[0], "without, any thread waits for it");
    is(status, 0, "fork by a thread makes a process with one");
    set_and_wake(&go, 1);
    thread_await(&one);
}

// ---- ends ----

static int exit_5(void *arg)
{
    (void)arg;
    await_change(&go, 0);
    syscall(SYS_exit, 5);
    return 0;
}

static int exit_group_6(void *arg)
{
    (void)arg;
    syscall(SYS_exit_group, 6);
    return 0;
}

static int group_by_thread(void)
{
    go = 0;
    thread_start(&one, wait_for_go, NULL);
    thread_start(&two, exit_group_6, NULL);
    for (;;)
        pause();
    return 0;
}

static int group_after_leader(void)
{
    thread_start(&one, exit_group_6, NULL);
    syscall(SYS_exit, 3);
    return 0;
}

static int last_is_thread(void *arg)
{
    (void)arg;
    while (state_of("self") != 'Z')
        sched_yield();
    syscall(SYS_exit, status_number("thread-self", "Threads:") == 2 ? 7 : 8);
    return 0;
}

static int fault_in_thread(void *arg)
{
    *(volatile int *)arg = 1;
    return 0;
}

static int fault(void)
{
    thread_start(&one, wait_for_go, NULL);
    thread_start(&two, fault_in_thread, (void *)8);
    for (;;)
        pause();
    return 0;
}

static volatile int children_ended;
static void note_child(int number)
{
    (void)number;
    children_ended++;
}

// A leader that has ended: a zombie that nobody can wait for yet.
static void leader_first_check(void)
{
    char name[16];
    int status = -1, ends[2];
    if (pipe(ends))
        tap_bail("pipe");
    children_ended = 0;
    signal(SIGCHLD, note_child);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        go = 0;
        thread_start(&one, exit_5, NULL);
        (void)!read(ends[0], &byte, 1);
        syscall(SYS_exit, 3);
    }
    snprintf(name, sizeof(name), "%d", pid);
    is(status_number(name, "Threads:") >= 1, 1, "a child with threads");
    (void)!write(ends[1], "x", 1);
    while (state_of(name) != 'Z')
        sched_yield();
    is(waitpid(pid, &status, WNOHANG), 0, "its leader has ended, it has not: there is nothing to wait for");
    is(children_ended, 0, "and no SIGCHLD");
    is(kill(pid, 0), 0, "it can be sent signals");
    kill(pid, SIGKILL);
    is(waitpid(pid, &status, 0), pid, "SIGKILL reaches the threads that are left");
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "and is the end of the whole");
    is(children_ended, 1, "SIGCHLD comes once");
    signal(SIGCHLD, SIG_DFL);
    close(ends[0]);
    close(ends[1]);
}

static int leader_and_thread(void)
{
    thread_start(&one, last_is_thread, NULL);
    syscall(SYS_exit, 3);
    return 0;
}

static void ends_check(void)
{
    leader_first_check();
    is(status_after(leader_and_thread), 7 << 8, "all threads exit, the leader first: the last one's status counts");
    is(status_after(group_by_thread), 6 << 8, "exit_group by a thread ends all, with its status");
    is(status_after(group_after_leader), 6 << 8, "also after the leader's end");
    is(status_after(fault), SIGSEGV, "a fault of one thread ends all");
}

// ---- exec ----

static int exec_itself(void *arg)
{
    char *const arguments[] = {self, arg, NULL};
    execve(self, arguments, NULL);
    syscall(SYS_exit_group, 98);
    return 0;
}

static int exec_by_thread(void)
{
    static char expected[16];
    snprintf(expected, sizeof(expected), "%d", getpid());
    go = 0;
    thread_start(&one, wait_for_go, NULL);
    thread_start(&three, wait_for_go, NULL);
    thread_start(&two, exec_itself, expected);
    for (;;)
        pause();
    return 0;
}

static int exec_by_leader(void)
{
    static char expected[16];
    snprintf(expected, sizeof(expected), "%d", getpid());
    go = 0;
    thread_start(&one, wait_for_go, NULL);
    thread_start(&two, wait_for_go, NULL);
    return exec_itself(expected);
}

static int exec_after_leader(void)
{
    static char expected[16];
    snprintf(expected, sizeof(expected), "%d", getpid());
    thread_start(&two, exec_itself, expected);
    syscall(SYS_exit, 3);
    return 0;
}

// Both at once: one of them wins, the other ends.
static int exec_twice(void)
{
    static char expected[16];
    snprintf(expected, sizeof(expected), "%d", getpid());
    thread_start(&one, exec_itself, expected);
    thread_start(&two, exec_itself, expected);
    for (;;)
        pause();
    return 0;
}

static int exec_fails(void *arg)
{
    char *const arguments[] = {self, NULL};
    seen[0] = (int)(syscall(SYS_execve, arg, arguments, NULL));
    return 0;
}

// The program that a thread became: who it is now.
static int after_exec(const char *expected)
{
    int pid = atoi(expected);
    if (getpid() != pid || syscall(SYS_gettid) != pid)
        return 1;
    if (count_entries("/proc/self/task") != 1 || status_number("self", "Threads:") != 1)
        return 2;
    char name[32];
    snprintf(name, sizeof(name), "%d", pid);
    if (status_number(name, "Pid:") != pid)
        return 3;
    // its number is free for nothing else, and it can have children and threads
    if (thread_start(&one, wait_for_go, NULL) <= 0)
        return 4;
    set_and_wake(&go, 1);
    thread_await(&one);
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(9);
    if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 9)
        return 5;
    return 42;
}

static void exec_check(void)
{
    is(status_after(exec_by_leader), 42 << 8, "exec by the leader: the threads are gone");
    is(status_after(exec_by_thread), 42 << 8, "exec by a thread: it has the process's number, the others are gone");
    is(status_after(exec_after_leader), 42 << 8, "exec by a thread whose leader has ended");
    is(status_after(exec_twice), 42 << 8, "exec by two threads at once");
    thread_start(&one, exec_fails, "/no/such");
    thread_await(&one);
    is(seen[0], -1, "exec that fails leaves all as it was");
    is(status_number("self", "Threads:") >= 1, 1, "and the process goes on");
}

// ---- a lock whose owner ends ----

static struct {
    struct robust_list_head head;
    struct robust_list entry;
    volatile int word;
} lock;

static int die_with_lock(void *arg)
{
    (void)arg;
    lock.head.list.next = &lock.entry;
    lock.entry.next = &lock.head.list;
    lock.head.futex_offset = (char *)&lock.word - (char *)&lock.entry;
    syscall(SYS_set_robust_list, &lock.head, sizeof(lock.head));
    lock.word = (int)syscall(SYS_gettid) | (int)FUTEX_WAITERS;
    return 0;
}

static void robust_check(void)
{
    thread_start(&one, die_with_lock, NULL);
    thread_await(&one);
    is((unsigned)lock.word, FUTEX_WAITERS | FUTEX_OWNER_DIED, "a thread's end marks its locks");
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return after_exec(argv[1]);
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length <= 0)
        return 1;
    tap_begin();
    numbers_check();
    flags_check();
    others_check();
    fork_check();
    ends_check();
    exec_check();
    robust_check();
    return tap_end();
}
