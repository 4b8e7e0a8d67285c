// SPDX-License-Identifier: MIT
/*
 * credentials.h: who a process acts for (credentials(7)), and what that allows.
 *
 * User 0 is privileged in everything that Linux divides into capabilities; there are no finer ones.
 *
 * Lock: changed by its process alone, under process_lock; others read under process_lock.
 */
#ifndef KERNEL_CREDENTIALS_H
#define KERNEL_CREDENTIALS_H

#include "kernel/lib/types.h"

#define GROUPS_MAX 32 /* supplementary groups; setgroups(2) refuses more with EINVAL */

struct identity {
    uint32_t real, effective, saved, filesystem;
};

struct credentials {
    struct identity user, group;
    unsigned group_count;
    uint32_t groups[GROUPS_MAX];
};

static inline bool credentials_are_privileged(const struct credentials *credentials)
{
    return credentials->user.effective == 0;
}

/*
 * The same for files: there Linux's capabilities follow the file-system id (capabilities(7), "Effect of user
 * ID changes"), which access(2) lends out.
 */
static inline bool credentials_rule_files(const struct credentials *credentials)
{
    return credentials->user.filesystem == 0;
}

/* Does it act for somebody else than who started it (AT_SECURE of getauxval(3))? */
static inline bool credentials_are_borrowed(const struct credentials *credentials)
{
    return credentials->user.effective != credentials->user.real ||
           credentials->group.effective != credentials->group.real;
}

/* Is this one of the groups that count for files? */
bool credentials_have_group(const struct credentials *credentials, uint32_t group);

/* May `sender` send signals to `target` (kill(2)), sessions apart? */
bool credentials_allow_signal(const struct credentials *sender, const struct credentials *target);

#endif
