// SPDX-License-Identifier: MIT
//
// ram: 256M  time: 30
// subject: processes
//
// The core file of a process that a signal ends (core(5)): when there is one, and what it holds.
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "child.h"

#define ENOUGH (64l << 20)

static char marker[8192] = "written in the program's data";
static char *heap, *secret, *untouched, *sparse, *shared;

static void limit_to(long bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = (rlim_t)bytes;
    setrlimit(RLIMIT_CORE, &limit);
}

// Ends a child by the signal, after `before`; the wait status.
static int die_of(int number, void (*before)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (before)
            before();
        raise(number);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return status;
}

static bool dumped(int status) { return WIFSIGNALED(status) && WCOREDUMP(status); }
static bool there(void) { return access("core", F_OK) == 0; }

// ---- when

static const struct {
    int number;
    bool dumps;
} signals[] = {
    {SIGHUP, false}, {SIGINT, false}, {SIGQUIT, true}, {SIGILL, true}, {SIGTRAP, true}, {SIGABRT, true},
    {SIGBUS, true}, {SIGFPE, true}, {SIGKILL, false}, {SIGSEGV, true}, {SIGSYS, true}, {SIGPIPE, false},
    {SIGALRM, false}, {SIGTERM, false}, {SIGXCPU, true}, {SIGXFSZ, true}, {SIGUSR1, false},
};

static void signals_check(void)
{
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        int status = die_of(signals[i].number, NULL);
        ok(WTERMSIG(status) == signals[i].number && dumped(status) == signals[i].dumps && there() == signals[i].dumps,
           "signal %d leaves %s core", signals[i].number, signals[i].dumps ? "a" : "no");
        unlink("core");
    }
}

static void not_dumpable(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static void limit_none(void) { limit_to(0); }
static void limit_tiny(void) { limit_to(4095); }
static void limit_page(void) { limit_to(8192); }
static void in_proc(void) { chdir("/proc"); }

static void limits_check(void)
{
    struct stat about;
    ok(!dumped(die_of(SIGABRT, limit_none)) && !there(), "no core by a limit of 0");
    ok(!dumped(die_of(SIGABRT, limit_tiny)) && !there(), "nor by one below a page");
    ok(!dumped(die_of(SIGABRT, not_dumpable)) && !there(), "nor of a process that is not dumpable");
    ok(!dumped(die_of(SIGABRT, in_proc)), "nor where no file can be made");
    ok(dumped(die_of(SIGABRT, limit_page)), "by a small limit there is one");
    ok(stat("core", &about) == 0 && about.st_size > 0 && about.st_size <= 8192, "not larger than that");
    unlink("core");
    symlink("elsewhere", "core");
    ok(dumped(die_of(SIGABRT, NULL)) && lstat("core", &about) == 0 && S_ISREG(about.st_mode) && access("elsewhere", F_OK),
       "a symbolic link in its place is replaced, not followed");
    unlink("core");
    int fd = open("core", O_CREAT | O_RDWR, 0644);
    ok(dumped(die_of(SIGABRT, NULL)) && fstat(fd, &about) == 0 && about.st_size == 0 && there(), "so is a file");
    close(fd);
    unlink("core");
    mkdir("core", 0755);
    ok(!dumped(die_of(SIGABRT, NULL)), "where a directory has the name there is none");
    rmdir("core");
}

static void told_check(void)
{
    siginfo_t info = {0};
    pid_t pid = fork();
    if (pid == 0)
        raise(SIGFPE);
    is(waitid(P_PID, pid, &info, WEXITED), 0, "waitid");
    ok(info.si_code == CLD_DUMPED && info.si_status == SIGFPE, "tells that a core was dumped");
    unlink("core");
}

// ---- what

static const char *core;
static long core_size;

// The program header of the VMA that holds this address, or NULL.
static const Elf64_Phdr *header_of(const void *address)
{
    const Elf64_Ehdr *header = (const void *)core;
    const Elf64_Phdr *each = (const void *)(core + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++)
        if (each[i].p_type == PT_LOAD && (unsigned long)address - each[i].p_vaddr < each[i].p_memsz)
            return &each[i];
    return NULL;
}

static bool holds(const void *address, const void *bytes, size_t size)
{
    const Elf64_Phdr *vma = header_of(address);
    unsigned long offset = vma ? (unsigned long)address - vma->p_vaddr : 0;
    if (!vma || vma->p_filesz < offset + size || vma->p_offset + vma->p_filesz > (unsigned long)core_size)
        return false;
    return !memcmp(core + vma->p_offset + offset, bytes, size);
}

// The contents of a note, or NULL.
static const void *note_of(unsigned type, size_t size)
{
    const Elf64_Ehdr *header = (const void *)core;
    const Elf64_Phdr *notes = (const void *)(core + header->e_phoff);
    for (unsigned long at = 0; at < notes->p_filesz;) {
        const Elf64_Nhdr *note = (const void *)(core + notes->p_offset + at);
        unsigned long name = (note->n_namesz + 3) & ~3ul;
        if (note->n_type == type && note->n_descsz == size)
            return (const char *)(note + 1) + name;
        at += sizeof(*note) + name + ((note->n_descsz + 3) & ~3ul);
    }
    return NULL;
}

static void prepare(void)
{
    heap = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    secret = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    untouched = mmap(NULL, 8 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sparse = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    madvise(secret, 65536, MADV_DONTDUMP);
    strcpy(secret, "not for the core");
    strcpy(heap + 123456, "in the middle of anonymous memory");
    sparse[5 << 20] = 1;
    strcpy(shared + 4096, "in shared memory");
}

// The victim's own numbers, and where it stood, are told through shared memory.
struct victim {
    pid_t pid;
    volatile unsigned long rsp;
};

static void contents_check(void)
{
    struct victim *victim = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct stat about;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        victim->pid = getpid();
        __asm__ volatile("mov %%rsp, %0\n\tmov $0x1234567, %%r12\n\tmov %%r12, 8" : "=m"(victim->rsp) : : "r12", "memory");
    }
    waitpid(pid, &status, 0);
    ok(dumped(status) && WTERMSIG(status) == SIGSEGV, "a process touches page 0");
    int fd = open("core", O_RDONLY);
    ok(fstat(fd, &about) == 0 && (about.st_mode & 07777) == 0600 && about.st_size > 8l << 20, "its core is for its user alone");
    ok(about.st_blocks * 512 < 4l << 20, "pages that were never touched take no room in it");
    core_size = about.st_size;
    core = mmap(NULL, (size_t)core_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    const Elf64_Ehdr *header = (const void *)core;
    ok(!memcmp(core, ELFMAG, SELFMAG) && header->e_type == ET_CORE && header->e_machine == EM_X86_64, "it is an ELF core file");

    const struct elf_prstatus *state = note_of(NT_PRSTATUS, sizeof(*state));
    ok(state && state->pr_pid == pid && state->pr_ppid == getpid() && state->pr_cursig == SIGSEGV, "it tells pid, parent and signal");
    ok(state && state->pr_reg[3] == 0x1234567 && state->pr_reg[19] == victim->rsp, "it tells the registers");
    const struct elf_prpsinfo *process = note_of(NT_PRPSINFO, sizeof(*process));
    ok(process && !strncmp(process->pr_fname, "core-dump", 9), "it tells the program's name");
    ok(note_of(NT_PRFPREG, 512), "it has the state of the FPU");

    ok(holds(marker, marker, sizeof(marker)), "the program's data is in it");
    ok(holds(heap, heap, 1 << 20), "so is anonymous memory");
    ok(holds(shared, shared, 65536), "and shared memory");
    ok(holds(sparse, sparse, 8 << 20), "memory with one page touched, the others being zeroes");
    ok(header_of(untouched) && !header_of(untouched)->p_filesz, "memory never touched is only named");
    ok(header_of(&status) && header_of(&status)->p_filesz && header_of(&status)->p_flags == (PF_R | PF_W), "the stack is in it, with its rights");
    const Elf64_Phdr *code = header_of((const void *)0x400000);
    ok(code && code->p_filesz == 4096 && !memcmp(core + code->p_offset, ELFMAG, SELFMAG), "so are the program's headers");
    ok(header_of(secret) && !header_of(secret)->p_filesz, "what shall not be dumped is only named");
    unlink("core");
}

int main(void)
{
    tap_begin();
    mkdir("/tmp/cores", 0777);
    if (chdir("/tmp/cores"))
        tap_bail("a directory");
    is(die_of(SIGABRT, NULL), SIGABRT, "by default no core is written");
    limit_to(ENOUGH);
    prepare();
    signals_check();
    limits_check();
    told_check();
    contents_check();
    chdir("/");
    rmdir("/tmp/cores");
    return tap_end();
}
