// SPDX-License-Identifier: MIT
/*
 * fixup.c: the table that usermem.asm writes into the section .fixups. It has half a dozen rows.
 */
#include "arch/x86_64/fixup.h"

struct fixup {
    vaddr_t instruction, target;
};

extern const struct fixup fixups_start[], fixups_end[]; /* linker.ld */

vaddr_t fixup_target(vaddr_t instruction)
{
    for (const struct fixup *fixup = fixups_start; fixup < fixups_end; fixup++)
        if (fixup->instruction == instruction)
            return fixup->target;
    return 0;
}
