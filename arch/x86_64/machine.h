// SPDX-License-Identifier: MIT
/*
 * machine.h: the devices of the machine: serial ports, timer, clock, interrupts, power.
 */
#ifndef ARCH_X86_64_MACHINE_H
#define ARCH_X86_64_MACHINE_H

#include "kernel/lib/types.h"

/*
 * Serial ports ttyS0 to ttyS3 are numbered 0 to 3. Absent ports swallow output and never have input. boot/
 * sets up all of them. Writing waits for the port, and so for a host that does not read.
 */
#define SERIAL_PORTS 4
void serial_init(unsigned port);
void serial_write(unsigned port, const char *text, size_t length);
/* Wait until all that was written has left the ports: what is still inside when the machine ends is lost. */
void serial_drain(void);
/* The next received byte, or -1. */
int serial_read(unsigned port);
/* Call handler(port) from the interrupt when bytes have arrived. */
void serial_on_receive(unsigned port, void (*handler)(unsigned port));

/*
 * The debug port: bytes for the host, written without waiting (QEMU's isa-debugcon at port 0xe9). One instruction a byte.
 */
bool debug_port_present(void);
void debug_port_write(const void *bytes, size_t length);

#define TIMER_HZ 100

/*
 * Measure how fast the TSC runs, read the RTC, and start the clock at 0. Called once by boot/; takes a few
 * milliseconds.
 */
void clock_init(void);
/* Nanoseconds since clock_init(), from the TSC; never goes back. 0 before. */
uint64_t clock_nanoseconds(void);
/* Ticks of the TSC in a second, as calibrated. */
uint64_t clock_tsc_frequency(void);
/*
 * Nanoseconds from 1970-01-01 to clock_init(), as the RTC said, or as the wall clock was set since then. And to now,
 * which is what the wall clock says: that plus clock_nanoseconds().
 */
uint64_t clock_boot_time(void);
uint64_t clock_wall(void);
void clock_set_boot_time(uint64_t time);

/* Start the interrupt that enters timer_tick(): TIMER_HZ times a second, and when an alarm is due. */
void timer_init(void);
/* Enter it at `deadline` (nanoseconds since boot), too. Interrupts are off. */
void timer_wake_at(uint64_t deadline);

enum machine_end { MACHINE_POWER_OFF = 0x10, MACHINE_PANIC = 0x20, MACHINE_SELFTEST_FAILED = 0x30 };

/*
 * End the machine, after the last byte has left the serial ports: QEMU's exit device, else (but for a panic, whose
 * text shall stay) ACPI power-off, else halt.
 */
void machine_end(enum machine_end how) __attribute__((noreturn));
void machine_reset(void) __attribute__((noreturn));

/* 64 random bits: RDRAND where there is one, else a generator seeded from the TSC. */
uint64_t machine_random(void);

#endif
