// SPDX-License-Identifier: MIT
/*
 * kthread.c: see kthread.h.
 */
#include "kernel/kthread.h"

#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "mm/slab.h"

struct start {
    void (*function)(void *arg);
    void *arg;
};

/* Off the CPU for good; whoever runs next frees it (sched.c). */
static void thread_end(void) __noreturn_fn;
static void thread_end(void)
{
    bool irq = spin_lock_irq(&process_lock);

    current()->is_exiting = true;
    process_leave_locked(current());
    sched_set_state(PROCESS_DEAD);
    spin_unlock_irq(&process_lock, irq);
    schedule();
    panic("a kernel thread that has ended runs again");
}

static void thread_entry(void *arg)
{
    struct start start = *(struct start *)arg;

    sched_start();
    kfree(arg);
    start.function(start.arg);
    thread_end();
}

int kthread_create(const char *name, void (*function)(void *arg), void *arg)
{
    struct start *start = kmalloc(sizeof(*start));
    struct process *thread = start ? process_create_kernel(thread_entry, start) : NULL;
    int error = -ENOMEM, pid;

    if (!thread)
        goto out_start;
    *start = (struct start){ function, arg };
    process_set_name(thread, name);
    error = process_enter(thread, NULL);
    if (error)
        goto out_thread;
    pid = thread->pid;
    sched_enqueue(thread);
    return pid;

out_thread:
    process_free(thread);
out_start:
    kfree(start);
    return error;
}
