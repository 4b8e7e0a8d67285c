// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
// subject: processes
// linked: dynamically
//
// thread-pthread.c with the host's C library, whose threads are other ones: clone3(2), rseq(2), futexes by time.
#include "thread-pthread.c"

// pthread_cancel(3) there loads libgcc_s when it is first called: this brings it along.
int _Unwind_Backtrace(void *step, void *arg);
void *const unwinder = (void *)_Unwind_Backtrace;
