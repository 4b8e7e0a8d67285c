// SPDX-License-Identifier: MIT
/*
 * timer.c: the periodic interrupt (8254 channel 0) and the clock (the TSC, measured against 8254 channel 2).
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
#define PIT_PERIODIC 0x34 /* channel 0, both bytes, mode 2 */
#define PIT_ONCE 0xb0     /* channel 2, both bytes, mode 0 */
#define PIT_LATCH2 0x80   /* hold channel 2's count for reading */

#define SPEAKER_PORT 0x61
#define SPEAKER_GATE 0x01 /* lets channel 2 count */
#define SPEAKER_SOUND 0x02

#define NANOSECONDS 1000000000ull
#define CALIBRATION_TICKS (PIT_HZ / 200) /* 5 ms */
#define READINGS 5

static uint64_t tsc_start, tsc_frequency;
static uint64_t nanoseconds_per_tick; /* fixed point, 32 bits after the point; 0: no clock yet */
static uint64_t boot_time;

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

void timer_init(void)
{
    uint16_t divisor = (PIT_HZ + TIMER_HZ / 2) / TIMER_HZ;
    io_out8(PIT_COMMAND, PIT_PERIODIC);
    io_out8(PIT_CHANNEL0, divisor & 0xff);
    io_out8(PIT_CHANNEL0, divisor >> 8);
    irq_attach(IRQ_TIMER, timer_tick);
    uint64_t kilohertz = tsc_frequency / 1000;
    log_info("timer: %u Hz; TSC: %lu.%03lu MHz", TIMER_HZ, kilohertz / 1000, kilohertz % 1000);
}
