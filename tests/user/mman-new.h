// SPDX-License-Identifier: MIT
//
// Numbers of <linux/mman.h> that musl's headers do not have yet.
#ifndef TESTS_USER_MMAN_NEW_H
#define TESTS_USER_MMAN_NEW_H

#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

#endif
