// SPDX-License-Identifier: MIT
/*
 * descriptor.c: descriptor tables: an array of slots that doubles when it is full.
 *
 * The first slots lie in the table itself: most processes never need more, and fork makes a table with one allocation.
 * Slots from `end` on are free, whatever is in them, so that nobody clears, copies or looks through what is not used.
 */
#include "kernel/fs/descriptor.h"

#include "kernel/fs/file.h"
#include "kernel/fs/lock.h"
#include "kernel/fs/notify.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "mm/slab.h"

#define FILES_FIRST_CAPACITY 16u

struct slot {
    struct file *file; /* one reference; NULL: free */
    bool close_on_exec;
};

struct files {
    uint32_t refs; /* processes that have it */
    unsigned capacity;
    unsigned end;       /* one more than the highest descriptor that is open; 0: none is */
    struct slot *slots; /* `first`, or allocated when that is too small */
    struct slot first[FILES_FIRST_CAPACITY];
};

static struct slab_cache files_cache = SLAB_CACHE_INIT(files_cache, "files", struct files);

static struct files *files_create_sized(unsigned capacity)
{
    struct files *files = slab_alloc_unset(&files_cache);
    if (!files)
        return NULL;
    files->refs = 1;
    files->capacity = capacity;
    files->end = 0;
    files->slots = capacity == FILES_FIRST_CAPACITY ? files->first : kmalloc(capacity * sizeof *files->slots);
    if (!files->slots) {
        slab_free(&files_cache, files);
        return NULL;
    }
    return files;
}

struct files *files_create(void) { return files_create_sized(FILES_FIRST_CAPACITY); }

struct files *files_clone(const struct files *files)
{
    struct files *clone = files_create_sized(files->capacity);
    if (!clone)
        return NULL;
    clone->end = files->end;
    for (unsigned fd = 0; fd < files->end; fd++) {
        clone->slots[fd] = files->slots[fd];
        if (clone->slots[fd].file)
            file_get(clone->slots[fd].file);
    }
    return clone;
}

struct files *files_share(struct files *files)
{
    files->refs++;
    return files;
}

bool files_are_shared(const struct files *files) { return files->refs > 1; }

/* The slot has its new contents before the old file goes: its release may sleep. */
static void slot_set(const struct files *files, struct slot *slot, struct slot new)
{
    struct file *file = slot->file;
    *slot = new;
    if (!file)
        return;
    lock_note_close(file->inode, files);
    notify_note_close(file, files);
    file_put(file);
}

static void slot_clear(struct files *files, unsigned fd)
{
    slot_set(files, &files->slots[fd], (struct slot){ 0 });
    while (files->end && !files->slots[files->end - 1].file)
        files->end--;
}

static void slots_free(struct files *files)
{
    if (files->slots != files->first)
        kfree(files->slots);
}

void files_put(struct files *files)
{
    if (--files->refs)
        return;
    for (unsigned fd = 0; fd < files->end; fd++)
        slot_set(files, &files->slots[fd], (struct slot){ 0 });
    slots_free(files);
    slab_free(&files_cache, files);
}

void files_close_on_exec(struct files *files)
{
    for (unsigned fd = 0; fd < files->end; fd++)
        if (files->slots[fd].close_on_exec)
            slot_clear(files, fd);
}

unsigned files_capacity(const struct files *files) { return files->capacity; }

struct file *files_peek(const struct files *files, unsigned fd)
{
    return fd < files->end ? files->slots[fd].file : NULL;
}

bool files_peek_closes_on_exec(const struct files *files, unsigned fd)
{
    return fd < files->end && files->slots[fd].close_on_exec;
}

/* More slots, so that there is one for descriptor `fd`. 0 or -ENOMEM. */
static int slots_grow(struct files *files, unsigned fd)
{
    unsigned capacity = files->capacity;
    while (capacity <= fd)
        capacity *= 2;
    struct slot *slots = kmalloc(capacity * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    memcpy(slots, files->slots, files->end * sizeof *slots);
    slots_free(files);
    files->slots = slots;
    files->capacity = capacity;
    return 0;
}

/* Give descriptor `fd`, which is to be opened, a slot. 0 or -ENOMEM. */
static int files_reserve(struct files *files, unsigned fd)
{
    int error = fd < files->capacity ? 0 : slots_grow(files, fd);
    if (error)
        return error;
    for (; files->end <= fd; files->end++)
        files->slots[files->end] = (struct slot){ 0 };
    return 0;
}

static struct slot *slot_of(int fd)
{
    struct files *files = current()->files;
    return fd >= 0 && (unsigned)fd < files->end ? &files->slots[fd] : NULL;
}

/* Keep the file until the current system call is over, whoever closes its descriptor meanwhile. */
static __noinline void file_hold(struct file *file)
{
    struct held_files *held = &current()->held;
    BUG_ON(held->count == HELD_FILES_MAX, "a system call on more than %u files", HELD_FILES_MAX);
    held->files[held->count++] = file_get(file);
    __atomic_or_fetch(&this_cpu()->return_work, RETURN_FILES, __ATOMIC_RELAXED);
}

void files_let_go(void)
{
    struct held_files *held = &current()->held;
    while (held->count)
        file_put(held->files[--held->count]);
}

struct file *files_get(int fd)
{
    const struct files *files = current()->files;
    struct file *file = files_peek(files, (unsigned)fd);
    if (file && files_are_shared(files))
        file_hold(file);
    return file;
}

/* The descriptors that the current process may have: 0 to this, exclusive (getrlimit(2)). */
static uint64_t descriptor_limit(void) { return current()->leader->limits[RLIMIT_NOFILE].rlim_cur; }

/* The lowest free descriptor from `fd` on. */
static unsigned slot_find_free(const struct files *files, unsigned fd)
{
    while (fd < files->end && files->slots[fd].file)
        fd++;
    return fd;
}

int files_check_free(void) { return slot_find_free(current()->files, 0) < descriptor_limit() ? 0 : -EMFILE; }

int files_install_in(struct files *files, struct file *file, int from, bool close_on_exec, uint64_t limit)
{
    int error = from < 0 || (uint64_t)from >= limit ? -EINVAL : 0;
    unsigned fd = (unsigned)from;
    if (!error) {
        fd = slot_find_free(files, fd);
        error = fd >= limit ? -EMFILE : files_reserve(files, fd);
    }
    if (error) {
        file_put(file);
        return error;
    }
    files->slots[fd] = (struct slot){ .file = file, .close_on_exec = close_on_exec };
    return (int)fd;
}

int files_install(struct file *file, int from, bool close_on_exec)
{
    return files_install_in(current()->files, file, from, close_on_exec, descriptor_limit());
}

int files_replace(struct file *file, int fd, bool close_on_exec)
{
    int error = -EBADF;
    if (fd >= 0 && (uint64_t)fd < descriptor_limit())
        error = files_reserve(current()->files, (unsigned)fd);
    if (error) {
        file_put(file);
        return error;
    }
    slot_set(current()->files, slot_of(fd), (struct slot){ .file = file, .close_on_exec = close_on_exec });
    return fd;
}

int files_close(int fd)
{
    struct slot *slot = slot_of(fd);
    if (!slot || !slot->file)
        return -EBADF;
    slot_clear(current()->files, (unsigned)fd);
    return 0;
}

/* Closing may sleep, and the table become another meanwhile: it is looked at anew each time. */
void files_close_range(unsigned first, unsigned last)
{
    for (uint64_t fd = first; fd <= last && fd < current()->files->end; fd++)
        if (current()->files->slots[fd].file)
            slot_clear(current()->files, (unsigned)fd);
}

void files_close_range_on_exec(unsigned first, unsigned last)
{
    const struct files *files = current()->files;
    for (uint64_t fd = first; fd <= last && fd < files->end; fd++)
        files->slots[fd].close_on_exec = files->slots[fd].file;
}

int files_unshare(void)
{
    struct process *process = current();
    struct files *shared = process->files;
    if (!files_are_shared(shared))
        return 0;
    struct files *own = files_clone(shared);
    if (!own)
        return -ENOMEM;
    bool irq = spin_lock_irq(&process_lock);
    process->files = own;
    spin_unlock_irq(&process_lock, irq);
    files_put(shared);
    return 0;
}

bool files_closes_on_exec(int fd)
{
    ASSERT(files_peek(current()->files, (unsigned)fd));
    return slot_of(fd)->close_on_exec;
}

void files_set_close_on_exec(int fd, bool close_on_exec)
{
    ASSERT(files_peek(current()->files, (unsigned)fd));
    slot_of(fd)->close_on_exec = close_on_exec;
}
