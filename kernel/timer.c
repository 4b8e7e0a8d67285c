// SPDX-License-Identifier: MIT
/*
 * timer.c: alarms, and what the ticks of a process's own CPU time set off.
 *
 * The alarms are one list, ascending by deadline. An alarm is taken out before its function is called, with
 * no lock held, so the function may take any _irq lock and arm the alarm again.
 */
#include "kernel/timer.h"

#include "arch/x86_64/machine.h"
#include "kernel/clock.h"
#include "kernel/posix_timer.h"
#include "kernel/process.h"
#include "kernel/usage.h"

static struct spinlock alarm_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, alarm) alarms = TAILQ_HEAD_INITIALIZER(alarms);

static void remove_locked(struct alarm *alarm)
{
    if (alarm->armed)
        TAILQ_REMOVE(&alarms, alarm, link);
    alarm->armed = false;
}

static void insert_locked(struct alarm *alarm, uint64_t deadline)
{
    struct alarm *later;

    alarm->deadline = deadline;
    TAILQ_FOREACH(later, &alarms, link)
        if (later->deadline > deadline)
            break;
    if (later)
        TAILQ_INSERT_BEFORE(later, alarm, link);
    else
        TAILQ_INSERT_TAIL(&alarms, alarm, link);
    alarm->armed = true;
    timer_wake_at(deadline);
}

void alarm_arm(struct alarm *alarm, uint64_t deadline)
{
    bool irq = spin_lock_irq(&alarm_lock);

    remove_locked(alarm);
    insert_locked(alarm, deadline);
    spin_unlock_irq(&alarm_lock, irq);
}

void alarm_disarm(struct alarm *alarm)
{
    bool irq = spin_lock_irq(&alarm_lock);

    remove_locked(alarm);
    spin_unlock_irq(&alarm_lock, irq);
}

void alarm_set_wall(uint64_t boot_time)
{
    TAILQ_HEAD(, alarm) moved = TAILQ_HEAD_INITIALIZER(moved);
    struct alarm *alarm, *next;
    uint64_t before;
    bool irq = spin_lock_irq(&alarm_lock);

    before = clock_boot_time();
    clock_set_boot_time(boot_time);
    for (alarm = TAILQ_FIRST(&alarms); alarm; alarm = next) {
        next = TAILQ_NEXT(alarm, link);
        if (!alarm->follows_wall)
            continue;
        TAILQ_REMOVE(&alarms, alarm, link);
        TAILQ_INSERT_TAIL(&moved, alarm, link);
    }
    while ((alarm = TAILQ_FIRST(&moved)) != NULL) {
        uint64_t wall = alarm->deadline + before;

        TAILQ_REMOVE(&moved, alarm, link);
        insert_locked(alarm, wall > boot_time ? wall - boot_time : 0);
    }
    spin_unlock_irq(&alarm_lock, irq);
}

/* The first alarm that is due, taken out; or NULL. */
static struct alarm *take_due(uint64_t now)
{
    bool irq = spin_lock_irq(&alarm_lock);
    struct alarm *alarm = TAILQ_FIRST(&alarms);

    if (alarm && alarm->deadline > now)
        alarm = NULL;
    if (alarm)
        remove_locked(alarm);
    spin_unlock_irq(&alarm_lock, irq);
    return alarm;
}

uint64_t alarm_expire(uint64_t now)
{
    struct alarm *alarm;
    uint64_t next;
    bool irq;

    while ((alarm = take_due(now)) != NULL)
        alarm->ring(alarm);
    irq = spin_lock_irq(&alarm_lock);
    next = TAILQ_EMPTY(&alarms) ? UINT64_MAX : TAILQ_FIRST(&alarms)->deadline;
    spin_unlock_irq(&alarm_lock, irq);
    return next;
}

uint64_t alarm_arm_next(struct alarm *alarm, uint64_t interval)
{
    uint64_t now = clock_nanoseconds();
    uint64_t missed = now > alarm->deadline ? (now - alarm->deadline) / interval : 0;

    alarm_arm(alarm, alarm->deadline + (missed + 1) * interval);
    return missed;
}

void alarm_arm_next_unheard(struct alarm *alarm, uint64_t interval)
{
    uint64_t soonest = clock_nanoseconds() + NANOSECONDS / TIMER_HZ;

    (void)alarm_arm_next(alarm, interval);
    if (alarm->deadline < soonest)
        alarm_arm(alarm, alarm->deadline + (soonest - alarm->deadline + interval - 1) / interval * interval);
}

/* ITIMER_REAL has run out. With an interval it goes on when its signal is taken. */
static void real_ring(struct alarm *alarm)
{
    struct process *process = container_of(alarm, struct process, timers.real);
    uint64_t interval = process->timers.real_interval;

    signal_send_kernel(process, SIGALRM);
    if (interval && !signal_waits(process, SIGALRM))
        alarm_arm_next_unheard(alarm, interval);
}

void timers_alarm_taken_locked(struct process *process)
{
    struct process_timers *timers = &process->timers;

    if (timers->real_interval && !timers->real.armed)
        (void)alarm_arm_next(&timers->real, timers->real_interval);
}

void timers_init(struct process_timers *timers)
{
    timers->real.ring = real_ring;
    LIST_INIT(&timers->posix);
}

/* Count one tick. Is the time up? Then it starts again with its interval. */
static bool tick_timer_count(struct tick_timer *timer)
{
    if (!timer->left || --timer->left)
        return false;
    timer->left = timer->interval;
    return true;
}

/*
 * RLIMIT_CPU, in seconds: SIGXCPU each second from the soft limit on, which moves up with it as in Linux;
 * SIGKILL at the hard one.
 */
static void charge_limit(struct process *process)
{
    struct rlimit64 *limit = &process->limits[RLIMIT_CPU];
    struct process_usage usage;
    uint64_t ticks;
    bool irq;

    if (limit->rlim_cur == RLIM64_INFINITY)
        return;
    irq = spin_lock_irq(&process_lock);
    usage_total_locked(process, &usage);
    spin_unlock_irq(&process_lock, irq);
    ticks = usage.user_ticks + usage.system_ticks;
    if (ticks % TIMER_HZ)
        return;
    if (ticks / TIMER_HZ >= limit->rlim_max) {
        signal_send_kernel(process, SIGKILL);
    } else if (ticks / TIMER_HZ >= limit->rlim_cur) {
        limit->rlim_cur++;
        signal_send_kernel(process, SIGXCPU);
    }
}

void timers_charge(struct process *thread, bool user)
{
    struct process *process = thread->leader;
    struct process_timers *timers = &process->timers;

    if (user && tick_timer_count(&timers->virtual))
        signal_send_kernel(process, SIGVTALRM);
    if (tick_timer_count(&timers->profile))
        signal_send_kernel(process, SIGPROF);
    charge_limit(process);
    if (timers->cpu_timers)
        posix_timers_charge(process);
}

void timers_reset_for_exec(struct process *process) { posix_timers_release(process); }

void timers_release(struct process *process)
{
    alarm_disarm(&process->timers.real);
    process->timers.real_interval = 0;
    process->timers.virtual = process->timers.profile = (struct tick_timer){ 0 };
    posix_timers_release(process);
}
