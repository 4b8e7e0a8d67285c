// SPDX-License-Identifier: MIT
/*
 * serial.c: up to four 16550 ports (National Semiconductor PC16550D data sheet).
 *
 * Output is polled: a port takes FIFO_SIZE bytes whenever its holding register is empty. Input raises an
 * interrupt once a handler is set; two ports share each line. A handler may leave bytes in the port when it
 * has no room: then the host waits, and whoever makes room reads on.
 */
#include "arch/x86_64/interrupts.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/machine.h"
#include "kernel/lib/assert.h"

#define REG_DATA 0 /* divisor, low byte, while DLAB is set */
#define REG_INTERRUPTS 1
#define REG_FIFO 2
#define REG_LINE 3
#define REG_MODEM 4
#define REG_STATUS 5
#define REG_SCRATCH 7

#define INTERRUPT_RECEIVE 0x01
#define FIFO_ENABLE 0xc1 /* what is in it stays; interrupt at 14 bytes, or when the line falls silent */
#define LINE_8N1 0x03
#define LINE_DLAB 0x80
#define MODEM_READY 0x0b /* DTR, RTS, and OUT2, which lets interrupts through */
#define STATUS_RECEIVED 0x01
#define STATUS_CAN_SEND 0x20
#define STATUS_ALL_SENT 0x40 /* holding register, FIFO and shift register are empty */

#define DIVISOR_115200 1
#define FIFO_SIZE 16

struct serial {
    uint16_t base;
    bool present;
    void (*on_receive)(unsigned port);
};

static struct serial serials[SERIAL_PORTS] = {
    { .base = 0x3f8 },
    { .base = 0x2f8 },
    { .base = 0x3e8 },
    { .base = 0x2e8 },
};

/* A port remembers what is in its scratch register; where there is none, the bus reads as ones. */
static bool probe(uint16_t base)
{
    io_out8(base + REG_SCRATCH, 0x5a);
    if (io_in8(base + REG_SCRATCH) != 0x5a)
        return false;
    io_out8(base + REG_SCRATCH, 0xa5);
    return io_in8(base + REG_SCRATCH) == 0xa5;
}

void serial_init(unsigned port)
{
    ASSERT(port < SERIAL_PORTS);
    struct serial *serial = &serials[port];
    serial->present = probe(serial->base);
    if (!serial->present)
        return;
    io_out8(serial->base + REG_LINE, LINE_DLAB);
    io_out8(serial->base + REG_DATA, DIVISOR_115200);
    io_out8(serial->base + REG_INTERRUPTS, 0); /* divisor, high byte */
    io_out8(serial->base + REG_LINE, LINE_8N1);
    io_out8(serial->base + REG_FIFO, FIFO_ENABLE);
    io_out8(serial->base + REG_MODEM, MODEM_READY);
}

void serial_write(unsigned port, const char *text, size_t length)
{
    ASSERT(port < SERIAL_PORTS);
    const struct serial *serial = &serials[port];
    if (!serial->present)
        return;
    for (size_t i = 0; i < length; i++) {
        while (i % FIFO_SIZE == 0 && !(io_in8(serial->base + REG_STATUS) & STATUS_CAN_SEND))
            interrupts_relax();
        io_out8(serial->base + REG_DATA, (uint8_t)text[i]);
    }
}

void serial_drain(void)
{
    for (unsigned port = 0; port < SERIAL_PORTS; port++)
        while (serials[port].present && !(io_in8(serials[port].base + REG_STATUS) & STATUS_ALL_SENT))
            interrupts_relax();
}

int serial_read(unsigned port)
{
    ASSERT(port < SERIAL_PORTS);
    const struct serial *serial = &serials[port];
    if (!serial->present || !(io_in8(serial->base + REG_STATUS) & STATUS_RECEIVED))
        return -1;
    return io_in8(serial->base + REG_DATA);
}

static void receive(unsigned port)
{
    const struct serial *serial = &serials[port];
    if (serial->on_receive && io_in8(serial->base + REG_STATUS) & STATUS_RECEIVED)
        serial->on_receive(port);
}

static void receive_even(const struct trapframe *frame)
{
    (void)frame;
    receive(0);
    receive(2);
}

static void receive_odd(const struct trapframe *frame)
{
    (void)frame;
    receive(1);
    receive(3);
}

void serial_on_receive(unsigned port, void (*handler)(unsigned port))
{
    ASSERT(port < SERIAL_PORTS);
    struct serial *serial = &serials[port];
    serial->on_receive = handler;
    if (!serial->present)
        return;
    irq_attach(port % 2 ? IRQ_SERIAL_ODD : IRQ_SERIAL_EVEN, port % 2 ? receive_odd : receive_even);
    io_out8(serial->base + REG_INTERRUPTS, INTERRUPT_RECEIVE);
}
