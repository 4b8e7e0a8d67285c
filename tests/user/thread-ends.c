// SPDX-License-Identifier: MIT
// ram: 128M  time: 60
// subject: signals
//
// What threads do to each other at the edges: a signal that another one takes, a fault while another one ends the
// process, execve(2) and what the process keeps, limits, addresses that lead nowhere.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "thread.h"

static char self[256];
static struct thread one, others[8];
static volatile int word;

// ---- a signal for the process, which the leader takes while a thread goes on ----

static int ends[2], result, result_errno;

static void note(int number) { (void)number; }

static void write_byte(int number)
{
    (void)number;
    if (write(ends[1], "x", 1) != 1)
        _exit(1);
}

static int slept, slept_errno, waited, waited_errno;

static void *signal_and_sleep(void *arg)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    (void)arg;
    for (int i = 0; i < 20 && !slept; i++) {
        kill(getpid(), SIGUSR2);
        slept = nanosleep(&moment, NULL);
        slept_errno = errno;
    }
    for (int i = 0; i < 20 && !waited; i++) {
        kill(getpid(), SIGUSR2);
        waited = (int)syscall(SYS_futex, &word, FUTEX_WAIT, word, &moment, 0, 0) == -1 && errno != ETIMEDOUT;
        waited_errno = errno;
    }
    return NULL;
}

static void *signal_and_read(void *arg)
{
    char byte;
    (void)arg;
    kill(getpid(), SIGUSR1);
    result = (int)read(ends[0], &byte, 1);
    result_errno = errno;
    return NULL;
}

static void others_signal_check(void)
{
    pthread_t thread;
    struct sigaction action = {.sa_handler = write_byte, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    if (pipe(ends) || pthread_create(&thread, NULL, signal_and_read, NULL))
        tap_bail("pipe");
    pthread_join(thread, NULL);
    is(result, 1, "a signal that the leader takes does not disturb a thread's call");
    is(result == 1 ? 0 : result_errno, 0, "nor is anything in errno");
    action.sa_handler = note;
    sigaction(SIGUSR2, &action, NULL);
    pthread_create(&thread, NULL, signal_and_sleep, NULL);
    pthread_join(thread, NULL);
    // POSIX lets the thread take it, which Linux does not choose here; nothing but EINTR may come of it.
    ok(!slept || slept_errno == EINTR, "a sleep goes on, or ends with EINTR");
    ok(!waited || waited_errno == EINTR, "so does a wait for a word");
    close(ends[0]);
    close(ends[1]);
}

// ---- a fault while another thread is about to end the process ----

static int fault_with_much(void *arg)
{
    (void)arg;
    volatile uintptr_t nowhere = 8;
    *(volatile char *)nowhere = 1;
    return 0;
}

static int end_when_dumped(void)
{
    size_t size = 24 << 20;
    char *much = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    if (much == MAP_FAILED || setrlimit(RLIMIT_CORE, &all))
        return 1;
    memset(much, 1, size);
    thread_start(&one, fault_with_much, NULL);
    while (access("core", F_OK))
        sched_yield();
    return 7;
}

static void core_check(void)
{
    if (mkdir("/tmp/thread-ends", 0700) && errno != EEXIST)
        mkdir("/tmp", 0755), mkdir("/tmp/thread-ends", 0700);
    if (chdir("/tmp/thread-ends"))
        tap_bail("chdir");
    unlink("core");
    int status = status_after(end_when_dumped);
    is(status & 0x7f, SIGSEGV, "a thread's fault ends the process, whatever the others do while it is dumped");
    ok(WCOREDUMP(status), "with a core");
    unlink("core");
    if (chdir("/"))
        tap_bail("chdir");
}

// ---- execve(2) by a process with threads keeps its record locks ----

static int wait_for_go(void *arg)
{
    (void)arg;
    await_change(&word, 0);
    return 0;
}

static int exec_itself(void *arg)
{
    execl(self, self, (const char *)arg, NULL);
    return 9;
}

static int lock_and_exec(void)
{
    struct flock lock = {.l_type = F_WRLCK};
    int fd = open("/tmp/thread-ends.lock", O_RDWR | O_CREAT, 0600);
    word = 0;
    if (fd < 0 || dup2(fd, 40) != 40 || fcntl(fd, F_SETLK, &lock))
        return 1;
    thread_start(&one, wait_for_go, NULL);
    return exec_itself("locked");
}

static int lock_and_exec_by_thread(void)
{
    struct flock lock = {.l_type = F_WRLCK};
    int fd = open("/tmp/thread-ends.lock", O_RDWR | O_CREAT, 0600);
    word = 0;
    if (fd < 0 || dup2(fd, 40) != 40 || fcntl(fd, F_SETLK, &lock))
        return 1;
    thread_start(&one, exec_itself, "locked");
    for (;;)
        pause();
}

// In the new program: does another process still find the lock?
static int is_locked(void)
{
    int status = 0, me = getpid();
    if (fork() == 0) {
        struct flock lock = {.l_type = F_WRLCK};
        _exit(fcntl(40, F_GETLK, &lock) || lock.l_type != F_WRLCK || lock.l_pid != me);
    }
    wait(&status);
    return status ? 3 : 5;
}

static void lock_check(void)
{
    is(status_after(lock_and_exec), 5 << 8, "the leader of several keeps its record locks over execve");
    is(status_after(lock_and_exec_by_thread), 5 << 8, "and a thread the process's");
    unlink("/tmp/thread-ends.lock");
}

// ---- RLIMIT_NPROC counts threads ----

#define USER 4711
static int count_threads(void)
{
    struct rlimit four = {4, 4};
    word = 0;
    if (setresuid(USER, USER, USER) || setrlimit(RLIMIT_NPROC, &four))
        return 100;
    int count = 0;
    while (count < 8 && thread_start(&others[count], wait_for_go, NULL) > 0)
        count++;
    if (errno != EAGAIN)
        return 101;
    set_and_wake(&word, 1);
    for (int i = 0; i < count; i++)
        thread_await(&others[i]);
    word = 0;
    return thread_start(&one, wait_for_go, NULL) > 0 ? count : 102;
}

static void limit_check(void)
{
    is(status_after(count_threads), 3 << 8, "RLIMIT_NPROC counts threads, and those that have ended no more");
}

// ---- addresses that lead nowhere ----

static int forget_and_end(void *arg)
{
    syscall(SYS_set_robust_list, arg, 24l);
    syscall(SYS_set_tid_address, arg);
    set_and_wake(&word, 1);
    return 0;
}

static int end_with_bad_addresses(void)
{
    static const uintptr_t bad[] = {8, 0x7ffffffff000, 0xffff800000000000, 0xfffffffffffffff8, 0x8000000000000000, 3};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        word = 0;
        if (thread_start(&one, forget_and_end, (void *)bad[i]) < 0)
            return 1;
        await_change(&word, 0);
        char path[48];
        snprintf(path, sizeof(path), "/proc/self/task/%d", one.tid);
        while (!access(path, F_OK))
            sched_yield();
    }
    return 4;
}

// ---- the others end while a thread waits for its vfork child ----

static int wait_in_child(void *arg)
{
    (void)arg;
    char byte;
    int pid = vfork();
    if (pid == 0) {
        set_and_wake(&word, 1);
        close(ends[1]);
        _exit((int)read(ends[0], &byte, 1));
    }
    return 0;
}

static int end_in_vfork(void)
{
    word = 0;
    thread_start(&one, wait_in_child, NULL);
    await_change(&word, 0);
    return 6;
}

static int exec_in_vfork(void)
{
    word = 0;
    thread_start(&one, wait_in_child, NULL);
    await_change(&word, 0);
    return exec_itself("alone");
}

static void vfork_check(void)
{
    if (pipe(ends))
        tap_bail("pipe");
    is(status_after(end_in_vfork), 6 << 8, "exit_group does not wait for a thread's vfork child");
    is(status_after(exec_in_vfork), 8 << 8, "nor does execve");
    close(ends[0]);
    close(ends[1]);
}

// ---- stops of a process whose leader has ended ----

static int stay(void *arg)
{
    (void)arg;
    for (;;)
        sleep_milliseconds(1000);
    return 0;
}

static void leaderless_stop_check(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        thread_start(&one, stay, NULL);
        syscall(SYS_exit, 0);
    }
    char path[32];
    snprintf(path, sizeof(path), "%d", pid);
    while (state_of(path) != 'Z')
        sched_yield();
    kill(pid, SIGSTOP);
    is(waitpid(pid, &status, WUNTRACED), pid, "a process whose leader has ended stops");
    ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "by the signal");
    kill(pid, SIGCONT);
    is(waitpid(pid, &status, WCONTINUED), pid, "and goes on");
    ok(WIFCONTINUED(status), "as is told");
    is(kill(pid, SIGKILL), 0, "SIGKILL");
    is(waitpid(pid, &status, 0), pid, "ends it");
    is(status, SIGKILL, "by that signal");
}

static int after_exec(const char *what)
{
    if (!strcmp(what, "locked"))
        return is_locked();
    return status_number("self", "Threads:") == 1 ? 8 : 2;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return after_exec(argv[1]);
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length <= 0)
        return 1;
    tap_begin();
    others_signal_check();
    core_check();
    lock_check();
    limit_check();
    is(status_after(end_with_bad_addresses), 4 << 8, "a thread with bad addresses for its end just ends");
    vfork_check();
    leaderless_stop_check();
    return tap_end();
}
