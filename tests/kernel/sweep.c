// SPDX-License-Identifier: MIT
/*
 * sweep.c: every allocation fails once, in real system calls of a real process.
 *
 * The boot thread becomes a process with memory and forks a child that works off a list of system calls. In
 * the first attempt the first allocation of its life fails, in the next one the second, and so on until it
 * comes to its end untouched. However an attempt ends: each call has returned a result or an errno that says
 * why, or the child has been killed; and then the frames, the ledger and the tables are as before.
 *
 * The list lies in shared memory: {number, six arguments, result}, one after the other.
 */
#include <asm/unistd.h>
#include <elf.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "kernel/exec.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/inode.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/selftest.h"
#include "kernel/syscalls.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/oom.h"
#include "mm/slab.h"
#include "tests/kernel/space.h"

/* What the child runs: it may lie anywhere. rbx: the next entry of the list. */
extern const uint8_t sweep_code[], sweep_handler[], sweep_restorer[], sweep_exit[], sweep_code_end[];
__asm__(".pushsection .rodata\n"
        "sweep_code:     mov (%rbx), %rax\n"
        "                mov 8(%rbx), %rdi\n"
        "                cmp $-1, %rax\n"
        "                je sweep_exit\n"
        "                cmp $-2, %rax\n"
        "                jne 1f\n"
        "                movb $1, (%rdi)\n"
        "                xor %eax, %eax\n"
        "                jmp 2f\n"
        "1:              mov 16(%rbx), %rsi\n"
        "                mov 24(%rbx), %rdx\n"
        "                mov 32(%rbx), %r10\n"
        "                mov 40(%rbx), %r8\n"
        "                mov 48(%rbx), %r9\n"
        "                syscall\n"
        "2:              mov %rax, 56(%rbx)\n"
        "                add $64, %rbx\n"
        "                jmp sweep_code\n"
        "sweep_handler:  ret\n"
        "sweep_restorer: mov $15, %eax\n" /* rt_sigreturn */
        "                syscall\n"
        "sweep_exit:     xor %edi, %edi\n"
        "                mov $231, %eax\n" /* exit_group */
        "                syscall\n"
        "sweep_code_end:\n"
        ".popsection\n");

#define CALL_END (-1l)
#define CALL_TOUCH (-2l) /* write a byte at the first argument */
#define PENDING (1l << 62)

/* mm_check() looks at every frame: not after each attempt on machines larger than this. */
#define CHECK_EACH_FRAMES (256ul << 20 >> PAGE_SHIFT)

/* Where things are in the process. */
#define CODE 0x400000ul
#define LIST 0x500000ul   /* shared */
#define DATA 0x600000ul   /* struct data */
#define BUFFER 0x700000ul /* never touched by the parent: 16 pages */
#define STACK 0x800000ul  /* 4 pages */
#define HEAP 0x10000000ul
#define ROOM 0x20000000ul /* nothing there */

struct call {
    int64_t number;
    uint64_t arg[6];
    int64_t result;
};

/* As the kernel takes it from user mode: not the C library's. */
struct action {
    uint64_t handler, flags, restorer, mask;
};

struct program {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    uint8_t code[64];
};

struct data {
    char maps[32], smaps[32], file[32], program_path[32], room[32], in_room[32], type[8];
    struct action action;
    uint64_t argv[2], envp[1];
    int32_t pipe[2];
    struct program program;
};
#define IN_DATA(member) (DATA + __builtin_offsetof(struct data, member))

static const struct data data_template = {
    .maps = "/proc/self/maps",
    .smaps = "/proc/self/smaps",
    .file = "/sweep.file",
    .program_path = "/sweep.program",
    .room = "/sweep.room",
    .in_room = "/sweep.room/file",
    .type = "tmpfs",
    .argv = { IN_DATA(program_path) },
    .program = {
        .header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                    .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
                    .e_entry = CODE + __builtin_offsetof(struct program, code),
                    .e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
                    .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1 },
        .segment = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = CODE, .p_align = PAGE_SIZE,
                     .p_filesz = sizeof(struct program), .p_memsz = sizeof(struct program) },
    },
};

/* ---- the process ---- */

static bool image_write(struct aspace *space)
{
    static struct data data;

    data = data_template;
    data.action = (struct action){ CODE + (uint64_t)(sweep_handler - sweep_code), SA_RESTORER | SA_SIGINFO,
                                   CODE + (uint64_t)(sweep_restorer - sweep_code), 0 };
    memcpy(data.program.code, sweep_exit, (size_t)(sweep_code_end - sweep_exit));
    return EXPECT_EQUAL(aspace_write(space, DATA, &data, sizeof(data)), 0) &&
           EXPECT_EQUAL(aspace_write(space, CODE, sweep_code, (size_t)(sweep_code_end - sweep_code)), 0) &&
           EXPECT_EQUAL(aspace_protect(space, CODE, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
}

/* The boot thread gets memory, and registers for its children to start with. */
static bool process_begin(void)
{
    struct aspace *space = space_enter();

    if (!EXPECT(space))
        return false;
    current()->aspace = space;
    if (!EXPECT(!executable_get(fs_root)))
        return false;
    current()->exe = fs_root;
    *current()->user = (struct trapframe){ .rip = CODE, .cs = USER_CS, .rflags = 0x202, .rbx = LIST,
                                           .rsp = STACK + 4 * PAGE_SIZE, .ss = USER_SS };
    aspace_set_brk(space, HEAP);
    return space_map_at(space, CODE, 1, READ_WRITE, MAP_PRIVATE) &&
           space_map_at(space, LIST, 1, READ_WRITE, MAP_SHARED) &&
           space_map_at(space, DATA, 1, READ_WRITE, MAP_PRIVATE) &&
           space_map_at(space, BUFFER, 16, READ_WRITE, MAP_PRIVATE) &&
           space_map_at(space, STACK, 4, READ_WRITE, MAP_PRIVATE) && image_write(space);
}

static void process_end(void)
{
    struct aspace *space = current()->aspace;

    current()->aspace = NULL;
    executable_put(current()->exe);
    current()->exe = NULL;
    if (space)
        space_leave(space);
}

/* ---- one attempt ---- */

/*
 * The list into shared memory. Before the fork, so that the tables are shared when the child comes to life,
 * and what it changes it has to copy.
 */
static void list_write(const struct call *list)
{
    vaddr_t at = LIST;

    for (bool more = true; more; at += sizeof(*list), list++) {
        struct call call = *list;
        more = call.number != CALL_END;
        call.result = PENDING;
        EXPECT_EQUAL(aspace_write(current()->aspace, at, &call, sizeof(call)), 0);
    }
}

/* Children that it leaves behind are ours. */
static void orphans_reap(void)
{
    struct syscall_args wait = { .arg = { (uint64_t)-1 } };

    while (sys_wait4(&wait) > 0)
        continue;
}

/* Wait for the child while its allocations fail, then for its status. */
static int child_status(int pid)
{
    struct syscall_args look = { .arg = { P_PID, (uint64_t)pid, 0, WEXITED | WNOWAIT } };
    struct syscall_args wait = { .arg = { (uint64_t)pid, LIST + PAGE_SIZE - 8 } };
    int status = -1;

    EXPECT_EQUAL(sys_waitid(&look), 0);
    frame_fail_nth(0);
    EXPECT_EQUAL(sys_wait4(&wait), pid);
    EXPECT_EQUAL(aspace_read(current()->aspace, LIST + PAGE_SIZE - 8, &status, sizeof(status)), 0);
    orphans_reap();
    return status;
}

/* What a call may say when memory is out. */
static bool is_honest(int64_t result)
{
    return result >= 0 || result == -ENOMEM || result == -EAGAIN || result == -ENOSPC || result == -EFAULT ||
           result == -EINTR || result == -ENFILE;
}

/*
 * Did all calls succeed? An errno that is no excuse fails the test; after an excuse, what follows may be
 * nonsense.
 */
static bool list_check(const struct call *list)
{
    vaddr_t at = LIST;

    for (; list->number != CALL_END; list++, at += sizeof(*list)) {
        struct call call;
        EXPECT_EQUAL(aspace_read(current()->aspace, at, &call, sizeof(call)), 0);
        if (call.result == PENDING && list->number != __NR_execve)
            return false;
        if (!EXPECT(is_honest(call.result)))
            ktest_note("call %ld: %ld", call.number, call.result);
        if (call.result < 0)
            return false;
    }
    return true;
}

struct outcome {
    bool untouched; /* no allocation failed */
    bool whole;     /* everything went through */
};

static struct outcome attempt(const struct call *list, uint64_t n)
{
    struct outcome outcome;
    struct syscall_args none = { 0 };

    list_write(list);
    int pid = (int)sys_fork(&none);
    if (!EXPECT(pid > 0))
        return (struct outcome){ true, false };
    frame_fail_nth(n); /* the child runs when we wait, not before */
    uint64_t failed_before = frame_failures();
    int status = child_status(pid);
    outcome.untouched = frame_failures() == failed_before;
    outcome.whole = list_check(list) && status == 0;
    EXPECT(status == 0 || status == SIGKILL || status == SIGSEGV || status == SIGBUS);
    return outcome;
}

/* What an attempt may have left behind goes; what is not there cannot, which is right as well. */
static void tidy(const struct call *list)
{
    struct syscall_args none = { 0 };

    if (!list)
        return;
    list_write(list);
    int pid = (int)sys_fork(&none);
    EXPECT(pid > 0 && child_status(pid) == 0);
}

/* ---- the sweep ---- */

struct balance {
    uint64_t free_frames, committed, objects;
};

static struct balance balance_take(void)
{
    return (struct balance){ frame_free_count(), commit_total(), READ_ONCE(slab_objects) };
}

static void balance_check(const struct balance *before, uint64_t n)
{
    struct balance now = balance_take();

    aspace_check(current()->aspace);
    if (frame_count <= CHECK_EACH_FRAMES)
        EXPECT_EQUAL(mm_check(), 0);
    if (!EXPECT_EQUAL(now.free_frames, before->free_frames) ||
        !EXPECT_EQUAL(now.committed, before->committed) || !EXPECT_EQUAL(now.objects, before->objects))
        ktest_note("after the failure of allocation %lu", n);
}

/* `after`: what puts things right that a child may leave behind, NULL: nothing does. */
static void sweep(const char *name, const struct call *list, const struct call *after)
{
    const uint64_t most = 400;
    uint64_t n = 1;

    /* Once without, so that what stays for ever (slabs, tables of the parent's own) is there. */
    if (!EXPECT(attempt(list, 0).whole))
        return ktest_note("%s does not work at all", name);
    tidy(after);
    struct balance before = balance_take();
    for (; n < most; n++) {
        struct outcome outcome = attempt(list, n);
        tidy(after);
        balance_check(&before, n);
        if (outcome.untouched) {
            EXPECT(outcome.whole);
            break;
        }
    }
    EXPECT((n > 1 || !lazy.cow || !lazy.sharedtables) && n < most); /* or all has been paid for at fork */
    ktest_note("%s: %lu allocations", name, n - 1);
}

static bool sweep_begin(void)
{
    oom_policy.oom_dump_tasks = 0;
    log_set_console_level(LOG_EMERG); /* each kill is an error that the log would tell */
    return process_begin();
}

static void sweep_end(void)
{
    process_end();
    log_set_console_level(LOG_ERR);
    oom_policy.oom_dump_tasks = 1;
}

#define SWEEP(name, after, ...)                                                                        \
    KTEST(sweep, name)                                                                                 \
    {                                                                                                  \
        static const struct call list[] = { __VA_ARGS__, { .number = CALL_END } };                     \
        if (sweep_begin()) {                                                                           \
            sweep(#name, list, after);                                                                 \
            sweep_end();                                                                             \
        }                                                                                              \
    }

#define DO(call, ...) { .number = __NR_##call, .arg = { __VA_ARGS__ } }
#define TOUCH(addr) { .number = CALL_TOUCH, .arg = { addr } }
#define NEW_PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

SWEEP(mmap, NULL, DO(mmap, ROOM, 64 * PAGE_SIZE, READ_WRITE, NEW_PRIVATE, 0, 0), TOUCH(ROOM),
      DO(mmap, ROOM + 4 * PAGE_SIZE, PAGE_SIZE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, 0, 0),
      TOUCH(ROOM + 4 * PAGE_SIZE), DO(munmap, ROOM, 2 * PAGE_SIZE))
SWEEP(brk, NULL, DO(brk, HEAP + 100 * PAGE_SIZE), DO(brk, HEAP + PAGE_SIZE))
SWEEP(mprotect, NULL, DO(mprotect, BUFFER + PAGE_SIZE, PAGE_SIZE, PROT_READ),
      DO(mprotect, BUFFER, 16 * PAGE_SIZE, 0), DO(mprotect, BUFFER, 16 * PAGE_SIZE, READ_WRITE))
SWEEP(mremap, NULL, DO(mremap, BUFFER, 16 * PAGE_SIZE, 32 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, ROOM),
      DO(madvise, ROOM, 8 * PAGE_SIZE, MADV_POPULATE_WRITE), DO(madvise, ROOM, 4 * PAGE_SIZE, MADV_DONTNEED))
SWEEP(fault, NULL, TOUCH(DATA + PAGE_SIZE - 1), TOUCH(BUFFER), TOUCH(BUFFER + 7 * PAGE_SIZE), TOUCH(STACK))
SWEEP(signal, NULL, DO(rt_sigaction, SIGUSR1, IN_DATA(action), 0, 8),
      DO(kill, 0, SIGUSR1), DO(kill, 0, SIGUSR1)) /* to the group: init takes no notice */
/* Reading does not wait: what could not be written would be waited for for ever. */
SWEEP(pipe, NULL, DO(pipe2, IN_DATA(pipe), 0), DO(write, 4, BUFFER, 2 * PAGE_SIZE - 100),
      DO(fcntl, 3, F_SETFL, O_NONBLOCK), DO(read, 3, DATA, 3000),
      DO(close, 3), DO(close, 4))
SWEEP(proc_maps, NULL, DO(open, IN_DATA(maps), O_RDONLY), DO(read, 3, BUFFER, 2 * PAGE_SIZE))
SWEEP(proc_smaps, NULL, DO(open, IN_DATA(smaps), O_RDONLY), DO(read, 3, BUFFER, 2 * PAGE_SIZE))

static const struct call unlink_file[] = { DO(unlink, IN_DATA(file)), { .number = CALL_END } };
SWEEP(file, unlink_file, DO(open, IN_DATA(file), O_RDWR | O_CREAT, 0600), DO(write, 3, DATA, PAGE_SIZE),
      DO(mmap, ROOM, PAGE_SIZE, READ_WRITE, MAP_SHARED | MAP_FIXED, 3, 0), TOUCH(ROOM + 8))

static const struct call room_clear[] = { DO(umount2, IN_DATA(room), 0), DO(unlink, IN_DATA(in_room)),
                                          DO(rmdir, IN_DATA(room)), { .number = CALL_END } };
SWEEP(mount, room_clear, DO(mkdir, IN_DATA(room), 0700), DO(mount, IN_DATA(type), IN_DATA(room), IN_DATA(type), 0, 0),
      DO(open, IN_DATA(in_room), O_RDWR | O_CREAT, 0600), DO(write, 3, DATA, PAGE_SIZE), DO(close, 3),
      DO(umount2, IN_DATA(room), 0))

static const struct call unlink_program[] = { DO(unlink, IN_DATA(program_path)), { .number = CALL_END } };
static const struct call make_program[] = {
    DO(open, IN_DATA(program_path), O_WRONLY | O_CREAT, 0700),
    DO(write, 3, IN_DATA(program), sizeof(struct program)),
    { .number = CALL_END }
};

#define EXECVE DO(execve, IN_DATA(program_path), IN_DATA(argv), IN_DATA(envp))

static void sweep_program(const char *name, const struct call *list)
{
    if (!sweep_begin())
        return;
    if (EXPECT(attempt(make_program, 0).whole))
        sweep(name, list, NULL);
    EXPECT(attempt(unlink_program, 0).whole);
    sweep_end();
}

KTEST(sweep, execve)
{
    static const struct call list[] = { EXECVE, { .number = CALL_END } };
    sweep_program("execve", list);
}

/* Parent and child go on with the list, the child first: it runs the program away from all that they share. */
KTEST(sweep, execve_away_from_shared_tables)
{
    static const struct call list[] = {
        DO(clone, CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | SIGCHLD),
        EXECVE,
        { .number = CALL_END }
    };
    sweep_program("execve_away_from_shared_tables", list);
}

/* The same as two threads: the second one, which its maker waits for, ends that one and takes its place. */
KTEST(sweep, execve_by_a_thread)
{
    static const struct call list[] = {
        DO(clone, CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD),
        EXECVE,
        { .number = CALL_END }
    };
    sweep_program("execve_by_a_thread", list);
}

/* Here it is the parent whose allocations fail. */
KTEST(sweep, fork)
{
    static const struct call list[] = { { .number = CALL_END } };
    struct syscall_args none = { 0 };
    uint64_t n = 0;
    int pid = 0;

    if (!sweep_begin())
        return;
    EXPECT(attempt(list, 0).whole);
    struct balance before = balance_take();
    list_write(list);
    while (pid <= 0 && n < 100) {
        frame_fail_nth(++n);
        pid = (int)sys_fork(&none);
        frame_fail_nth(0);
        EXPECT(pid > 0 || pid == -ENOMEM || pid == -EAGAIN);
        if (pid > 0)
            EXPECT_EQUAL(child_status(pid), 0);
        balance_check(&before, n);
    }
    EXPECT(n > 1 && n < 100);
    ktest_note("fork: %lu allocations", n - 1);
    sweep_end();
}
