// SPDX-License-Identifier: MIT
/*
 * path.h: from a path to an inode, and back.
 */
#ifndef KERNEL_FS_PATH_H
#define KERNEL_FS_PATH_H

#include <linux/limits.h>

#include "kernel/fs/inode.h"

/* PATH_MAX: bytes of a path with its NUL; NAME_MAX: bytes of one name. */
#define PATH_LINKS_MAX 40 /* symbolic links followed in one walk; one more is -ELOOP (path_resolution(7)) */

/*
 * /proc/sys/fs/protected_*: 1 (as on Debian's Linux): links in directories like /tmp are distrusted. Pipes and files
 * that open(2) with O_CREAT finds there: 0, 1, or 2 (in directories that only a group may write to, too).
 */
struct path_policy {
    int protected_hardlinks, protected_symlinks, protected_fifos, protected_regular;
};
extern struct path_policy path_policy;

enum path_follow { PATH_FOLLOW, PATH_NO_FOLLOW }; /* a symbolic link as the last name */

/*
 * Walk `path` from the root if it begins with a slash, else from `start` (NULL: the current process's working
 * directory). 0 and one reference in *inode, or -ENOENT, -ENOTDIR, -ELOOP, -EACCES, -ENAMETOOLONG, -ENOMEM. May
 * sleep.
 */
int path_lookup(struct inode *start, const char *path, enum path_follow follow,
                struct inode **inode) __must_check;

/* The same under the RESOLVE_* of openat2(2): what they forbid is -EXDEV or -ELOOP. */
int path_lookup_within(struct inode *start, const char *path, enum path_follow follow, unsigned resolve,
                       struct inode **inode) __must_check;

/*
 * Where a path's last name is or would be: what the calls that make, move and remove names need. `inode` is
 * NULL where nothing has that name yet. A path that ends in "." or "..", or has no name at all ("/"), has
 * no place for one: `kind` says so, and `inode` is what it leads to.
 */
enum path_last { PATH_NAME, PATH_DOT, PATH_DOTDOT, PATH_ROOT };
struct path_place {
    enum path_last kind;
    struct inode *parent; /* one reference; the directory of a PATH_NAME, else NULL */
    struct inode *inode;  /* one reference, or NULL */
    bool slash;           /* slashes follow the last name */
    size_t length;
    char name[NAME_MAX + 1];
};

/*
 * Walk to the place of the last name of `path`. PATH_FOLLOW: a symbolic link there is followed, to the
 * place that it names. 0 or an error as of path_lookup(); then nothing is held.
 */
int path_lookup_place(struct inode *start, const char *path, enum path_follow follow,
                      struct path_place *place) __must_check;
int path_lookup_place_within(struct inode *start, const char *path, enum path_follow follow, unsigned resolve,
                             struct path_place *place) __must_check;
void path_place_put(struct path_place *place);

/* The root directory of the current process (chroot(2)); no reference is taken. */
struct inode *path_root(void);
/* Does the inode lie below it? */
bool path_is_reachable(const struct inode *inode);

/*
 * The absolute path of an inode, from the current process's root if it lies below it, with its NUL. Its length;
 * -ENAMETOOLONG where `size` is too small; -ENOENT for what has no path (a pipe). Does not sleep.
 */
ssize_type path_of(const struct inode *inode, char *buffer, size_t size) __must_check;

/* The same as /proc shows it: with " (deleted)" behind the path of what has been removed. */
#define PATH_DELETED_SIZE sizeof(" (deleted)")
ssize_type path_text(const struct inode *inode, char *buffer, size_t size) __must_check;

#endif
