// SPDX-License-Identifier: MIT
/*
 * near.h: what an address that was touched in vain is near, in the words of a person: for the log and the panic report.
 */
#ifndef MM_NEAR_H
#define MM_NEAR_H

#include "mm/aspace.h"
#include "mm/fault.h"

#define NEAR_TEXT_SIZE 112 /* bytes that are enough for every text */

/*
 * Describe an access to a user or kernel address that `aspace` (NULL: none) did not allow: "read at NULL pointer + 16",
 * "write to the program's text, not writable". The mutex of `aspace` is held, or nothing is sure any more
 * (panic). Takes no lock, does not sleep.
 */
void near_describe(char *text, size_t size, struct aspace *aspace, vaddr_t addr, enum fault_access access);

#endif
