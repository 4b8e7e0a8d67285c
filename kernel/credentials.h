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

#define GROUPS_MAX 65536 /* supplementary groups; setgroups(2) refuses more with EINVAL */

struct identity {
    uint32_t real, effective, saved, filesystem;
};

/* Supplementary groups, ascending. It never changes: a process that sets its groups gets another one. */
struct group_list {
    uint32_t refs; /* atomic */
    unsigned count;
    uint32_t ids[];
};

/* A process has a reference on its groups; a copy made for a moment has none of its own. */
struct credentials {
    struct identity user, group;
    struct group_list *groups; /* NULL: none */
};

/* Both take NULL. */
struct group_list *group_list_get(struct group_list *groups);
void group_list_put(struct group_list *groups);

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
