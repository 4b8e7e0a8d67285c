// SPDX-License-Identifier: MIT
/*
 * timer.c: the timer's interrupt (8254 channel 0) and the clock (the TSC, measured against 8254 channel 2).
 *
 * Channel 0 runs once, up to the next tick or to the next alarm if that comes first. What has come is told by
 * the clock and not by the interrupt: one that comes early only sets the rest again, and one that is late
 * brings as many ticks as have passed.
 *
 * The 8254 counts at 1193182 Hz on every PC, and in QEMU it follows the same virtual time as the TSC does,
 * also under -icount. Source: Intel 8254 data sheet.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/machine.h"
#include "arch/x86_64/rtc.h"
#include "kernel/entry.h"
#include "kernel/lib/log.h"

#define PIT_HZ 1193182u
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_ALARM 0x30    /* channel 0, both bytes, mode 0: one interrupt when the count is used up */
#define PIT_ONCE 0xb0     /* channel 2, both bytes, mode 0 */
#define PIT_LATCH2 0x80   /* hold channel 2's count for reading */

#define SPEAKER_PORT 0x61
#define SPEAKER_GATE 0x01 /* lets channel 2 count */
#define SPEAKER_SOUND 0x02

#define NANOSECONDS 1000000000ull
#define TICK_NANOSECONDS (NANOSECONDS / TIMER_HZ) /* fits 16 bits of channel 0: 55 ms */
#define CALIBRATION_TICKS (PIT_HZ / 500) /* 2 ms: a tick of doubt is 0.04 % */
#define READINGS 5

static uint64_t tsc_start, tsc_frequency;
static uint64_t nanoseconds_per_tick; /* fixed point, 32 bits after the point; 0: no clock yet */
static uint64_t boot_time;

/* Nanoseconds since boot; with interrupts off. */
static uint64_t next_tick;
static uint64_t programmed; /* what channel 0 counts up to; UINT64_MAX: nothing */

/* The 8254's count and the TSC at the same moment. */
struct reading {
    uint64_t tsc;
    uint16_t count;
    uint64_t doubt; /* TSC ticks between before and after */
};

static struct reading reading_take(void)
{
    struct reading reading;
    uint64_t before = cpu_tsc();
    io_out8(PIT_COMMAND, PIT_LATCH2);
    uint64_t after = cpu_tsc();
    reading.count = io_in8(PIT_CHANNEL2);
    reading.count |= (uint16_t)(io_in8(PIT_CHANNEL2) << 8);
    reading.doubt = after - before;
    reading.tsc = before + reading.doubt / 2;
    return reading;
}

/* The best of several: a host that is busy elsewhere can stretch any one of them. */
static struct reading reading_best(void)
{
    struct reading best = reading_take();
    for (unsigned i = 1; i < READINGS; i++) {
        struct reading reading = reading_take();
        if (reading.doubt < best.doubt)
            best = reading;
    }
    return best;
}

static uint64_t tsc_measure(void)
{
    io_out8(SPEAKER_PORT, (io_in8(SPEAKER_PORT) & ~SPEAKER_SOUND) | SPEAKER_GATE);
    io_out8(PIT_COMMAND, PIT_ONCE);
    io_out8(PIT_CHANNEL2, 0xff);
    io_out8(PIT_CHANNEL2, 0xff);
    struct reading first = reading_best(), last;
    do {
        last = reading_best();
    } while ((uint16_t)(first.count - last.count) < CALIBRATION_TICKS);
    return (last.tsc - first.tsc) * PIT_HZ / (uint16_t)(first.count - last.count);
}

void clock_init(void)
{
    tsc_frequency = tsc_measure();
    tsc_start = cpu_tsc();
    nanoseconds_per_tick = (NANOSECONDS << 32) / tsc_frequency;
    boot_time = rtc_read() * NANOSECONDS;
}

uint64_t clock_nanoseconds(void)
{
    if (!nanoseconds_per_tick)
        return 0;
    return (unsigned __int128)(cpu_tsc() - tsc_start) * nanoseconds_per_tick >> 32;
}

uint64_t clock_tsc_frequency(void) { return tsc_frequency; }

uint64_t clock_boot_time(void) { return boot_time; }

uint64_t clock_wall(void) { return boot_time + clock_nanoseconds(); }

void clock_set_boot_time(uint64_t time) { boot_time = time; }

/* Count up to `deadline`, at most a tick away. The result is rounded up, so as not to come too early. */
static void alarm_program(uint64_t deadline)
{
    uint64_t now = clock_nanoseconds();
    uint64_t count = deadline > now ? (deadline - now) * PIT_HZ / NANOSECONDS + 1 : 1;

    programmed = deadline;
    io_out8(PIT_COMMAND, PIT_ALARM);
    io_out8(PIT_CHANNEL0, count & 0xff);
    io_out8(PIT_CHANNEL0, count >> 8);
}

void timer_wake_at(uint64_t deadline)
{
    deadline = MIN(deadline, next_tick);
    if (deadline < programmed)
        alarm_program(deadline);
}

static void timer_interrupt(const struct trapframe *frame)
{
    uint64_t now = clock_nanoseconds(), alarm;
    unsigned ticks = 0;

    if (now >= next_tick)
        ticks = (now - next_tick) / TICK_NANOSECONDS + 1;
    next_tick += ticks * TICK_NANOSECONDS;
    programmed = 0; /* whatever is set from here on is in the result */
    alarm = timer_tick(frame, ticks);
    programmed = UINT64_MAX;
    timer_wake_at(alarm);
}

void timer_init(void)
{
    uint64_t kilohertz = tsc_frequency / 1000;

    irq_attach(IRQ_TIMER, timer_interrupt);
    next_tick = clock_nanoseconds() + TICK_NANOSECONDS;
    alarm_program(next_tick);
    log_info("timer: %u Hz; TSC: %lu.%03lu MHz", TIMER_HZ, kilohertz / 1000, kilohertz % 1000);
}
