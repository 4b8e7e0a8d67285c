// SPDX-License-Identifier: MIT
/*
 * aspace_list.h: all address spaces, for who has no other way to find who maps something. Inside of mm/.
 */
#ifndef MM_ASPACE_LIST_H
#define MM_ASPACE_LIST_H

#include "kernel/lib/spinlock.h"
#include "mm/aspace.h"

LIST_HEAD(aspace_list, aspace);
extern struct aspace_list aspace_list;
extern struct spinlock aspace_list_lock; /* taken alone */

/* A reference to the address space behind `aspace` (NULL: to the first), whose reference goes; NULL at the end. */
struct aspace *aspace_step(struct aspace *aspace) __must_check;

#endif
