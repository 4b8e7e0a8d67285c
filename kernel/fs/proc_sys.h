// SPDX-License-Identifier: MIT
/*
 * proc_sys.h: settings: /proc/sys, and the boot parameters of the same names.
 */
#ifndef KERNEL_FS_PROC_SYS_H
#define KERNEL_FS_PROC_SYS_H

/*
 * Apply the boot parameters that name a setting of /proc/sys/vm (`vm.overcommit_memory=2`); what cannot be
 * set so is logged. Called once, after mm_init().
 */
void proc_sys_init(void);

#endif
