// SPDX-License-Identifier: MIT
/*
 * debug_port.c: QEMU's isa-debugcon: each byte written to the port is the host's at once.
 */
#include "arch/x86_64/io.h"
#include "arch/x86_64/machine.h"

#define DEBUG_PORT 0xe9
#define DEBUG_PRESENT 0xe9 /* what reading it gives; an absent port reads as ones */

bool debug_port_present(void) { return io_in8(DEBUG_PORT) == DEBUG_PRESENT; }

void debug_port_write(const void *bytes, size_t length) { io_out8_string(DEBUG_PORT, bytes, length); }
