// SPDX-License-Identifier: MIT
/*
 * fixup.h: which instructions may fault on a user address, and where to go on when that cannot be served.
 */
#ifndef ARCH_X86_64_FIXUP_H
#define ARCH_X86_64_FIXUP_H

#include "arch/x86_64/page.h"

/* The address to go on at, or 0 when `instruction` is not one of usermem.asm's. */
vaddr_t fixup_target(vaddr_t instruction);

#endif
