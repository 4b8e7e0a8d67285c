// SPDX-License-Identifier: MIT
/*
 * system.h: the names of the machine, which sethostname(2) and setdomainname(2) change.
 */
#ifndef KERNEL_SYSTEM_H
#define KERNEL_SYSTEM_H

/* At most 64 characters (/proc/sys/kernel/hostname, domainname). */
const char *system_host_name(void);
const char *system_domain_name(void);

/* Change one: the text up to a newline or its end; what is longer than 64 characters is cut, as on Linux. */
void system_set_host_name(const char *text);
void system_set_domain_name(const char *text);

#endif
