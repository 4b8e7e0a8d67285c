// SPDX-License-Identifier: MIT
/*
 * sys_link.c: the system calls that make, move and remove names: mkdir, mknod, symlink, link, unlink,
 * rmdir, rename.
 *
 * Each walks to the place of the last name (path_lookup_place()), checks what the manual page says about
 * it, and leaves the deed to the directory's operations, which look again: the tree may change between the
 * two.
 */
#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/syscalls.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"

#define MODE_PERMISSIONS 07777u

/* May names in this directory be made and removed by the current process? */
static int directory_check(const struct inode *directory)
{
    return inode_permission(directory, INODE_WRITE | INODE_EXECUTE);
}

/* ---- making ---- */

/*
 * Is the place free for a new name? A directory's name may have a slash behind it. Where names come and go
 * by themselves (/proc), or in a directory that is gone, there is none to be had: ENOENT, as on Linux.
 */
static int place_check_free(const struct path_place *place, bool is_directory)
{
    if (place->kind != PATH_NAME || place->inode)
        return -EEXIST;
    if ((place->slash && !is_directory) || !place->parent->ops->create || !place->parent->links)
        return -ENOENT;
    return directory_check(place->parent);
}

static int64_t make(int directory, uint64_t user, const struct inode_new *new)
{
    struct path_place place;
    struct inode *made;
    int error = path_place_user(directory, user, PATH_NO_FOLLOW, &place);
    if (error)
        return error;
    error = place_check_free(&place, S_ISDIR(new->mode));
    if (!error)
        error = place.parent->ops->create(place.parent, place.name, place.length, new, &made);
    if (!error) {
        inode_put(made);
        notify_directory(place.parent, DN_CREATE);
    }
    path_place_put(&place);
    return error;
}

static int64_t make_directory(int directory, uint64_t user, uint64_t mode)
{
    struct inode_new new = inode_new_for_process(S_IFDIR, (uint32_t)mode & (S_ISVTX | 0777));
    return make(directory, user, &new);
}

int64_t sys_mkdir(const struct syscall_args *args)
{
    return make_directory(AT_FDCWD, args->arg[0], args->arg[1]);
}

int64_t sys_mkdirat(const struct syscall_args *args)
{
    return make_directory((int)args->arg[0], args->arg[1], args->arg[2]);
}

static int64_t make_special(int directory, uint64_t user, uint64_t mode, uint64_t special)
{
    uint32_t type = (uint32_t)mode & S_IFMT;
    struct inode_new new = inode_new_for_process(type ? type : S_IFREG, (uint32_t)mode & MODE_PERMISSIONS);
    switch (type) {
    case 0:
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
        break;
    case S_IFCHR:
    case S_IFBLK:
        /* Device 0, which is none, marks a name as absent in some file systems: everybody may (mknod(2)). */
        if (!credentials_rule_files(&current()->credentials) && !(type == S_IFCHR && !special))
            return -EPERM;
        new.special = (uint32_t)special;
        break;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
    return make(directory, user, &new);
}

int64_t sys_mknod(const struct syscall_args *args)
{
    return make_special(AT_FDCWD, args->arg[0], args->arg[1], args->arg[2]);
}

int64_t sys_mknodat(const struct syscall_args *args)
{
    return make_special((int)args->arg[0], args->arg[1], args->arg[2], args->arg[3]);
}

static int64_t make_symlink(uint64_t user_target, int directory, uint64_t user)
{
    int error = 0;
    char *target = path_copy_user(user_target, &error);
    if (!target)
        return error;
    struct inode_new new = inode_new_for_process(S_IFLNK, 0);
    new.mode = S_IFLNK | 0777;
    new.target = target;
    int64_t result = *target ? make(directory, user, &new) : -ENOENT;
    kfree(target);
    return result;
}

int64_t sys_symlink(const struct syscall_args *args)
{
    return make_symlink(args->arg[0], AT_FDCWD, args->arg[1]);
}

int64_t sys_symlinkat(const struct syscall_args *args)
{
    return make_symlink(args->arg[0], (int)args->arg[1], args->arg[2]);
}

/* ---- link ---- */

/*
 * fs.protected_hardlinks (proc(5)): who is neither the owner nor root links only to what he may read and write
 * anyway, so that nobody keeps another's program under a name of his own.
 */
static bool link_is_allowed(const struct inode *inode)
{
    bool is_program = inode->mode & S_ISUID || (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
    if (!path_policy.protected_hardlinks || inode_is_mine(inode))
        return true;
    return S_ISREG(inode->mode) && !is_program && !inode_permission(inode, INODE_READ | INODE_WRITE);
}

static int link_check(const struct inode *inode, const struct path_place *place)
{
    int error = place_check_free(place, false);
    if (error && error != -EACCES)
        return error;
    if (inode->filesystem != place->parent->filesystem)
        return -EXDEV;
    if (!link_is_allowed(inode))
        return -EPERM;
    if (error)
        return error;
    if (S_ISDIR(inode->mode) || !place->parent->ops->link)
        return -EPERM;
    return 0;
}

static int64_t make_link(int old_directory, uint64_t old, int directory, uint64_t user, unsigned flags)
{
    struct path_place place;
    struct inode *inode;
    if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    unsigned look = (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) | (flags & AT_EMPTY_PATH);
    int error = path_lookup_user(old_directory, old, look, &inode);
    if (error)
        return error;
    error = path_place_user(directory, user, PATH_NO_FOLLOW, &place);
    if (!error) {
        error = link_check(inode, &place);
        if (!error)
            error = place.parent->ops->link(place.parent, place.name, place.length, inode);
        if (!error) {
            notify_inode(inode, DN_ATTRIB);
            notify_directory(place.parent, DN_CREATE);
        }
        path_place_put(&place);
    }
    inode_put(inode);
    return error;
}

int64_t sys_link(const struct syscall_args *args)
{
    return make_link(AT_FDCWD, args->arg[0], AT_FDCWD, args->arg[1], 0);
}

int64_t sys_linkat(const struct syscall_args *args)
{
    return make_link((int)args->arg[0], args->arg[1], (int)args->arg[2], args->arg[3],
                       (unsigned)args->arg[4]);
}

/* ---- unlink, rmdir ---- */

/* In a directory with the sticky bit a file is removed by its owner, the directory's, or root (inode(7)). */
static int removal_check(const struct path_place *place)
{
    int error = directory_check(place->parent);
    if (error)
        return error;
    bool sticky = place->parent->mode & S_ISVTX;
    return sticky && !inode_is_mine(place->inode) && !inode_is_mine(place->parent) ? -EPERM : 0;
}

/* Nothing is removed from where nothing can be: said before anybody looks whether it is there. */
static bool place_is_read_only(const struct path_place *place)
{
    return filesystem_is_read_only(place->parent->filesystem);
}

static int unlink_check(const struct path_place *place)
{
    if (place->kind != PATH_NAME)
        return -EISDIR;
    if (place_is_read_only(place))
        return -EROFS;
    if (!place->inode)
        return -ENOENT;
    if (place->slash && !S_ISDIR(place->inode->mode))
        return -ENOTDIR;
    int error = removal_check(place);
    return error ? error : S_ISDIR(place->inode->mode) ? -EISDIR : 0;
}

static int rmdir_check(const struct path_place *place)
{
    static const int wrong[] = { [PATH_DOT] = -EINVAL, [PATH_DOTDOT] = -ENOTEMPTY, [PATH_ROOT] = -EBUSY };
    if (place->kind != PATH_NAME)
        return wrong[place->kind];
    if (place_is_read_only(place))
        return -EROFS;
    if (!place->inode)
        return -ENOENT;
    int error = removal_check(place);
    if (!error && !S_ISDIR(place->inode->mode))
        error = -ENOTDIR;
    bool is_covered = place->inode->filesystem != place->parent->filesystem;
    return error ? error : is_covered ? -EBUSY : 0;
}

static int remove_at(const struct path_place *place, enum inode_removal removal)
{
    int error = removal == REMOVE_FILE ? unlink_check(place) : rmdir_check(place);
    if (!error && !place->parent->ops->unlink)
        error = -EPERM;
    if (!error)
        error = place->parent->ops->unlink(place->parent, place->name, place->length, removal);
    if (!error)
        notify_directory(place->parent, DN_DELETE);
    return error;
}

static int64_t remove_name(int directory, uint64_t user, enum inode_removal removal)
{
    struct path_place place;
    int error = path_place_user(directory, user, PATH_NO_FOLLOW, &place);
    if (error)
        return error;
    error = remove_at(&place, removal);
    path_place_put(&place);
    return error;
}

int file_unlink_path(const char *path)
{
    struct path_place place;
    int error = path_lookup_place(NULL, path, PATH_NO_FOLLOW, &place);
    if (error)
        return error;
    error = remove_at(&place, REMOVE_FILE);
    path_place_put(&place);
    return error;
}

int64_t sys_unlink(const struct syscall_args *args)
{
    return remove_name(AT_FDCWD, args->arg[0], REMOVE_FILE);
}

int64_t sys_rmdir(const struct syscall_args *args)
{
    return remove_name(AT_FDCWD, args->arg[0], REMOVE_DIRECTORY);
}

int64_t sys_unlinkat(const struct syscall_args *args)
{
    unsigned flags = (unsigned)args->arg[2];
    if (flags & ~(unsigned)AT_REMOVEDIR)
        return -EINVAL;
    return remove_name((int)args->arg[0], args->arg[1], flags ? REMOVE_DIRECTORY : REMOVE_FILE);
}

/* ---- rename ---- */

/* The file system that a place's names are of. */
static const struct filesystem *place_filesystem(const struct path_place *place)
{
    return place->parent ? place->parent->filesystem : place->inode->filesystem;
}

/* A slash behind a name wants a directory: there, or (a plain rename) coming there. */
static int rename_check_slashes(const struct path_place *from, const struct path_place *to, unsigned flags)
{
    bool is_directory = S_ISDIR(from->inode->mode);
    if (flags & RENAME_EXCHANGE)
        return (from->slash && !is_directory) || (to->slash && !S_ISDIR(to->inode->mode)) ? -ENOTDIR : 0;
    return !is_directory && (from->slash || to->slash) ? -ENOTDIR : 0;
}

static int rename_check(const struct path_place *from, const struct path_place *to, unsigned flags)
{
    if (place_filesystem(from) != place_filesystem(to))
        return -EXDEV;
    if (from->kind != PATH_NAME)
        return -EBUSY;
    if (to->kind != PATH_NAME)
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (place_is_read_only(from))
        return -EROFS;
    if (!from->inode || (!to->inode && (flags & RENAME_EXCHANGE || !to->parent->ops->create)))
        return -ENOENT;
    if (flags & RENAME_NOREPLACE && to->inode)
        return -EEXIST;
    return rename_check_slashes(from, to, flags);
}

static int rename_check_rights(const struct path_place *from, const struct path_place *to)
{
    int error = removal_check(from);
    if (!error)
        error = to->inode ? removal_check(to) : directory_check(to->parent);
    return error ? error : from->parent->ops->rename ? 0 : -EPERM;
}

static void rename_tell(const struct path_place *from, const struct path_place *to)
{
    if (from->parent == to->parent)
        notify_directory(from->parent, DN_RENAME);
    notify_directory(from->parent, DN_DELETE);
    notify_directory(to->parent, DN_CREATE);
}

/* Between two names of one file there is nothing to do (rename(2)), and no right to it is asked for. */
static int rename_places(const struct path_place *from, const struct path_place *to, unsigned flags)
{
    int error = rename_check(from, to, flags);
    if (error || from->inode == to->inode)
        return error;
    error = rename_check_rights(from, to);
    if (!error)
        error = from->parent->ops->rename(from->parent, from->name, from->length, to->parent, to->name, to->length,
                                          flags);
    if (!error)
        rename_tell(from, to);
    return error;
}

static int64_t rename_user(int from_directory, uint64_t from_user, int to_directory, uint64_t to_user,
                           unsigned flags)
{
    struct path_place from, to;
    const unsigned known = RENAME_NOREPLACE | RENAME_EXCHANGE;
    if (flags & ~known || flags == known)
        return -EINVAL;
    int error = path_place_user(from_directory, from_user, PATH_NO_FOLLOW, &from);
    if (error)
        return error;
    error = path_place_user(to_directory, to_user, PATH_NO_FOLLOW, &to);
    if (!error) {
        error = rename_places(&from, &to, flags);
        path_place_put(&to);
    }
    path_place_put(&from);
    return error;
}

int64_t sys_rename(const struct syscall_args *args)
{
    return rename_user(AT_FDCWD, args->arg[0], AT_FDCWD, args->arg[1], 0);
}

int64_t sys_renameat(const struct syscall_args *args)
{
    return rename_user((int)args->arg[0], args->arg[1], (int)args->arg[2], args->arg[3], 0);
}

int64_t sys_renameat2(const struct syscall_args *args)
{
    return rename_user((int)args->arg[0], args->arg[1], (int)args->arg[2], args->arg[3],
                       (unsigned)args->arg[4]);
}
