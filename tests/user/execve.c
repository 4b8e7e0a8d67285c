// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// execve: what the new program gets (arguments, environment, auxiliary vector, signals, descriptors),
// what it must not get (memory, handlers), scripts, and refusals. The program runs itself anew.
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/mount.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"
#include "observe.h"

static const char *self;
extern char **environ;

static int answer(bool good)
{
    return good ? 0 : 1;
}

static int sees_arguments(int argc, char **argv)
{
    return answer(argc == 5 && strcmp(argv[2], "") == 0 && strcmp(argv[3], "two words") == 0 &&
                  strlen(argv[4]) == 3000 && argv[5] == NULL && getenv("COLOUR") &&
                  strcmp(getenv("COLOUR"), "blue") == 0 && environ[1] == NULL);
}

static int sees_auxv(char **argv)
{
    extern char __ehdr_start[];
    const Elf64_Ehdr *header = (void *)__ehdr_start;
    const unsigned char *random = (void *)getauxval(AT_RANDOM);
    bool bytes = false;
    for (int i = 0; random && i < 16; i++)
        bytes |= random[i] != 0;
    return answer(getauxval(AT_PAGESZ) == 4096) + 2 * answer(getauxval(AT_ENTRY) == header->e_entry) +
           4 * answer(getauxval(AT_PHDR) == (uintptr_t)header + header->e_phoff) +
           8 * answer(getauxval(AT_PHNUM) == header->e_phnum && getauxval(AT_PHENT) == sizeof(Elf64_Phdr)) +
           16 * answer(bytes) + 32 * answer(strcmp((char *)getauxval(AT_EXECFN), argv[0]) == 0) +
           64 * answer(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid()) +
           128 * answer(getauxval(AT_SECURE) == 0 && getauxval(AT_CLKTCK) == 100);
}

static int sees_signals(void)
{
    struct sigaction caught, ignored;
    sigset_t mask;
    stack_t stack;
    sigaction(SIGUSR1, NULL, &caught);
    sigaction(SIGUSR2, NULL, &ignored);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaltstack(NULL, &stack);
    return answer(caught.sa_handler == SIG_DFL) + 2 * answer(ignored.sa_handler == SIG_IGN) +
           4 * answer(sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGINT)) +
           8 * answer(stack.ss_flags & SS_DISABLE);
}

static int sees_descriptors(void)
{
    return answer(fcntl(60, F_GETFD) == 0) + 2 * answer(fcntl(61, F_GETFD) == -1);
}

// The stack holds 16-byte alignment and the ABI's clean flags at the start.
static int sees_fresh_memory(char **argv)
{
    static char zeroed[100 * 1024];
    static int set = 4711;
    long marker = strtol(argv[2], NULL, 16);
    return answer(set == 4711 && all_bytes(zeroed, sizeof(zeroed), 0)) +
           2 * answer(smaps(0, (void *)marker, "\nRss:") == -1);
}

static int sees_ids(void)
{
    unsigned real, effective, saved;
    syscall(SYS_getresuid, &real, &effective, &saved);
    return answer(real == 1000 && effective == 1001 && saved == 1001) + 2 * answer(syscall(SYS_setfsuid, -1) == 1001);
}

// In hexadecimal digits: who it is, what the auxiliary vector says, whether the rest of a set-user-ID program holds.
static int sees_owner(char **argv)
{
    unsigned user = atoi(argv[2]), group = atoi(argv[3]), real, effective, saved;
    bool borrowed = user != 1000 || group != 1000;
    int death = 0;
    syscall(SYS_getresuid, &real, &effective, &saved);
    bool users = real == 1000 && effective == user && saved == user;
    syscall(SYS_getresgid, &real, &effective, &saved);
    bool groups = real == 1000 && effective == group && saved == group;
    prctl(PR_GET_PDEATHSIG, &death);
    return answer(users) + 2 * answer(groups) +
           4 * answer(getauxval(AT_UID) == 1000 && getauxval(AT_GID) == 1000 && getauxval(AT_EUID) == user &&
                      getauxval(AT_EGID) == group) +
           8 * answer(getauxval(AT_SECURE) == borrowed) +
           16 * answer(prctl(PR_GET_DUMPABLE) == !borrowed) + 32 * answer(death == (borrowed ? 0 : SIGUSR1));
}

// The name by which it was started.
static int sees_name(char **argv)
{
    return answer(strcmp((char *)getauxval(AT_EXECFN), argv[2]) == 0);
}

static int role_play(int argc, char **argv)
{
    switch (argv[1][0]) {
    case 'a': return sees_arguments(argc, argv);
    case 'v': return sees_auxv(argv);
    case 's': return sees_signals();
    case 'd': return sees_descriptors();
    case 'm': return sees_fresh_memory(argv);
    case 'i': return sees_ids();
    case 'o': return sees_owner(argv);
    case 'n': return sees_name(argv);
    case 'p': return prctl(PR_GET_DUMPABLE);
    }
    return 250;
}

static void nothing(int signal)
{
    (void)signal;
}

static void becomes_arguments(void *arg)
{
    static char long_word[3001];
    memset(long_word, 'w', 3000);
    (void)arg;
    execve(self, (char *[]){(char *)self, "a", "", "two words", long_word, NULL},
           (char *[]){"COLOUR=blue", NULL});
}

static void becomes_auxv(void *arg)
{
    (void)arg;
    execl(self, self, "v", NULL);
}

static void becomes_signals(void *arg)
{
    (void)arg;
    static char room[16384];
    sigset_t mask;
    sigaltstack(&(stack_t){.ss_sp = room, .ss_size = sizeof(room)}, NULL);
    signal(SIGUSR1, nothing);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    execl(self, self, "s", NULL);
}

static void becomes_ids(void *arg)
{
    (void)arg;
    syscall(SYS_setresuid, 1000, 1001, 1002);
    execl(self, self, "i", NULL);
}

// A copy of this program with such a mode, run by user 1000 of group 1000: it becomes `user` and `group`.
struct lent {
    unsigned mode;
    const char *user, *group;
    bool gave_up;
};

static void becomes_lent(void *arg)
{
    const struct lent *lent = arg;
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (lent->gave_up)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, 1000, 1000, 1000) || syscall(SYS_setresuid, 1000, 1000, 1000))
        _exit(200);
    prctl(PR_SET_DUMPABLE, 1);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    execl("/tmp/lent", "/tmp/lent", "o", lent->user, lent->group, NULL);
    _exit(201);
}

static void copy_make(const char *path)
{
    static char buffer[65536];
    int from = open(self, O_RDONLY), to = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    for (ssize_t n; (n = read(from, buffer, sizeof(buffer))) > 0;)
        if (write(to, buffer, n) != n)
            tap_bail("cannot copy the program");
    close(from);
    close(to);
}

static void owner_check(void)
{
    const struct lent plain = {0755, "1000", "1000", false}, user = {04755, "7", "1000", false},
                      group = {02755, "1000", "8", false}, both = {06755, "7", "8", false},
                      lock = {02745, "1000", "1000", false}, gave_up = {06755, "1000", "1000", true};
    const struct lent *all[] = {&plain, &user, &group, &both, &lock, &gave_up};
    const char *names[] = {"without set-user-ID: the caller's", "set-user-ID: its owner's", "set-group-ID: its group's",
                           "with both", "set-group-ID without execution by the group: neither",
                           "after PR_SET_NO_NEW_PRIVS: the caller's"};
    copy_make("/tmp/lent");
    for (int i = 0; i < 6; i++) {
        if (chown("/tmp/lent", 7, 8) || chmod("/tmp/lent", all[i]->mode))
            tap_bail("chmod");
        is(WEXITSTATUS(child_run(becomes_lent, (void *)all[i])), 0, "ids of a program %s", names[i]);
    }
    unlink("/tmp/lent");
}

static void becomes_hidden(void *arg)
{
    (void)arg;
    if (syscall(SYS_setresgid, 1000, 1000, 1000) || syscall(SYS_setresuid, 1000, 1000, 1000))
        _exit(200);
    execl("/tmp/hidden", "/tmp/hidden", "p", NULL);
    _exit(201);
}

// Who may run a program but not read it shall not read it in memory either, nor in a core file.
static void hidden_check(void)
{
    copy_make("/tmp/hidden");
    is(WEXITSTATUS(child_run(becomes_hidden, NULL)), 1, "a program that can be read can be looked into");
    chmod("/tmp/hidden", 0711);
    is(WEXITSTATUS(child_run(becomes_hidden, NULL)), 0, "one that can only be run cannot");
    unlink("/tmp/hidden");
}

// The same where it must borrow nothing: on a file system mounted so, and with a directory that another shares.
static int becomes_lent_sharing(void *arg)
{
    becomes_lent(arg);
    return 203;
}

static void nosuid_check(void)
{
    static char stack[65536];
    const struct lent nobody = {06755, "1000", "1000", false};
    int status;
    mkdir("/tmp/nosuid", 0755);
    if (mount("x", "/tmp/nosuid", "tmpfs", MS_NOSUID, NULL))
        tap_bail("mount");
    copy_make("/tmp/nosuid/lent");
    chown("/tmp/nosuid/lent", 7, 8);
    chmod("/tmp/nosuid/lent", 06755);
    symlink("/tmp/nosuid/lent", "/tmp/lent");
    is(WEXITSTATUS(child_run(becomes_lent, (void *)&nobody)), 0, "on a file system mounted with MS_NOSUID: the caller's");
    unlink("/tmp/lent");
    umount("/tmp/nosuid");
    rmdir("/tmp/nosuid");

    copy_make("/tmp/lent");
    chown("/tmp/lent", 7, 8);
    chmod("/tmp/lent", 06755);
    pid_t pid = clone(becomes_lent_sharing, stack + sizeof(stack), CLONE_FS | SIGCHLD, (void *)&nobody);
    ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "a child that shares directory and umask ends");
    is(WEXITSTATUS(status), 8 + 32, "and has borrowed nothing, but is called secure");
    unlink("/tmp/lent");
}

static void becomes_descriptors(void *arg)
{
    (void)arg;
    dup2(1, 60);
    dup2(1, 61);
    fcntl(61, F_SETFD, FD_CLOEXEC);
    execl(self, self, "d", NULL);
}

static void becomes_fresh(void *arg)
{
    char text[20], *region = mmap((void *)0x200000000000, 50 * PAGE, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)arg;
    memset(region, 1, 50 * PAGE);
    snprintf(text, sizeof(text), "%lx", (long)region);
    execl(self, self, "m", text, NULL);
}

static void roles_check(void)
{
    is(WEXITSTATUS(child_run(becomes_arguments, NULL)), 0,
       "arguments (an empty one, a long one) and environment arrive");
    is(WEXITSTATUS(child_run(becomes_auxv, NULL)), 0, "the auxiliary vector is right");
    is(WEXITSTATUS(child_run(becomes_signals, NULL)), 0,
       "handlers and alternate stack go, ignored signals and the mask stay");
    is(WEXITSTATUS(child_run(becomes_descriptors, NULL)), 0,
       "descriptors stay, but those with close-on-exec");
    is(WEXITSTATUS(child_run(becomes_ids, NULL)), 0, "the saved user id is the effective one");
    is(WEXITSTATUS(child_run(becomes_fresh, NULL)), 0, "the old memory is gone, the new is fresh");
}

static void becomes_script(void *fd)
{
    dup2((long)fd, 1);
    execl("/tests/script.sh", "ignored", "one", "two words", NULL);
}

static void script_check(void)
{
    int ends[2];
    char got[100] = "";
    if (pipe(ends))
        tap_bail("pipe");
    is(WEXITSTATUS(child_run(becomes_script, (void *)(long)ends[1])), 4,
       "a #! script is run by its interpreter");
    close(ends[1]);
    ok(read(ends[0], got, 99) > 0, "it prints");
    is(strcmp(got, "script /tests/script.sh [one] [two words] 2\n"), 0, "its name and its arguments");
    close(ends[0]);
}

struct at {
    int fd;
    const char *path;
    int flags;
    const char *name;
};

static void becomes_at(void *arg)
{
    struct at *at = arg;
    char *argv[] = {(char *)self, "n", (char *)at->name, NULL};
    syscall(SYS_execveat, at->fd, at->path, argv, environ, at->flags);
    _exit(errno);
}

static int at(int fd, const char *path, int flags, const char *name)
{
    return WEXITSTATUS(child_run(becomes_at, &(struct at){fd, path, flags, name}));
}

static void execveat_check(void)
{
    char name[64], by_fd[32], in_tmp[32];
    copy_make("/tmp/at");
    chmod("/tmp/at", 0755);
    symlink("/tmp/at", "/tmp/link");
    int fd = open("/tmp/at", O_RDONLY), tmp = open("/tmp", O_RDONLY), path = open("/tmp/at", O_PATH | O_CLOEXEC);
    snprintf(by_fd, sizeof(by_fd), "/dev/fd/%d", fd);
    snprintf(in_tmp, sizeof(in_tmp), "/dev/fd/%d/at", tmp);
    is(at(AT_FDCWD, "/tmp/at", 0, "/tmp/at"), 0, "execveat by a path alone");
    is(at(tmp, "at", 0, in_tmp), 0, "from a directory");
    is(at(tmp, "/tmp/at", 0, "/tmp/at"), 0, "which does not count for an absolute path");
    is(at(-5, "/tmp/at", 0, "/tmp/at"), 0, "nor have to be there");
    is(at(fd, "", AT_EMPTY_PATH, by_fd), 0, "by a descriptor alone");
    snprintf(name, sizeof(name), "/dev/fd/%d", path);
    is(at(path, "", AT_EMPTY_PATH, name), 0, "of O_PATH, closed on exec");
    is(at(fd, "", 0, ""), ENOENT, "an empty path has to be meant");
    is(at(fd, "x", 0, ""), ENOTDIR, "a file is no directory");
    is(at(99, "x", 0, ""), EBADF, "a descriptor that is none");
    is(at(tmp, "", AT_EMPTY_PATH, ""), EACCES, "a directory is no program");
    is(at(tmp, "link", 0, ""), 1, "a link is followed (it has another name)");
    is(at(tmp, "link", AT_SYMLINK_NOFOLLOW, ""), ELOOP, "unless it shall not be");
    is(at(tmp, "at", 0x4000, ""), EINVAL, "an unknown flag");
    is(at(tmp, "none", 0, ""), ENOENT, "what is not there");
    int script = open("/tests/script.sh", O_RDONLY | O_CLOEXEC);
    is(at(script, "", AT_EMPTY_PATH, ""), ENOENT, "a script that its interpreter could not read any more");
    close(script), close(fd), close(tmp), close(path);
    unlink("/tmp/at");
    unlink("/tmp/link");
}

// A program that is nothing but headers and the path of a dynamic linker, of `size` bytes.
static void linked_make(const char *path, const char *linker, size_t size)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segments[2];
        char linker[64];
    } file = {
        .header = {.e_ident = ELFMAG "\2\1\1", .e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = 1,
                   .e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 2},
        .segments = {{.p_type = PT_INTERP, .p_offset = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr),
                      .p_filesz = size, .p_memsz = size},
                     {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 200, .p_memsz = 200, .p_align = 4096}},
    };
    strcpy(file.linker, linker);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    if (fd < 0 || write(fd, &file, sizeof(file)) != sizeof(file))
        tap_bail("cannot write the program");
    close(fd);
}

static void linker_refusals_check(void)
{
    static const struct {
        const char *linker;
        size_t size;
        int error;
        const char *what;
    } refusals[] = {
        {"/lib/absent.so", 15, ENOENT, "a dynamic linker that does not exist: ENOENT"},
        {"/tests.list", 12, EACCES, "one without the right to be run: EACCES"},
        {"/tests", 7, EACCES, "a directory: EACCES"},
        {"/tests/script.sh", 17, ELIBBAD, "one that is no program: ELIBBAD"},
        {"/tests/garbage", 15, EIO, "one shorter than an ELF header: EIO"},
        {"/tests/garbage", 14, ENOEXEC, "a path that does not end: ENOEXEC"},
        {"/tests/garbage", 1, ENOEXEC, "an empty path: ENOEXEC"},
    };
    const char *path = "/tmp/linked";
    char *argv[] = {"x", NULL}, *envp[] = {NULL};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        linked_make(path, refusals[i].linker, refusals[i].size);
        fails(execve(path, argv, envp), refusals[i].error, "%s", refusals[i].what);
    }
    unlink(path);
}

static void refusals_check(void)
{
    char *argv[] = {"x", NULL}, *envp[] = {NULL};
    fails(execve("/tests/nothing", argv, envp), ENOENT, "no such file: ENOENT");
    fails(execve("/tests", argv, envp), EACCES, "a directory: EACCES");
    fails(execve("/tests.list", argv, envp), EACCES, "a file without the right to be run: EACCES");
    fails(execve("/tests/garbage", argv, envp), ENOEXEC, "no program at all: ENOEXEC");
    fails(execve("/tests/short-elf", argv, envp), ENOEXEC, "an ELF header that breaks off: ENOEXEC");
    size_t size = 300 * 1024;
    char *huge = malloc(size);
    memset(huge, 'h', size - 1);
    huge[size - 1] = 0;
    fails(execve(self, (char *[]){"x", huge, NULL}, envp), E2BIG, "an argument of 300 kB: E2BIG");
    free(huge);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return role_play(argc, argv);
    self = argv[0];
    tap_begin();
    roles_check();
    owner_check();
    nosuid_check();
    hidden_check();
    script_check();
    execveat_check();
    refusals_check();
    linker_refusals_check();
    return tap_end();
}
