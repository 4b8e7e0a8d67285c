// SPDX-License-Identifier: MIT
/*
 * exec.c: execve(2).
 *
 * The new program is built beside the old one: file, strings, address space, stack. Nothing of the caller
 * has changed until commit_program(), which cannot fail; so every error simply gives back what was built.
 */
#include "kernel/exec.h"

#include <linux/fcntl.h>
#include <linux/mount.h>

#include "kernel/fs/file.h"
#include "kernel/fs/lease.h"
#include "kernel/fs/standpoint.h"
#include "kernel/futex.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "kernel/usage.h"
#include "mm/slab.h"
#include "mm/trace.h"
#include "mm/usercopy.h"

#define SCRIPT_LINE_MAX 256 /* bytes looked at behind #! (execve(2)) */
#define SCRIPT_DEPTH_MAX 5  /* scripts whose interpreter is a script */

#define RFLAGS_START (RFLAGS_IF | 2) /* bit 1 is always set */

/* A program being started. */
struct program {
    struct inode *inode;     /* as by executable_get() */
    struct pagecache *cache; /* one reference */
    struct aspace *aspace;   /* one reference */
    struct elf_image image;
    vaddr_t rsp;
    struct exec_identity identity; /* whom it acts for */
    bool is_hidden;                /* the caller may not read its file, or its dynamic linker's */
    struct files *files;            /* the process's own, in place of those it shares; NULL: it shares none */
    struct signal_actions *actions; /* likewise */
};

static void close_program(struct program *program)
{
    if (program->cache)
        pagecache_put(program->cache);
    if (program->inode)
        executable_put(program->inode);
    program->cache = NULL;
    program->inode = NULL;
}

int executable_get(struct inode *inode)
{
    int error = inode_run_enter(inode);

    if (!error)
        inode_get(inode);
    return error;
}

struct inode *executable_get_again(struct inode *inode)
{
    int error = executable_get(inode);

    BUG_ON(error, "inode %lu is written while it runs", inode->number);
    return inode;
}

void executable_put(struct inode *inode)
{
    inode_run_leave(inode);
    inode_put(inode);
}

/* Open an executable file, whose reference ends here. 0, -EACCES, -ETXTBSY, -ENOMEM, or the error of a lease. */
static int open_file(struct program *program, struct inode *inode)
{
    int error = 0;

    if (!S_ISREG(inode->mode) || !inode->ops->mapping)
        error = -EACCES;
    if (!error)
        error = inode_permission(inode, INODE_EXECUTE);
    if (!error)
        error = lease_break(inode, O_RDONLY);
    if (!error)
        error = executable_get(inode);
    if (!error) {
        program->inode = inode;
        program->cache = inode->ops->mapping(inode);
        error = program->cache ? 0 : -ENOMEM;
    }
    inode_put(inode);
    return error;
}

/* Find an executable file and open it; what was open before is closed. 0, or an error of the look-up or as above. */
static int open_program(struct program *program, const char *path)
{
    struct inode *inode;
    int error;

    close_program(program);
    error = path_lookup(NULL, path, PATH_FOLLOW, &inode);
    return error ? error : open_file(program, inode);
}

/* The same for the file that exec was asked for. */
static int open_target(struct program *program, const struct exec_target *target)
{
    struct inode *inode;
    int error = 0;

    if (target->start && !*target->path)
        inode = inode_get(target->start);
    else
        error = path_lookup(target->start, target->path, target->no_follow ? PATH_NO_FOLLOW : PATH_FOLLOW, &inode);
    if (!error && S_ISLNK(inode->mode)) {
        inode_put(inode);
        error = -ELOOP;
    }
    return error ? error : open_file(program, inode);
}

static char *skip_blanks(char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/*
 * Cut a script's first line into interpreter and optional argument (NULL: none). The line begins behind
 * "#!".
 */
static int split_script_line(char *line, char **interpreter, char **argument)
{
    char *end = strchr(line, '\n');

    if (!end)
        return -ENOEXEC;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    *interpreter = skip_blanks(line);
    if (!**interpreter)
        return -ENOEXEC;
    for (end = *interpreter; *end && *end != ' ' && *end != '\t'; end++)
        continue;
    *argument = *skip_blanks(end) ? skip_blanks(end) : NULL;
    *end = '\0';
    return 0;
}

/*
 * If the open program is a script, open its interpreter in its place, whose arguments are then:
 * interpreter, the optional argument, the script's path, and the script's own arguments. 1: it was one; 0:
 * it was not; or a negative errno.
 */
static int open_interpreter(struct program *program, const char *path, struct exec_strings *strings)
{
    char line[SCRIPT_LINE_MAX + 1] = { 0 }, *interpreter, *argument;
    ssize_type got = pagecache_read(program->cache, 0, line, SCRIPT_LINE_MAX);
    const char *words[3];
    unsigned count = 0;
    int error;

    if (got < 0)
        return (int)got;
    if (line[0] != '#' || line[1] != '!')
        return 0;
    error = split_script_line(line + 2, &interpreter, &argument);
    if (error)
        return error;
    words[count++] = interpreter;
    if (argument)
        words[count++] = argument;
    words[count++] = path;
    error = exec_strings_replace_first(strings, words, count);
    if (!error)
        error = open_program(program, interpreter);
    return error ? error : 1;
}

/* Open the target, and go from script to interpreter until it is a binary. */
static int resolve_program(struct program *program, const struct exec_target *target, struct exec_strings *strings)
{
    char interpreter[SCRIPT_LINE_MAX];
    const char *path = target->name;
    int result = open_target(program, target);

    for (unsigned depth = 0; !result; depth++) {
        result = open_interpreter(program, path, strings);
        if (result <= 0)
            break;
        if (target->closes)
            return -ENOENT;
        if (depth == SCRIPT_DEPTH_MAX)
            return -ELOOP;
        string_copy(interpreter, strings->text, sizeof(interpreter)); /* the first argument now */
        path = interpreter;
        result = 0;
    }
    return result;
}

/*
 * Do the file's set-user-ID and set-group-ID bits count? Not if the caller gave that up (PR_SET_NO_NEW_PRIVS of
 * prctl(2)), nor on a file system mounted with MS_NOSUID.
 */
static bool may_borrow(const struct process *process, const struct inode *inode)
{
    return !process->has_no_new_privileges && !(inode->filesystem->flags & MS_NOSUID);
}

/* An unprivileged caller shares its directory and umask: the other one would have a say in what a privileged program does. */
static bool is_meddled_with(const struct process *process)
{
    return standpoint_is_shared(process->standpoint) && !credentials_are_privileged(&process->credentials);
}

/*
 * Whom the program acts for: the caller, or with a set-user-ID or set-group-ID file the file's owner or
 * group (execve(2)). The saved ids, and those for files, become the effective ones.
 */
static void choose_credentials(struct program *program, const struct process *process)
{
    struct credentials *credentials = &program->identity.credentials;
    const struct inode *inode = program->inode;

    *credentials = process->credentials;
    bool borrows = may_borrow(process, inode);
    if (borrows && inode->mode & S_ISUID)
        credentials->user.effective = inode->uid;
    if (borrows && (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        credentials->group.effective = inode->gid;
    program->identity.is_secure = credentials_are_borrowed(credentials);
    if (program->identity.is_secure && is_meddled_with(process)) {
        credentials->user.effective = credentials->user.real;
        credentials->group.effective = credentials->group.real;
    }
    credentials->user.saved = credentials->user.filesystem = credentials->user.effective;
    credentials->group.saved = credentials->group.filesystem = credentials->group.effective;
}

/* Map the dynamic linker that the program names; nobody may write to that file meanwhile. */
static int add_linker(struct program *program)
{
    struct program linker = { 0 };
    int error = open_program(&linker, program->image.linker);

    if (!error) {
        program->is_hidden |= inode_permission(linker.inode, INODE_READ) < 0;
        error = elf_map_linker(program->aspace, linker.cache, &program->image);
    }
    close_program(&linker);
    return error;
}

/* The new address space, complete. */
static int build_program(struct program *program, const char *path, const struct exec_strings *strings)
{
    int error;

    choose_credentials(program, current());
    program->is_hidden = inode_permission(program->inode, INODE_READ) < 0;
    program->aspace = aspace_create();
    if (!program->aspace)
        return -ENOMEM;
    program->aspace->size_limit = current()->leader->limits[RLIMIT_AS].rlim_cur;
    program->aspace->data_limit = current()->leader->limits[RLIMIT_DATA].rlim_cur;
    program->aspace->data_limit_hard = current()->leader->limits[RLIMIT_DATA].rlim_max;
    program->aspace->lock_limit = current()->leader->limits[RLIMIT_MEMLOCK].rlim_cur;
    program->aspace->unprivileged = !credentials_are_privileged(&program->identity.credentials);
    error = elf_map(program->aspace, program->cache, &program->image);
    if (!error && program->image.linker)
        error = add_linker(program);
    kfree(program->image.linker);
    if (!error)
        error = exec_stack_build(program->aspace, &program->image, &program->identity, strings, path,
                                 &program->rsp);
    if (error)
        aspace_put(program->aspace);
    return error;
}

/* What the caller shares with other processes the program has for itself (execve(2)). 0 or -ENOMEM. */
static int take_apart(struct program *program, const struct process *process)
{
    struct signal_actions *actions = process->signals->actions;

    if (files_are_shared(process->files)) {
        program->files = files_clone(process->files);
        if (!program->files)
            return -ENOMEM;
    }
    if (signal_actions_are_shared(actions)) {
        program->actions = signal_actions_clone(actions);
        if (!program->actions && program->files)
            files_put(program->files);
        if (!program->actions)
            return -ENOMEM;
    }
    return 0;
}

/* The other threads are gone, and what was shared with them alone stays: record locks are a table's (fcntl(2)). */
static void keep_files_unshared(struct program *program, const struct process *process)
{
    if (!program->files || files_are_shared(process->files))
        return;
    files_put(program->files);
    program->files = NULL;
}

/* A program that is complete, but will not be started. */
static void drop_parts(struct program *program)
{
    if (program->files)
        files_put(program->files);
    if (program->actions)
        signal_actions_put(program->actions);
    aspace_put(program->aspace);
}

/* The current process's registers at the start of a program: all zero but these. */
static void start_registers(struct process *process, const struct program *program)
{
    *process->user = (struct trapframe){
        .vector = TRAP_SYSCALL,
        .rip = program->image.start,
        .rsp = program->rsp,
        .cs = USER_CS,
        .ss = USER_SS,
        .rflags = RFLAGS_START,
    };
    process->fs_base = process->gs_base = 0;
    cpu_set_fs_base(0);
    cpu_set_gs_base(0);
    fpu_init_area(process->fpu);
    fpu_restore(process->fpu);
}

/* The trace's word for it. */
static void trace_program(const struct process *process, const struct aspace *old)
{
    const struct aspace *aspace = process->aspace;
    struct trace_record *record = trace_record(TRACE_EXEC, &aspace->tree);

    record->process.pid = (uint32_t)process->pid;
    record->process.other = old ? (uint32_t)frame_pfn(old->tree.root) : 0;
    record->process.inode = (uint32_t)process->exe->number;
    record->process.brk = aspace->brk_start;
    record->process.stack = aspace->stack_start;
    string_copy(record->process.name, process->name, sizeof(record->process.name));
}

/* Exchange address space and executable, the program's for the old ones, which go once nothing runs on them. */
static void exchange(struct process *process, struct program *program)
{
    struct aspace *old_aspace = process->aspace;
    struct inode *old_exe = process->exe;
    bool irq;

    if (old_aspace) {
        futex_leave_memory(process);
        usage_note_resident(process);
    }
    irq = spin_lock_irq(&process_lock);
    process->aspace = program->aspace;
    process->exe = program->inode;
    spin_unlock_irq(&process_lock, irq);
    program->inode = NULL;
    aspace_switch(program->aspace);
    if (unlikely(trace_is_on))
        trace_program(process, old_aspace);
    process_release_vfork(process);
    if (old_aspace)
        aspace_put(old_aspace);
    if (old_exe)
        executable_put(old_exe);
}

static void exchange_files(struct process *process, struct files *files)
{
    struct files *old = process->files;
    bool irq = spin_lock_irq(&process_lock);

    process->files = files;
    spin_unlock_irq(&process_lock, irq);
    files_put(old);
}

/*
 * The process acts for whom the program does. Who runs a program of somebody else, or one that he may not read, may not
 * look into it; nor, if it is somebody else's, have it sent a signal at its parent's death (prctl(2), PR_SET_DUMPABLE and
 * PR_SET_PDEATHSIG).
 */
static void exchange_credentials(struct process *process, const struct program *program)
{
    const struct credentials *credentials = &program->identity.credentials;
    const struct credentials *old = &process->credentials;
    bool changes = credentials->user.effective != old->user.effective || credentials->user.filesystem != old->user.filesystem ||
                   credentials->group.effective != old->group.effective ||
                   credentials->group.filesystem != old->group.filesystem;
    bool irq;

    process->is_dumpable = !changes && !credentials_are_borrowed(old) && !program->is_hidden;
    if (changes || program->identity.is_secure)
        process->death_signal = 0;
    irq = spin_lock_irq(&process_lock);
    process->credentials = *credentials;
    spin_unlock_irq(&process_lock, irq);
}

/* The point of no return: the process becomes the new program. */
static void commit_program(struct process *process, struct program *program, const char *path)
{
    const char *name = path;

    for (const char *at = path; *at; at++)
        if (*at == '/' && at[1])
            name = at + 1;
    process_set_name(process, name);
    exchange_credentials(process, program); /* first: nobody may get at the new memory by what held for the old */
    exchange(process, program);
    if (program->actions)
        signal_exchange_actions(process->signals, program->actions);
    signal_reset_for_exec(process->signals);
    timers_reset_for_exec(process);
    if (program->files)
        exchange_files(process, program->files);
    files_close_on_exec(process->files);
    start_registers(process, program);
    process->rseq = 0;
    process->barriers = 0;
    process->exit_signal = SIGCHLD;
    process->has_execed = true;
    process_figures.execs++;
}

int exec_program(const struct exec_target *target, struct exec_strings *strings)
{
    struct program program = { 0 };
    int error = resolve_program(&program, target, strings);

    if (!error)
        error = build_program(&program, target->name, strings);
    if (!error) {
        error = take_apart(&program, current());
        if (error)
            aspace_put(program.aspace);
    }
    if (!error) {
        error = process_take_lead();
        if (error)
            drop_parts(&program);
    }
    if (!error) {
        keep_files_unshared(&program, current());
        commit_program(current(), &program, target->name);
    }
    close_program(&program);
    return error;
}

/* Run what the target says with the user's strings. It does not return here if that goes well. */
static int64_t exec_user(const struct exec_target *target, vaddr_t argv, vaddr_t envp, char *path)
{
    struct exec_strings strings = { 0 };
    int64_t result = exec_strings_add_user(&strings, argv, envp);

    if (result >= 0)
        result = exec_program(target, &strings);
    exec_strings_free(&strings);
    kfree(path);
    if (!result)
        trap_return(current()->user);
    return result;
}

/* execve(2): path, argv, envp. */
int64_t sys_execve(const struct syscall_args *args)
{
    char *path = kmalloc(PATH_MAX);
    int64_t result;

    if (!path)
        return -ENOMEM;
    result = copy_string_from_user(path, args->arg[0], PATH_MAX);
    if (result >= 0)
        return exec_user(&(struct exec_target){ .path = path, .name = path }, args->arg[1], args->arg[2], path);
    kfree(path);
    return result;
}

#define DESCRIPTOR_NAME_MAX 24 /* "/dev/fd/N/" */

/* Where the path of execveat(2) leads, with `name` for what it is called by. 0, -EBADF, -ENOTDIR, -ENOENT. */
static int find_target(struct exec_target *target, int directory, unsigned flags, char *name)
{
    const struct file *file = *target->path == '/' || directory == AT_FDCWD ? NULL : files_get(directory);

    if (!*target->path && !(flags & AT_EMPTY_PATH))
        return -ENOENT;
    target->no_follow = flags & AT_SYMLINK_NOFOLLOW;
    target->name = target->path;
    if (*target->path == '/' || directory == AT_FDCWD)
        return 0;
    if (!file)
        return -EBADF;
    if (*target->path && !S_ISDIR(file->inode->mode))
        return -ENOTDIR;
    target->start = file->inode;
    target->closes = files_closes_on_exec(directory);
    snprintf(name, PATH_MAX + DESCRIPTOR_NAME_MAX, *target->path ? "/dev/fd/%d/%s" : "/dev/fd/%d", directory, target->path);
    target->name = name;
    return 0;
}

/* execveat(2): directory, path, argv, envp, flags. */
int64_t sys_execveat(const struct syscall_args *args)
{
    unsigned flags = (unsigned)args->arg[4];
    char *path = kmalloc(2 * PATH_MAX + DESCRIPTOR_NAME_MAX);
    struct exec_target target = { .path = path };
    int64_t result;

    if (!path)
        return -ENOMEM;
    result = copy_string_from_user(path, args->arg[1], PATH_MAX);
    if (result >= 0 && flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        result = -EINVAL;
    if (result >= 0)
        result = find_target(&target, (int)args->arg[0], flags, path + PATH_MAX);
    if (!result)
        return exec_user(&target, args->arg[2], args->arg[3], path);
    kfree(path);
    return result;
}
