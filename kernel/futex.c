// SPDX-License-Identifier: MIT
/*
 * futex.c: futex(2): sleep as long as a word of user memory has a value, and wake who sleeps on one. And the
 * list of locks that a dying process leaves behind (set_robust_list(2)).
 *
 * A word is known by what it lies in: in memory that is shared, the object and the offset, so that processes
 * meet whatever addresses they see it at; else the address space and the address.
 *
 * A waiter lies on the sleeper's stack, in one list of all, oldest first. It enters the list before it looks
 * at the word, so a wake-up after the word has changed finds it. Whoever wakes it takes it out.
 *
 * Not built: the operations with priority inheritance, and FUTEX_WAKE_OP (ENOSYS).
 *
 * Lock: futex_lock, before the run queue's. No user memory is touched under it.
 */
#include "kernel/futex.h"

#include <linux/futex.h>

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

#define ROBUST_LIST_MAX 2048 /* entries looked at: the list may be a circle */

struct futex_key {
    struct aspace *aspace;   /* of private memory; no reference: its process sleeps in it */
    struct pagecache *cache; /* of shared memory: one reference */
    uint64_t where;          /* address, or offset in the object */
};

struct futex_waiter {
    struct futex_key key;
    uint32_t bits; /* FUTEX_WAKE_BITSET wakes it if they meet */
    struct process *process;
    bool is_queued; /* not woken yet */
    TAILQ_ENTRY(futex_waiter) link;
};
TAILQ_HEAD(futex_list, futex_waiter);

static struct spinlock futex_lock = SPINLOCK_INIT;
static struct futex_list waiters = TAILQ_HEAD_INITIALIZER(waiters);

/* ---- which word ---- */

static void key_put(struct futex_key *key)
{
    if (key->cache)
        pagecache_put(key->cache);
}

static bool key_equal(const struct futex_key *one, const struct futex_key *other)
{
    return one->aspace == other->aspace && one->cache == other->cache && one->where == other->where;
}

/* The word may be anywhere: 0 with a key to be put, -EINVAL, -EFAULT. */
static int key_make(struct futex_key *key, vaddr_t address, bool is_private)
{
    struct aspace *aspace = current()->aspace;
    struct vma *vma;

    if (!is_aligned(address, sizeof(uint32_t)))
        return -EINVAL;
    if (address >= USER_END)
        return -EFAULT;
    *key = (struct futex_key){ .aspace = aspace, .where = address };
    if (is_private)
        return 0;
    mutex_lock(&aspace->lock);
    vma = vma_find(&aspace->vmas, address);
    if (vma && (vma->flags & VMA_SHARED) && vma->cache)
        *key = (struct futex_key){ .cache = pagecache_get(vma->cache),
                                   .where = vma_index_of(vma, address) * PAGE_SIZE + address % PAGE_SIZE };
    mutex_unlock(&aspace->lock);
    return vma ? 0 : -EFAULT;
}

/* ---- waiting ---- */

static bool is_woken(void *arg)
{
    struct futex_waiter *waiter = arg;

    return !READ_ONCE(waiter->is_queued);
}

static void enqueue(struct futex_waiter *waiter)
{
    spin_lock(&futex_lock);
    TAILQ_INSERT_TAIL(&waiters, waiter, link);
    waiter->is_queued = true;
    spin_unlock(&futex_lock);
}

/* Out of the list. False: it has been woken. */
static bool leave(struct futex_waiter *waiter)
{
    bool was_queued;

    spin_lock(&futex_lock);
    was_queued = waiter->is_queued;
    if (was_queued)
        TAILQ_REMOVE(&waiters, waiter, link);
    waiter->is_queued = false;
    spin_unlock(&futex_lock);
    return was_queued;
}

struct futex_wait {
    vaddr_t address;
    uint32_t value, bits;
    bool is_private;
    uint64_t deadline; /* nanoseconds since boot; 0: none */
};

/* Sleep if the word has the value: 0 when woken, -EAGAIN if it has not, -EFAULT, -ETIMEDOUT, -ERESTARTSYS. */
static int sleep_if_equal(struct futex_waiter *waiter, const struct futex_wait *wait)
{
    struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
    uint32_t value;

    if (copy_from_user(&value, wait->address, sizeof(value)))
        return -EFAULT;
    if (value != wait->value)
        return -EAGAIN;
    return wait_until(&nobody, is_woken, waiter, WAIT_INTERRUPTIBLE, wait->deadline);
}

static int futex_wait(const struct futex_wait *wait)
{
    struct futex_waiter waiter = { .bits = wait->bits, .process = current() };
    int result;

    if (!wait->bits)
        return -EINVAL;
    result = key_make(&waiter.key, wait->address, wait->is_private);
    if (result)
        return result;
    enqueue(&waiter);
    result = sleep_if_equal(&waiter, wait);
    if (!leave(&waiter))
        result = 0; /* it counted as woken: nobody else was in its place */
    key_put(&waiter.key);
    return result;
}

/* A wait with a time-out that a stop and SIGCONT interrupted goes on. */
static int64_t wait_resume(struct restart *restart)
{
    const struct futex_wait wait = {
        .address = restart->arg[0],
        .value = (uint32_t)restart->arg[1],
        .bits = (uint32_t)(restart->arg[1] >> 32),
        .is_private = restart->arg[2],
        .deadline = restart->deadline,
    };
    int result = futex_wait(&wait);

    return result == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : result;
}

static int64_t wait_restartably(const struct futex_wait *wait)
{
    int result = futex_wait(wait);

    if (result != -ERESTARTSYS || !wait->deadline)
        return result;
    current()->restart = (struct restart){
        .resume = wait_resume,
        .deadline = wait->deadline,
        .arg = { wait->address, (uint64_t)wait->bits << 32 | wait->value, wait->is_private },
    };
    return -ERESTART_RESTARTBLOCK;
}

/* ---- waking ---- */

static void wake_locked(struct futex_waiter *waiter)
{
    bool irq = interrupts_disable();

    TAILQ_REMOVE(&waiters, waiter, link);
    waiter->is_queued = false;
    sched_wake(waiter->process);
    interrupts_restore(irq);
}

/* As Linux does, at least one. */
static int64_t wake_key(const struct futex_key *key, int most, uint32_t bits)
{
    struct futex_waiter *waiter, *next;
    int woken = 0;

    spin_lock(&futex_lock);
    for (waiter = TAILQ_FIRST(&waiters); waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, link);
        if (!key_equal(&waiter->key, key) || !(waiter->bits & bits))
            continue;
        wake_locked(waiter);
        if (++woken >= most)
            break;
    }
    spin_unlock(&futex_lock);
    return woken;
}

static int64_t futex_wake(vaddr_t address, int most, uint32_t bits, bool is_private)
{
    struct futex_key key;
    int64_t result;

    if (!bits)
        return -EINVAL;
    result = key_make(&key, address, is_private);
    if (result)
        return result;
    result = wake_key(&key, most, bits);
    key_put(&key);
    return result;
}

struct futex_requeue {
    vaddr_t from, to;
    int wake, move; /* the most of each */
    bool compares;  /* FUTEX_CMP_REQUEUE: only if the word has this value */
    uint32_t value;
    bool is_private;
};

/* The waiter sleeps on another word from now on; its reference on the object changes, too. */
static void move_locked(struct futex_waiter *waiter, const struct futex_key *to, struct futex_list *moved)
{
    if (to->cache)
        pagecache_get(to->cache);
    key_put(&waiter->key); /* not the last: the caller has a key of the same word */
    waiter->key = *to;
    TAILQ_REMOVE(&waiters, waiter, link);
    TAILQ_INSERT_TAIL(moved, waiter, link);
}

static int64_t requeue_keys(const struct futex_requeue *request, const struct futex_key *from,
                            const struct futex_key *to)
{
    struct futex_list moved = TAILQ_HEAD_INITIALIZER(moved);
    struct futex_waiter *waiter, *next;
    int64_t done = 0;

    spin_lock(&futex_lock);
    for (waiter = TAILQ_FIRST(&waiters); waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, link);
        if (done - request->wake >= request->move)
            break;
        if (!key_equal(&waiter->key, from))
            continue;
        if (++done <= request->wake)
            wake_locked(waiter);
        else
            move_locked(waiter, to, &moved);
    }
    TAILQ_CONCAT(&waiters, &moved, link);
    spin_unlock(&futex_lock);
    return done;
}

static int64_t futex_requeue(const struct futex_requeue *request)
{
    struct futex_key from, to;
    uint32_t value;
    int64_t result;

    if (request->wake < 0 || request->move < 0)
        return -EINVAL;
    result = key_make(&from, request->from, request->is_private);
    if (result)
        return result;
    result = key_make(&to, request->to, request->is_private);
    if (result)
        goto out_from;
    if (request->compares && copy_from_user(&value, request->from, sizeof(value)))
        result = -EFAULT;
    else if (request->compares && value != request->value)
        result = -EAGAIN;
    else
        result = requeue_keys(request, &from, &to);
    key_put(&to);
out_from:
    key_put(&from);
    return result;
}

/* ---- the system call ---- */

/* When a wait ends: 0 (never) without a time-out. FUTEX_WAIT's is relative, FUTEX_WAIT_BITSET's a time. */
static int fetch_deadline(vaddr_t address, int operation, uint64_t *deadline)
{
    uint64_t time, start;
    int error;

    *deadline = 0;
    if (!address)
        return 0;
    error = timespec_fetch(address, &time);
    if (error)
        return error;
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        if (__builtin_add_overflow(clock_nanoseconds(), time, deadline))
            *deadline = UINT64_MAX;
        return 0;
    }
    start = operation & FUTEX_CLOCK_REALTIME ? clock_boot_time() : 0;
    *deadline = time > start ? time - start : 1;
    return 0;
}

static int64_t wait_call(const struct syscall_args *args, int operation, uint32_t bits)
{
    struct futex_wait wait = {
        .address = args->arg[0],
        .value = (uint32_t)args->arg[2],
        .bits = bits,
        .is_private = operation & FUTEX_PRIVATE_FLAG,
    };
    int error = fetch_deadline(args->arg[3], operation, &wait.deadline);

    return error ? error : wait_restartably(&wait);
}

static int64_t requeue_call(const struct syscall_args *args, int operation)
{
    const struct futex_requeue request = {
        .from = args->arg[0],
        .to = args->arg[4],
        .wake = (int)args->arg[2],
        .move = (int)args->arg[3],
        .compares = (operation & FUTEX_CMD_MASK) == FUTEX_CMP_REQUEUE,
        .value = (uint32_t)args->arg[5],
        .is_private = operation & FUTEX_PRIVATE_FLAG,
    };

    return futex_requeue(&request);
}

/* futex(2): address, operation, value, time-out or second value, second address, third value. */
int64_t sys_futex(const struct syscall_args *args)
{
    int operation = (int)args->arg[1], command = operation & FUTEX_CMD_MASK;
    uint32_t bits = (uint32_t)args->arg[5];

    if ((operation & FUTEX_CLOCK_REALTIME) && command != FUTEX_WAIT_BITSET)
        return -ENOSYS;
    switch (command) {
    case FUTEX_WAIT:
        return wait_call(args, operation, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET:
        return wait_call(args, operation, bits);
    case FUTEX_WAKE:
        bits = FUTEX_BITSET_MATCH_ANY; /* fall through */
    case FUTEX_WAKE_BITSET:
        return futex_wake(args->arg[0], (int)args->arg[2], bits, operation & FUTEX_PRIVATE_FLAG);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        return requeue_call(args, operation);
    default:
        return -ENOSYS;
    }
}

/* ---- what the dead leave behind ---- */

/*
 * If the current process holds this lock, mark it as its dead owner's. One waiter looks at it again, whether or
 * not one was announced: it may have been while the page was fetched.
 */
static int release_lock(vaddr_t address)
{
    uint32_t word;

    if (!is_aligned(address, sizeof(word)) || copy_from_user(&word, address, sizeof(word)))
        return -EFAULT;
    if ((word & FUTEX_TID_MASK) != (uint32_t)current()->pid)
        return 0;
    word = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (copy_to_user(address, &word, sizeof(word)))
        return -EFAULT;
    (void)futex_wake(address, 1, FUTEX_BITSET_MATCH_ANY, false);
    return 0;
}

/* Links of the list carry a mark in bit 0 for locks with priority inheritance. */
static vaddr_t link_address(uint64_t link) { return link & ~1ul; }

static void release_robust_list(vaddr_t head_address)
{
    struct robust_list_head head;
    vaddr_t pending, entry;

    if (copy_from_user(&head, head_address, sizeof(head)))
        return;
    pending = link_address((uint64_t)head.list_op_pending);
    entry = link_address((uint64_t)head.list.next);
    for (unsigned i = 0; i < ROBUST_LIST_MAX && entry != head_address; i++) {
        uint64_t next;
        int error = copy_from_user(&next, entry, sizeof(next)); /* before others may change it */

        if (entry != pending && release_lock(entry + (uint64_t)head.futex_offset))
            return;
        if (error)
            return;
        entry = link_address(next);
    }
    if (pending)
        (void)release_lock(pending + (uint64_t)head.futex_offset);
}

void futex_leave_memory(struct process *process)
{
    static const int nobody;
    vaddr_t address = process->clear_child_tid;

    if (process->robust_list)
        release_robust_list(process->robust_list);
    if (address && process->aspace->refs > 1 && !copy_to_user(address, &nobody, sizeof(nobody)))
        (void)futex_wake(address, 1, FUTEX_BITSET_MATCH_ANY, false);
    process->robust_list = process->clear_child_tid = 0;
}
