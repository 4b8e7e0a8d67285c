// SPDX-License-Identifier: MIT
/*
 * posix_timer.c: timer_create(2) and its kin.
 *
 * A timer sends its signal and, with an interval, goes on when that is taken, which is when the expiries that
 * would have come meanwhile are counted (overruns). So a short interval cannot keep the machine busy. A real-time
 * signal's queue entry is made with the timer, so that sending cannot fail in the interrupt.
 *
 * Timers on wall-clock time and time since boot are alarms; those on the CPU clock of the process or the thread are
 * looked at by each tick it runs. No timer runs on the CPU clock of another process or thread (EINVAL).
 *
 * Lock: process_lock for the list and all of a timer but its alarm.
 */
#include "kernel/posix_timer.h"

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

struct posix_timer {
    struct alarm alarm;
    struct process *process; /* the leader */
    struct process *target;  /* the thread that gets the signal (SIGEV_THREAD_ID); NULL: the process */
    struct process *clocked; /* whose CPU clock it is; NULL: no CPU clock, or the thread has ended */
    int id;
    int clock_number;
    enum clock_kind clock; /* its kind */
    int number; /* the signal; 0: none (SIGEV_NONE) */
    sigval_t value;
    uint64_t interval;     /* nanoseconds; 0: once */
    uint64_t cpu_deadline; /* CLOCK_CPU, nanoseconds by that clock; 0: not set */
    bool is_waiting; /* to go on with its interval: for its signal to be taken; without one, for ever */
    uint64_t overrun, last_overrun;
    struct signal_entry *entry; /* for a real-time signal */
    LIST_ENTRY(posix_timer) link;
};

static struct slab_cache timer_cache = SLAB_CACHE_INIT(timer_cache, "posix_timer", struct posix_timer);

static struct posix_timer *find_locked(const struct process *process, int id)
{
    struct posix_timer *timer;

    LIST_FOREACH(timer, &process->leader->timers.posix, link)
        if (timer->id == id)
            return timer;
    return NULL;
}

int timers_take_overrun_locked(struct process *process, int id)
{
    struct posix_timer *timer = find_locked(process, id);

    if (!timer)
        return 0;
    if (timer->is_waiting)
        timer->overrun += alarm_arm_next(&timer->alarm, timer->interval);
    timer->is_waiting = false;
    timer->last_overrun = MIN(timer->overrun, (uint64_t)INT_MAX); /* DELAYTIMER_MAX */
    timer->overrun = 0;
    return (int)timer->last_overrun;
}

/* Is the timer's own signal still pending? */
static bool is_pending_locked(const struct posix_timer *timer)
{
    const struct pending *pending = timer->target ? &timer->target->signals->own : &timer->process->signals->shared;
    const struct signal_record *record = &pending->records[timer->number - 1];

    if (timer->entry)
        return timer->entry->is_queued;
    return (pending->mask & signal_bit(timer->number)) && record->si_code == SI_TIMER &&
           record->si_tid == timer->id;
}

static void fire_locked(struct posix_timer *timer)
{
    struct signal_record record = { .si_code = SI_TIMER };

    if (!timer->number)
        return;
    if (is_pending_locked(timer)) {
        timer->overrun++;
        return;
    }
    record.si_tid = timer->id;
    record._sifields._timer._sigval = timer->value;
    if (timer->target)
        (void)signal_send_thread_locked(timer->target, timer->number, &record, timer->entry);
    else
        (void)signal_send_locked(timer->process, timer->number, &record, timer->entry);
}

static void ring(struct alarm *alarm)
{
    struct posix_timer *timer = container_of(alarm, struct posix_timer, alarm);
    bool irq = spin_lock_irq(&process_lock);

    fire_locked(timer);
    timer->is_waiting = timer->interval && (!timer->number || is_pending_locked(timer));
    if (timer->interval && !timer->is_waiting)
        alarm_arm_next_unheard(alarm, timer->interval);
    spin_unlock_irq(&process_lock, irq);
}

static uint64_t cpu_time_locked(const struct posix_timer *timer)
{
    return timer->clocked ? clock_cpu_read_locked(timer->clock_number, timer->clocked) : 0;
}

static void charge_locked(struct posix_timer *timer)
{
    uint64_t now = cpu_time_locked(timer);

    if (!timer->cpu_deadline || timer->cpu_deadline > now)
        return;
    fire_locked(timer);
    if (timer->interval) {
        uint64_t missed = (now - timer->cpu_deadline) / timer->interval;

        timer->overrun += missed;
        timer->cpu_deadline += (missed + 1) * timer->interval;
    } else {
        timer->cpu_deadline = 0;
    }
}

void posix_timers_charge(struct process *leader)
{
    struct posix_timer *timer;
    bool irq = spin_lock_irq(&process_lock);

    LIST_FOREACH(timer, &leader->timers.posix, link)
        if (timer->clock == CLOCK_CPU)
            charge_locked(timer);
    spin_unlock_irq(&process_lock, irq);
}

void posix_timers_forget_thread_locked(const struct process *thread)
{
    struct posix_timer *timer;

    LIST_FOREACH(timer, &thread->leader->timers.posix, link) {
        if (timer->clocked == thread && clock_is_of_thread(timer->clock_number)) {
            timer->clocked = NULL;
            timer->cpu_deadline = 0;
        }
        if (timer->target == thread) {
            timer->target = NULL;
            timer->number = 0;
        }
    }
}

/* Out of the list; a signal that is still queued stays, and its entry goes when it is delivered. */
static void delete_locked(struct posix_timer *timer)
{
    alarm_disarm(&timer->alarm);
    LIST_REMOVE(timer, link);
    timer->process->timers.cpu_timers -= timer->clock == CLOCK_CPU;
    if (timer->entry && timer->entry->is_queued)
        timer->entry->is_kept = false;
    else
        signal_entry_free(timer->entry);
    slab_free(&timer_cache, timer);
}

void posix_timers_release(struct process *leader)
{
    bool irq = spin_lock_irq(&process_lock);

    while (!LIST_EMPTY(&leader->timers.posix))
        delete_locked(LIST_FIRST(&leader->timers.posix));
    spin_unlock_irq(&process_lock, irq);
}

static bool names_thread(const struct sigevent *event) { return event->sigev_notify == (SIGEV_SIGNAL | SIGEV_THREAD_ID); }

/* A thread of the current process. */
static struct process *find_thread_locked(int tid)
{
    struct process *thread = process_find_locked(tid);

    return thread && thread->leader == current()->leader ? thread : NULL;
}

static bool has_thread(int tid)
{
    bool irq = spin_lock_irq(&process_lock), has = find_thread_locked(tid);

    spin_unlock_irq(&process_lock, irq);
    return has;
}

/* What timer_create(2) is asked to send: 0 or -EINVAL. Without `event` it is SIGALRM. */
static int event_check(const struct sigevent *event)
{
    int notify = event->sigev_notify;

    if (notify == SIGEV_NONE)
        return 0;
    if (names_thread(event)) {
        if (!has_thread(event->sigev_notify_thread_id))
            return -EINVAL;
        notify = SIGEV_SIGNAL;
    }
    if (notify != SIGEV_SIGNAL && notify != SIGEV_THREAD)
        return -EINVAL;
    return signal_is_valid(event->sigev_signo) ? 0 : -EINVAL;
}

static struct posix_timer *make_timer(int clock, int number)
{
    struct posix_timer *timer = slab_alloc(&timer_cache);

    if (!timer)
        return NULL;
    timer->alarm.ring = ring;
    timer->process = current()->leader;
    timer->clock_number = clock;
    timer->clock = clock_kind_of(clock);
    timer->number = number;
    if (number < SIGNAL_REAL_TIME)
        return timer;
    timer->entry = signal_entry_create();
    if (!timer->entry) {
        slab_free(&timer_cache, timer);
        return NULL;
    }
    timer->entry->is_kept = true;
    return timer;
}

static int enter_timer(struct posix_timer *timer, const struct sigevent *event)
{
    struct process_timers *timers = &timer->process->timers;
    bool irq = spin_lock_irq(&process_lock);

    timer->id = timers->next_id++;
    if (timer->clock == CLOCK_CPU)
        timer->clocked = clock_cpu_owner_locked(timer->clock_number);
    if (event && names_thread(event))
        timer->target = find_thread_locked(event->sigev_notify_thread_id);
    if (event && names_thread(event) && !timer->target)
        timer->number = 0; /* it has ended meanwhile */
    if (event)
        timer->value = event->sigev_value;
    else
        timer->value.sival_int = timer->id;
    LIST_INSERT_HEAD(&timers->posix, timer, link);
    timers->cpu_timers += timer->clock == CLOCK_CPU;
    spin_unlock_irq(&process_lock, irq);
    return timer->id;
}

static int delete_timer(int id)
{
    bool irq = spin_lock_irq(&process_lock);
    struct posix_timer *timer = find_locked(current(), id);

    if (timer)
        delete_locked(timer);
    spin_unlock_irq(&process_lock, irq);
    return timer ? 0 : -EINVAL;
}

static bool is_own(int clock)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct process *owner = clock_cpu_owner_locked(clock);
    bool is_own = owner && owner->leader == current()->leader;

    spin_unlock_irq(&process_lock, irq);
    return is_own;
}

/*
 * May a timer run on this clock? Not on the coarse and raw ones, nor on another process's CPU; on those that would
 * wake a sleeping machine only by privilege.
 */
static int clock_check(int clock)
{
    if (!clock_kind_of(clock) || (clock < 0 && !is_own(clock)))
        return -EINVAL;
    if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW)
        return -EOPNOTSUPP;
    return clock_may_wake(clock) ? 0 : -EPERM;
}

/* timer_create(2): clock, struct sigevent *, timer_t *. */
int64_t sys_timer_create(const struct syscall_args *args)
{
    int clock = (int)args->arg[0], error = clock_check(clock);
    struct sigevent event = { .sigev_signo = SIGALRM, .sigev_notify = SIGEV_SIGNAL };
    struct posix_timer *timer;
    int id;

    if (args->arg[1] && copy_from_user(&event, args->arg[1], sizeof(event)))
        return -EFAULT;
    if (error || event_check(&event))
        return error ? error : -EINVAL;
    timer = make_timer(clock, event.sigev_notify == SIGEV_NONE ? 0 : event.sigev_signo);
    if (!timer)
        return -EAGAIN;
    id = enter_timer(timer, args->arg[1] ? &event : NULL);
    if (copy_to_user(args->arg[2], &id, sizeof(id))) {
        (void)!delete_timer(id);
        return -EFAULT;
    }
    return 0;
}

/* timer_delete(2): timer. */
int64_t sys_timer_delete(const struct syscall_args *args) { return delete_timer((int)args->arg[0]); }

/* timer_getoverrun(2): timer. */
int64_t sys_timer_getoverrun(const struct syscall_args *args)
{
    bool irq = spin_lock_irq(&process_lock);
    const struct posix_timer *timer = find_locked(current(), (int)args->arg[0]);
    int64_t result = timer ? (int64_t)timer->last_overrun : -EINVAL;

    spin_unlock_irq(&process_lock, irq);
    return result;
}

/* What its clock says now: CPU time, or time since boot, by which its alarm goes. process_lock is held. */
static uint64_t timer_now(const struct posix_timer *timer)
{
    return timer->clock == CLOCK_CPU ? cpu_time_locked(timer) : clock_nanoseconds();
}

static struct __kernel_itimerspec read_locked(const struct posix_timer *timer)
{
    uint64_t now = timer_now(timer), left = 0;
    bool is_set = timer->alarm.armed || timer->is_waiting;
    uint64_t deadline = is_set ? timer->alarm.deadline : timer->cpu_deadline;

    if (is_set && timer->interval && deadline <= now)
        deadline += ((now - deadline) / timer->interval + 1) * timer->interval;
    if (deadline)
        left = deadline > now ? deadline - now : 1; /* 0 would mean that it is not set */
    return (struct __kernel_itimerspec){ .it_interval = timespec_of(timer->interval),
                                         .it_value = timespec_of(left) };
}

/* A time of the wall clock, since boot and not 0. The expiries before boot have been missed. */
static uint64_t since_boot(struct posix_timer *timer, uint64_t wall)
{
    uint64_t boot = clock_boot_time();

    if (wall > boot)
        return wall - boot;
    if (timer->interval)
        timer->overrun = (boot - wall) / timer->interval;
    return 1;
}

/* Set it to run out at `value` on its clock, or so long from now. */
static void set_locked(struct posix_timer *timer, uint64_t value, uint64_t interval, bool absolute)
{
    uint64_t start = !absolute ? timer_now(timer) : 0, deadline;

    alarm_disarm(&timer->alarm);
    timer->is_waiting = false;
    timer->cpu_deadline = 0;
    timer->interval = value ? interval : 0;
    timer->overrun = timer->last_overrun = 0;
    if (!value)
        return;
    timer->alarm.follows_wall = absolute && timer->clock == CLOCK_WALL;
    if (timer->alarm.follows_wall)
        value = since_boot(timer, value);
    if (__builtin_add_overflow(start, value, &deadline))
        deadline = UINT64_MAX;
    if (timer->clock == CLOCK_CPU)
        timer->cpu_deadline = deadline;
    else
        alarm_arm(&timer->alarm, deadline);
}

/* timer_gettime(2): timer, struct itimerspec *. */
int64_t sys_timer_gettime(const struct syscall_args *args)
{
    struct __kernel_itimerspec now = { 0 };
    bool irq = spin_lock_irq(&process_lock);
    const struct posix_timer *timer = find_locked(current(), (int)args->arg[0]);

    if (timer)
        now = read_locked(timer);
    spin_unlock_irq(&process_lock, irq);
    return timer ? copy_to_user(args->arg[1], &now, sizeof(now)) : -EINVAL;
}

/* timer_settime(2): timer, flags, const struct itimerspec *new, struct itimerspec *old. */
int64_t sys_timer_settime(const struct syscall_args *args)
{
    struct __kernel_itimerspec new, old = { 0 };
    struct posix_timer *timer;
    uint64_t value, interval;
    bool irq;

    if (!args->arg[2])
        return -EINVAL;
    if (copy_from_user(&new, args->arg[2], sizeof(new)))
        return -EFAULT;
    if (!timespec_read(&new.it_value, &value) || !timespec_read(&new.it_interval, &interval))
        return -EINVAL;
    irq = spin_lock_irq(&process_lock);
    timer = find_locked(current(), (int)args->arg[0]);
    if (timer) {
        old = read_locked(timer);
        set_locked(timer, value, interval, args->arg[1] & TIMER_ABSTIME);
    }
    spin_unlock_irq(&process_lock, irq);
    if (!timer)
        return -EINVAL;
    return args->arg[3] ? copy_to_user(args->arg[3], &old, sizeof(old)) : 0;
}
