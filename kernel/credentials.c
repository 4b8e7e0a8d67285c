// SPDX-License-Identifier: MIT
/*
 * credentials.c: the system calls on user and group ids (credentials(7), setreuid(2), setresuid(2)).
 *
 * Users and groups follow the same rules, so each call is one function for both. The word -1 leaves an id
 * as it is. The file-system ids follow the effective ones.
 */
#include "kernel/credentials.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/syscalls.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define UNCHANGED UINT32_MAX

enum identity_kind { USERS, GROUPS };

bool credentials_allow_signal(const struct credentials *sender, const struct credentials *target)
{
    uint32_t real = sender->user.real, effective = sender->user.effective;

    return effective == 0 || effective == target->user.saved || effective == target->user.real ||
           real == target->user.saved || real == target->user.real;
}

bool credentials_have_group(const struct credentials *credentials, uint32_t group)
{
    const struct group_list *groups = credentials->groups;
    unsigned low = 0, high = groups ? groups->count : 0;

    if (credentials->group.filesystem == group)
        return true;
    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (groups->ids[middle] == group)
            return true;
        if (groups->ids[middle] < group)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

struct group_list *group_list_get(struct group_list *groups)
{
    if (groups)
        __atomic_add_fetch(&groups->refs, 1, __ATOMIC_RELAXED);
    return groups;
}

void group_list_put(struct group_list *groups)
{
    if (groups && !__atomic_sub_fetch(&groups->refs, 1, __ATOMIC_ACQ_REL))
        kfree(groups);
}

static struct identity *identity_of(struct credentials *credentials, enum identity_kind kind)
{
    return kind == USERS ? &credentials->user : &credentials->group;
}

static struct identity identity_now(enum identity_kind kind)
{
    return *identity_of(&current()->credentials, kind);
}

static bool is_privileged(void) { return credentials_are_privileged(&current()->credentials); }

static void identity_set(enum identity_kind kind, struct identity new)
{
    struct identity old = identity_now(kind);
    bool irq = spin_lock_irq(&process_lock);

    if (new.effective != old.effective || new.filesystem != old.filesystem)
        current()->leader->is_dumpable = false; /* it may know what its new user shall not (prctl(2)) */
    *identity_of(&current()->credentials, kind) = new;
    current()->aspace->unprivileged = !is_privileged(); /* for the ledger's reserve */
    spin_unlock_irq(&process_lock, irq);
}

/* setuid(2), setgid(2): the privileged set all ids, others choose between the real and the saved one. */
static int set_one(enum identity_kind kind, uint32_t id)
{
    struct identity new = identity_now(kind);

    if (id == UNCHANGED)
        return -EINVAL;
    if (is_privileged())
        new.real = new.saved = id;
    else if (id != new.real && id != new.saved)
        return -EPERM;
    new.effective = new.filesystem = id;
    identity_set(kind, new);
    return 0;
}

/* setreuid(2), setregid(2). */
static int set_two(enum identity_kind kind, uint32_t real, uint32_t effective)
{
    struct identity old = identity_now(kind), new = old;

    if (real != UNCHANGED)
        new.real = real;
    if (effective != UNCHANGED)
        new.effective = effective;
    if (!is_privileged() && ((new.real != old.real && new.real != old.effective) ||
                             (new.effective != old.real && new.effective != old.effective &&
                              new.effective != old.saved)))
        return -EPERM;
    if (real != UNCHANGED || (effective != UNCHANGED && effective != old.real))
        new.saved = new.effective;
    new.filesystem = new.effective;
    identity_set(kind, new);
    return 0;
}

static bool is_one_of(uint32_t id, const struct identity *identity)
{
    return id == identity->real || id == identity->effective || id == identity->saved;
}

/* setresuid(2), setresgid(2). */
static int set_three(enum identity_kind kind, uint32_t real, uint32_t effective, uint32_t saved)
{
    struct identity old = identity_now(kind), new = old;

    if (real != UNCHANGED)
        new.real = real;
    if (effective != UNCHANGED)
        new.effective = effective;
    if (saved != UNCHANGED)
        new.saved = saved;
    if (!is_privileged() &&
        (!is_one_of(new.real, &old) || !is_one_of(new.effective, &old) || !is_one_of(new.saved, &old)))
        return -EPERM;
    new.filesystem = new.effective;
    identity_set(kind, new);
    return 0;
}

/* setfsuid(2), setfsgid(2): the result is the old id, whether it was changed or not. */
static int64_t set_filesystem(enum identity_kind kind, uint32_t id)
{
    struct identity old = identity_now(kind), new = old;

    new.filesystem = id;
    if (id != UNCHANGED && (is_privileged() || is_one_of(id, &old) || id == old.filesystem))
        identity_set(kind, new);
    return old.filesystem;
}

/* getresuid(2), getresgid(2): three pointers to a 32-bit number. */
static int get_three(enum identity_kind kind, const struct syscall_args *args)
{
    struct identity now = identity_now(kind);
    const uint32_t ids[3] = { now.real, now.effective, now.saved };

    for (int i = 0; i < 3; i++)
        if (copy_to_user(args->arg[i], &ids[i], sizeof(ids[i])))
            return -EFAULT;
    return 0;
}

int64_t sys_getuid(const struct syscall_args *args)
{
    (void)args;
    return current()->credentials.user.real;
}

int64_t sys_geteuid(const struct syscall_args *args)
{
    (void)args;
    return current()->credentials.user.effective;
}

int64_t sys_getgid(const struct syscall_args *args)
{
    (void)args;
    return current()->credentials.group.real;
}

int64_t sys_getegid(const struct syscall_args *args)
{
    (void)args;
    return current()->credentials.group.effective;
}

int64_t sys_getresuid(const struct syscall_args *args) { return get_three(USERS, args); }
int64_t sys_getresgid(const struct syscall_args *args) { return get_three(GROUPS, args); }

int64_t sys_setuid(const struct syscall_args *args) { return set_one(USERS, (uint32_t)args->arg[0]); }
int64_t sys_setgid(const struct syscall_args *args) { return set_one(GROUPS, (uint32_t)args->arg[0]); }

int64_t sys_setreuid(const struct syscall_args *args)
{
    return set_two(USERS, (uint32_t)args->arg[0], (uint32_t)args->arg[1]);
}

int64_t sys_setregid(const struct syscall_args *args)
{
    return set_two(GROUPS, (uint32_t)args->arg[0], (uint32_t)args->arg[1]);
}

int64_t sys_setresuid(const struct syscall_args *args)
{
    return set_three(USERS, (uint32_t)args->arg[0], (uint32_t)args->arg[1], (uint32_t)args->arg[2]);
}

int64_t sys_setresgid(const struct syscall_args *args)
{
    return set_three(GROUPS, (uint32_t)args->arg[0], (uint32_t)args->arg[1], (uint32_t)args->arg[2]);
}

int64_t sys_setfsuid(const struct syscall_args *args)
{
    return set_filesystem(USERS, (uint32_t)args->arg[0]);
}

int64_t sys_setfsgid(const struct syscall_args *args)
{
    return set_filesystem(GROUPS, (uint32_t)args->arg[0]);
}

/* getgroups(2): size, list. Size 0 only asks how many. */
int64_t sys_getgroups(const struct syscall_args *args)
{
    const struct group_list *groups = current()->credentials.groups;
    int size = (int)args->arg[0], count = groups ? (int)groups->count : 0;

    if (size < 0 || (size && size < count))
        return -EINVAL;
    if (size && count && copy_to_user(args->arg[1], groups->ids, (size_t)count * sizeof(groups->ids[0])))
        return -EFAULT;
    return count;
}

static void ids_exchange(uint32_t *one, uint32_t *other)
{
    uint32_t id = *one;

    *one = *other;
    *other = id;
}

/* Let the number at `at` sink in the heap of `count` (Knuth 3, 5.2.3): the largest is to stand at 0. */
static void heap_sink(uint32_t *ids, unsigned at, unsigned count)
{
    for (unsigned child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && ids[child + 1] > ids[child])
            child++;
        if (ids[at] >= ids[child])
            return;
        ids_exchange(&ids[at], &ids[child]);
    }
}

static void ids_sort(uint32_t *ids, unsigned count)
{
    for (unsigned i = count / 2; i-- > 0;)
        heap_sink(ids, i, count);
    for (unsigned i = count; i-- > 1;) {
        ids_exchange(&ids[0], &ids[i]);
        heap_sink(ids, 0, i);
    }
}

/* The list of `count` numbers (not 0) in user memory, sorted. 0, -ENOMEM, -EFAULT, -EINVAL: one of them is no id. */
static int groups_fetch(vaddr_t from, unsigned count, struct group_list **result)
{
    struct group_list *groups = kmalloc(sizeof(*groups) + count * sizeof(groups->ids[0]));
    int error = 0;

    if (!groups)
        return -ENOMEM;
    groups->refs = 1;
    groups->count = count;
    if (copy_from_user(groups->ids, from, count * sizeof(groups->ids[0])))
        error = -EFAULT;
    else
        ids_sort(groups->ids, count);
    if (!error && groups->ids[count - 1] == UNCHANGED)
        error = -EINVAL;
    if (error)
        kfree(groups);
    else
        *result = groups;
    return error;
}

/* setgroups(2): size, list. */
int64_t sys_setgroups(const struct syscall_args *args)
{
    struct group_list *groups = NULL, *old;
    unsigned count = (unsigned)args->arg[0];
    int error = 0;
    bool irq;

    if (!is_privileged())
        return -EPERM;
    if (count > GROUPS_MAX)
        return -EINVAL;
    if (count)
        error = groups_fetch(args->arg[1], count, &groups);
    if (error)
        return error;
    irq = spin_lock_irq(&process_lock);
    old = current()->credentials.groups;
    current()->credentials.groups = groups;
    spin_unlock_irq(&process_lock, irq);
    group_list_put(old);
    return 0;
}
