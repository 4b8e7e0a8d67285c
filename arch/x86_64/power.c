// SPDX-License-Identifier: MIT
/*
 * power.c: the ways to end.
 */
#include "arch/x86_64/interrupts.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/machine.h"

#define EXIT_DEVICE 0xf4      /* QEMU's isa-debug-exit: ends QEMU with status 2 * value + 1 */
#define ACPI_CONTROL 0x604    /* PM1a control of QEMU's PC machines */
#define ACPI_SLEEP_S5 0x2000  /* SLP_EN with the type that QEMU gives soft-off */
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET 0xfe
#define RESET_CONTROL 0xcf9
#define RESET_HARD 0x06

static void halt(void) __attribute__((noreturn));
static void halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_end(enum machine_end how)
{
    interrupts_disable();
    serial_drain();
    io_out32(EXIT_DEVICE, how);
    if (how != MACHINE_PANIC)
        io_out16(ACPI_CONTROL, ACPI_SLEEP_S5);
    halt();
}

void machine_reset(void)
{
    interrupts_disable();
    serial_drain();
    io_out8(RESET_CONTROL, RESET_HARD);
    io_out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
    halt();
}
