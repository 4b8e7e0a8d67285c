// SPDX-License-Identifier: MIT
/*
 * procfs.c: the tree of /proc and the reading of its text files.
 *
 * Nothing of the tree is kept: an inode is made when a name is looked up and ends with its last reference. A
 * text file is written whole when a reader is at position 0, so that one pass over it sees one state, and
 * reading it again from the start sees a new one.
 *
 * Locks: each open text file has a mutex over its text, taken before any address space's.
 */
#include "kernel/fs/procfs.h"

#include <linux/fs.h>
#include <linux/magic.h>

#include "kernel/fs/file.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

struct proc_inode {
    struct inode inode;
    const struct proc_entry *entry; /* NULL: a directory */
    struct proc_id id;
    char name[12]; /* of what is named by a number */
};

struct proc_text {
    struct mutex lock;
    struct text text;
    bool written;
    uint64_t memory; /* of a guarded one: as from proc_memory_open() */
};

static struct slab_cache inode_cache = SLAB_CACHE_INIT(inode_cache, "proc-inode", struct proc_inode);
static struct slab_cache text_cache = SLAB_CACHE_INIT(text_cache, "proc-text", struct proc_text);

static const struct proc_inode *proc_inode_of(const struct inode *inode)
{
    return container_of(inode, struct proc_inode, inode);
}

const struct proc_entry *proc_entry_of(const struct inode *inode) { return proc_inode_of(inode)->entry; }

const struct proc_id *proc_id_of(const struct inode *inode) { return &proc_inode_of(inode)->id; }

struct process *proc_find_locked(const struct proc_id *id)
{
    struct process *process = process_find_locked(id->pid);
    return process && process->start_time == id->start_time ? process : NULL;
}

int proc_check_look(const struct proc_id *id)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    bool may = process && process_may_look_locked(process);
    spin_unlock_irq(&process_lock, irq);
    return !process ? -ESRCH : may ? 0 : -EACCES;
}

int proc_aspace(const struct proc_id *id, struct aspace **aspace)
{
    bool irq = spin_lock_irq(&process_lock);
    struct process *process = proc_find_locked(id);
    const struct process *holder = process && !id->is_thread ? process_with_memory_locked(process) : process;
    *aspace = holder && holder->aspace ? aspace_get(holder->aspace) : NULL;
    spin_unlock_irq(&process_lock, irq);
    return process ? 0 : -ESRCH;
}

int proc_memory_open(const struct proc_id *id, uint64_t *number)
{
    struct aspace *aspace = NULL;
    int error = proc_check_look(id);
    if (!error)
        error = proc_aspace(id, &aspace);
    *number = aspace ? aspace->number : 0;
    if (aspace)
        aspace_put(aspace);
    return error;
}

struct aspace *proc_memory_get(const struct proc_id *id, uint64_t number)
{
    struct aspace *aspace;
    if (proc_aspace(id, &aspace) || !aspace)
        return NULL;
    if (aspace->number == number)
        return aspace;
    aspace_put(aspace);
    return NULL;
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int proc_parse_int(const char *text, int *value)
{
    const char *end;
    while (is_blank(*text))
        text++;
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    unsigned long number = string_to_ulong(text, &end, 0);
    bool is_number = end > text;
    while (is_blank(*end))
        end++;
    if (!is_number || *end)
        return -EINVAL;
    if (number > (unsigned long)INT_MAX + negative)
        return -ERANGE;
    *value = (int)(negative ? -(int64_t)number : (int64_t)number);
    return 0;
}

/* ---- text files ---- */

static int text_open(struct file *file)
{
    const struct proc_inode *inode = proc_inode_of(file->inode);
    uint64_t memory = 0;
    int error = inode->entry->is_guarded ? proc_memory_open(&inode->id, &memory) : 0;
    if (error)
        return error;
    struct proc_text *content = slab_alloc(&text_cache);
    if (!content)
        return -ENOMEM;
    mutex_init(&content->lock);
    content->memory = memory;
    file->data = content;
    return 0;
}

static void text_release(struct file *file)
{
    struct proc_text *content = file->data;
    text_free(&content->text);
    slab_free(&text_cache, content);
}

/* Is it still about the memory that the process had when the file was opened? */
static bool text_holds(const struct proc_text *content, const struct proc_inode *inode)
{
    if (!inode->entry->is_guarded)
        return true;
    struct aspace *aspace;
    if (proc_aspace(&inode->id, &aspace))
        return true; /* that the process is gone show() tells */
    uint64_t number = aspace ? aspace->number : 0;
    if (aspace)
        aspace_put(aspace);
    return number == content->memory;
}

static int text_rewrite(struct proc_text *content, const struct proc_inode *inode)
{
    text_free(&content->text);
    content->written = !text_holds(content, inode);
    if (content->written)
        return 0;
    int error = inode->entry->show(&content->text, &inode->id);
    if (!error && content->text.failed)
        error = -ENOMEM;
    content->written = !error;
    return error;
}

static ssize_type proc_text_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    struct proc_text *content = file->data;
    mutex_lock(&content->lock);
    ssize_type n = 0;
    if (offset == 0 || !content->written)
        n = text_rewrite(content, proc_inode_of(file->inode));
    if (!n)
        n = text_read(&content->text, to, offset);
    mutex_unlock(&content->lock);
    return n;
}

/* What takes no text says so as Linux does: EINVAL below a process, EIO elsewhere. */
static ssize_type proc_text_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    const struct proc_inode *inode = proc_inode_of(file->inode);
    char text[PROC_WRITE_MAX + 1];
    size_t n = MIN(from->length, (size_t)PROC_WRITE_MAX);
    (void)offset;
    if (!inode->entry->write)
        return inode->id.pid ? -EINVAL : -EIO;
    ssize_type copied = n ? buffer_get(from, 0, text, n) : 0;
    if (copied < (ssize_type)n)
        return -EFAULT;
    text[n] = '\0';
    int error = inode->entry->write(text, &inode->id);
    return error ? error : (ssize_type)from->length;
}

/* The end is known only when it has been read. */
static int64_t proc_text_seek(struct file *file, int64_t offset, unsigned whence)
{
    if (whence == SEEK_CUR && __builtin_add_overflow(offset, (int64_t)file->position, &offset))
        return -EINVAL;
    if (whence > SEEK_CUR || offset < 0)
        return -EINVAL;
    file->position = (uint64_t)offset;
    return offset;
}

static const struct inode_ops text_ops = {
    .open = text_open,
    .release = text_release,
    .read = proc_text_read,
    .write = proc_text_write,
    .seek = proc_text_seek,
    .destroy = proc_destroy,
};

/* ---- the tree ---- */

static const struct inode_ops process_ops, thread_ops;

void proc_destroy(struct inode *inode)
{
    slab_free(&inode_cache, container_of(inode, struct proc_inode, inode));
}

/*
 * The first number of the inodes of a process: its directory; its files follow. The machine's are below 256.
 */
static uint64_t number_base(int pid) { return (uint64_t)pid << 8; }

/* Numbers of what lies in a directory that is no process: behind all that processes can have. */
uint64_t proc_inode_number(const struct inode *parent, uint64_t number)
{
    return (parent->number << 32) + 1 + number;
}

/* An inode below `parent`. NULL: memory is out. */
static struct proc_inode *inode_create(struct inode *parent, uint64_t number, uint32_t mode, const char *name,
                                       const struct inode_ops *ops)
{
    struct proc_inode *proc = slab_alloc(&inode_cache);
    if (!proc)
        return NULL;
    bool is_short = string_copy(proc->name, name, sizeof proc->name) < sizeof proc->name;
    proc->inode = (struct inode){
        .refs = 1,
        .mode = mode,
        .number = number,
        .links = S_ISDIR(mode) ? 2 : 1,
        .mtime = inode_time_now(),
        .ops = ops,
        .filesystem = parent->filesystem,
        .parent = inode_get(parent),
        .name = is_short ? proc->name : name,
    };
    proc->inode.uid = parent->uid;
    proc->inode.gid = parent->gid;
    proc->id = *proc_id_of(parent);
    return proc;
}

struct inode *proc_inode_create(struct inode *parent, uint64_t number, uint32_t mode, const char *name,
                                const struct inode_ops *ops)
{
    struct proc_inode *proc = inode_create(parent, proc_inode_number(parent, number), mode, name, ops);
    return proc ? &proc->inode : NULL;
}

static const struct inode_ops table_ops;

/* The number of a row: the machine's and a process's own lie below 256 and behind the process's. */
static uint64_t entry_number(const struct inode *directory, uint64_t row)
{
    const struct proc_inode *proc = proc_inode_of(directory);
    bool is_base = !proc->entry && directory->ops != &thread_ops;
    return is_base ? number_base(proc->id.pid) + 2 + row : proc_inode_number(directory, row);
}

static struct inode *entry_lookup(struct inode *directory, const struct proc_entry *table, const char *name,
                                  size_t length, int *error)
{
    const struct proc_entry *entry = table;
    while (entry->name && (strncmp(entry->name, name, length) || entry->name[length]))
        entry++;
    if (!entry->name) {
        *error = -ENOENT;
        return NULL;
    }
    uint64_t number = entry_number(directory, (uint64_t)(entry - table));
    const struct inode_ops *ops = entry->show ? &text_ops : entry->entries ? &table_ops : entry->ops;
    struct proc_inode *proc = inode_create(directory, number, entry->mode, entry->name, ops);
    if (!proc) {
        *error = -ENOMEM;
        return NULL;
    }
    proc->entry = entry;
    return &proc->inode;
}

/* Positions are rows of the table. 1: the listing is full. */
static int entry_list(struct inode *directory, const struct proc_entry *table, int64_t from,
                      directory_emit emit, void *arg)
{
    int64_t position = 0;
    for (const struct proc_entry *entry = table; entry->name; entry++) {
        uint64_t number = entry_number(directory, (uint64_t)position);
        if (position++ >= from && !emit(arg, entry->name, strlen(entry->name), number, entry->mode, position))
            return 1;
    }
    return 0;
}

static struct inode *table_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    return entry_lookup(directory, proc_inode_of(directory)->entry->entries, name, length, error);
}

static int table_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    return MIN(entry_list(directory, proc_inode_of(directory)->entry->entries, from, emit, arg), 0);
}

static const struct inode_ops table_ops = {
    .lookup = table_lookup,
    .list = table_list,
    .destroy = proc_destroy,
};

static bool process_exists(const struct proc_id *id)
{
    bool irq = spin_lock_irq(&process_lock);
    bool exists = proc_find_locked(id);
    spin_unlock_irq(&process_lock, irq);
    return exists;
}

/* The files of a process that has changed its ids are root's: they tell more than its new user shall know. */
static void entry_guard(struct inode *inode)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(proc_id_of(inode));
    bool is_open = process && process->leader->is_dumpable;
    spin_unlock_irq(&process_lock, irq);
    if (!is_open && !S_ISDIR(inode->mode))
        inode->uid = inode->gid = 0;
}

static struct inode *process_entry(struct inode *directory, const struct proc_entry *table, const char *name,
                                   size_t length, int *error)
{
    *error = -ESRCH;
    if (!process_exists(proc_id_of(directory)))
        return NULL;
    struct inode *inode = entry_lookup(directory, table, name, length, error);
    if (inode)
        entry_guard(inode);
    return inode;
}

static int process_entries(struct inode *directory, const struct proc_entry *table, int64_t from,
                           directory_emit emit, void *arg)
{
    if (!process_exists(proc_id_of(directory)))
        return -ENOENT;
    return MIN(entry_list(directory, table, from, emit, arg), 0);
}

static struct inode *process_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    return process_entry(directory, proc_process_entries, name, length, error);
}

static int process_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    return process_entries(directory, proc_process_entries, from, emit, arg);
}

static const struct inode_ops process_ops = {
    .lookup = process_lookup,
    .list = process_list,
    .destroy = proc_destroy,
};

/* ---- /proc/PID/task: a directory for each thread, named by its number ---- */

static struct inode *thread_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    return process_entry(directory, proc_thread_entries, name, length, error);
}

static int thread_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    return process_entries(directory, proc_thread_entries, from, emit, arg);
}

static const struct inode_ops thread_ops = {
    .lookup = thread_lookup,
    .list = thread_list,
    .destroy = proc_destroy,
};

/* A decimal number without leading zeroes below PID_MAX, or 0. */
static int pid_parse(const char *name, size_t length)
{
    int pid = 0;
    if (!length || length > 7 || name[0] == '0')
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        pid = pid * 10 + name[i] - '0';
    }
    return pid < PID_MAX ? pid : 0;
}

/* The thread `tid` of the process: its id. -ENOENT: it has none such. */
static int thread_find(const struct proc_id *process, int tid, struct proc_id *id)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *of = proc_find_locked(process);
    const struct process *thread = of ? process_find_locked(tid) : NULL;
    bool found = thread && thread->leader == of->leader;
    if (found)
        *id = (struct proc_id){ .pid = tid, .is_thread = true, .start_time = thread->start_time };
    spin_unlock_irq(&process_lock, irq);
    return found ? 0 : -ENOENT;
}

static struct inode *task_lookup(struct inode *directory, const char *name, size_t length, int *error)
{
    struct proc_id id;
    char number[12];
    int tid = pid_parse(name, length);
    *error = tid ? thread_find(proc_id_of(directory), tid, &id) : -ENOENT;
    if (*error)
        return NULL;
    *error = -ENOMEM;
    snprintf(number, sizeof number, "%d", tid);
    struct proc_inode *proc = inode_create(directory, proc_inode_number(directory, (uint64_t)tid), S_IFDIR | 0555,
                                           number, &thread_ops);
    if (!proc)
        return NULL;
    proc->id = id;
    return &proc->inode;
}

/* The lowest number from `tid` on of a thread of the process; 0: there is none; -ENOENT: the process is gone. */
static int thread_next_from(const struct proc_id *id, int tid)
{
    int found = INT_MAX;
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = proc_find_locked(id);
    const struct process *thread = process ? process->leader : NULL;
    for (; thread; thread = thread_next(thread))
        if (thread->pid >= tid)
            found = MIN(found, thread->pid);
    spin_unlock_irq(&process_lock, irq);
    return !process ? -ENOENT : found == INT_MAX ? 0 : found;
}

/* Positions are thread numbers plus 1. */
static int task_list(struct inode *directory, int64_t from, directory_emit emit, void *arg)
{
    int tid = (int)MIN(from, PID_MAX);
    while ((tid = thread_next_from(proc_id_of(directory), tid)) > 0) {
        char number[12];
        int length = snprintf(number, sizeof number, "%d", tid);
        if (!emit(arg, number, (size_t)length, proc_inode_number(directory, (uint64_t)tid), S_IFDIR, tid + 1))
            break;
        tid++;
    }
    return MIN(tid, 0);
}

const struct inode_ops proc_task_ops = { .lookup = task_lookup, .list = task_list, .destroy = proc_destroy };

static struct inode *process_directory(struct inode *root, int pid, int *error)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *process = process_find_locked(pid);
    struct proc_id id = { .pid = pid, .start_time = process ? process->start_time : 0 };
    uint32_t user = process ? process->credentials.user.effective : 0;
    uint32_t group = process ? process->credentials.group.effective : 0;
    spin_unlock_irq(&process_lock, irq);
    *error = process ? -ENOMEM : -ENOENT;
    if (!process)
        return NULL;
    char name[12];
    snprintf(name, sizeof name, "%d", pid);
    struct proc_inode *proc = inode_create(root, number_base(pid), S_IFDIR | 0555, name, &process_ops);
    if (!proc)
        return NULL;
    proc->inode.uid = user;
    proc->inode.gid = group;
    proc->inode.is_immutable = true;
    proc->id = id;
    return &proc->inode;
}

static struct inode *root_lookup(struct inode *root, const char *name, size_t length, int *error)
{
    int pid = pid_parse(name, length);
    return pid ? process_directory(root, pid, error)
               : entry_lookup(root, proc_system_entries, name, length, error);
}

/* The lowest number of a process from `pid` on, or 0. Threads can be looked up by theirs, but are not listed. */
static int pid_next(int pid)
{
    int found = 0;
    struct process *process;
    bool irq = spin_lock_irq(&process_lock);
    TAILQ_FOREACH(process, &process_table, all)
        if (process->pid >= pid && process_is_leader(process)) {
            found = process->pid;
            break;
        }
    spin_unlock_irq(&process_lock, irq);
    return found;
}

/*
 * Positions: the machine's files, then 256 + pid for processes, so that those which come and go move no
 * other.
 */
#define POSITION_PIDS 256

static int root_list(struct inode *root, int64_t from, directory_emit emit, void *arg)
{
    if (from < POSITION_PIDS && entry_list(root, proc_system_entries, from, emit, arg))
        return 0;
    int pid = (int)MIN(MAX(from - POSITION_PIDS, 1), PID_MAX);
    while ((pid = pid_next(pid))) {
        char name[12];
        int length = snprintf(name, sizeof name, "%d", pid);
        if (!emit(arg, name, (size_t)length, number_base(pid), S_IFDIR, POSITION_PIDS + pid + 1))
            break;
        pid++;
    }
    return 0;
}

static const struct inode_ops root_ops = { .lookup = root_lookup, .list = root_list, .destroy = proc_destroy };

/* Whoever is in it has an inode whose parents lead up to the root. Nothing in it is kept, so nothing is written. */
static enum filesystem_use procfs_use(const struct filesystem *filesystem)
{
    return filesystem->root->refs > 1 + (filesystem->covered != NULL) ? FILESYSTEM_USED : FILESYSTEM_IDLE;
}

static void procfs_destroy(struct filesystem *filesystem)
{
    inode_put(filesystem->root);
    kfree(filesystem);
}

struct filesystem *procfs_create(void)
{
    struct filesystem *procfs = kmalloc(sizeof *procfs);
    struct proc_inode *root = slab_alloc(&inode_cache);
    if (!procfs || !root) {
        kfree(procfs);
        if (root)
            slab_free(&inode_cache, root);
        return NULL;
    }
    *procfs = (struct filesystem){
        .type = "proc",
        .magic = PROC_SUPER_MAGIC,
        .use = procfs_use,
        .destroy = procfs_destroy,
        .root = &root->inode,
    };
    root->inode = (struct inode){
        .refs = 1,
        .mode = S_IFDIR | 0555,
        .number = 1,
        .links = 2,
        .mtime = inode_time_now(),
        .ops = &root_ops,
        .filesystem = procfs,
    };
    return procfs;
}
