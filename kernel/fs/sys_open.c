// SPDX-License-Identifier: MIT
/*
 * sys_open.c: open(2) and its relatives.
 *
 * Two ways: without O_CREAT a walk to the file; with it a walk to the place of the file, which is then made
 * if there is none.
 */
#include <linux/memfd.h>
#include <linux/openat2.h>

#include "kernel/fs/file.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/standpoint.h"
#include "kernel/fs/syscalls.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/errno.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define MODE_PERMISSIONS 07777u

/* What open(2) was asked for. */
struct opening {
    unsigned flags;
    uint32_t mode;    /* of a file that has to be made */
    unsigned resolve; /* RESOLVE_* of openat2(2) */
};

/* The permissions that opening so takes. */
static unsigned flags_permissions(unsigned flags)
{
    static const unsigned wanted[] = {
        [O_RDONLY] = INODE_READ,
        [O_WRONLY] = INODE_WRITE,
        [O_RDWR] = INODE_READ | INODE_WRITE,
        [O_ACCMODE] = INODE_READ | INODE_WRITE,
    };
    return wanted[flags & O_ACCMODE] | (flags & O_TRUNC ? INODE_WRITE : 0);
}

/* May this inode, which was there, be opened so? 0 or the errno that open(2) gives. */
static int open_check(const struct inode *inode, unsigned flags)
{
    if (flags & O_DIRECTORY && !S_ISDIR(inode->mode))
        return -ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if (S_ISLNK(inode->mode))
        return -ELOOP;
    unsigned wanted = flags_permissions(flags);
    if (S_ISDIR(inode->mode) && (wanted & INODE_WRITE || flags & O_CREAT))
        return -EISDIR;
    int error = inode_permission(inode, wanted);
    if (error)
        return error;
    return flags & O_NOATIME && !inode_is_mine(inode) ? -EPERM : 0;
}

/* Opening with O_TRUNC is writing, whatever the file is opened for else. */
static int open_truncate(struct inode *inode)
{
    int error = inode_writer_enter(inode);
    if (error)
        return error;
    error = inode->ops->truncate(inode, 0);
    if (!error)
        notify_inode(inode, DN_MODIFY);
    inode_writer_leave(inode);
    return error;
}

static int open_existing(struct inode *inode, unsigned flags, struct file **file)
{
    int error = open_check(inode, flags);
    if (!error)
        error = file_open(inode, flags, file);
    if (error || !(flags & O_TRUNC) || !S_ISREG(inode->mode) || !inode->ops->truncate)
        return error;
    error = open_truncate(inode);
    if (error)
        file_put(*file);
    return error;
}

/* Make the file at a free place and open it. Whatever its mode says, its maker may use it as asked. */
static int open_new(const struct path_place *place, const struct opening *opening, struct file **file)
{
    struct inode *directory = place->parent, *made;
    struct inode_new new = inode_new_for_process(S_IFREG, opening->mode);
    int error = directory->ops->create ? inode_permission(directory, INODE_WRITE | INODE_EXECUTE) : -ENOENT;
    if (error)
        return error;
    error = directory->ops->create(directory, place->name, place->length, &new, &made);
    if (error)
        return error;
    notify_directory(directory, DN_CREATE);
    error = file_open(made, opening->flags & ~(unsigned)O_TRUNC, file);
    inode_put(made);
    return error;
}

/*
 * fs.protected_fifos, fs.protected_regular (proc(5)): who wants to make a file in a sticky directory does not get
 * another's that lies there already, root neither; the directory's owner's is trusted.
 */
static int open_check_found(const struct inode *directory, const struct inode *inode)
{
    int level = S_ISFIFO(inode->mode)   ? path_policy.protected_fifos
                : S_ISREG(inode->mode) ? path_policy.protected_regular
                                       : 1;
    bool is_trusted = inode->uid == directory->uid || inode->uid == current()->credentials.user.filesystem;
    if (!level || !(directory->mode & S_ISVTX) || is_trusted)
        return 0;
    return directory->mode & (level > 1 ? 0022 : 0002) ? -EACCES : 0;
}

static int open_at_place(const struct path_place *place, const struct opening *opening, struct file **file)
{
    unsigned flags = opening->flags;
    if (place->kind == PATH_DOT || place->kind == PATH_DOTDOT)
        return flags & O_EXCL ? -EEXIST : -EISDIR;
    if (place->kind == PATH_NAME && place->slash)
        return -EISDIR;
    if (!place->inode)
        return open_new(place, opening, file);
    if (flags & O_EXCL)
        return -EEXIST;
    int error = place->kind == PATH_NAME && !S_ISDIR(place->inode->mode)
                    ? open_check_found(place->parent, place->inode)
                    : 0;
    return error ? error : open_existing(place->inode, flags, file);
}

/* Another process may make the file after we have found none: then it is there at the second look. */
static int open_or_create(struct inode *start, const char *path, const struct opening *opening,
                          struct file **file)
{
    bool follow = !(opening->flags & (O_NOFOLLOW | O_EXCL));
    struct path_place place;
    int error;
    do {
        error = path_lookup_place_within(start, path, follow ? PATH_FOLLOW : PATH_NO_FOLLOW, opening->resolve, &place);
        if (error)
            return error;
        bool was_free = !place.inode;
        error = open_at_place(&place, opening, file);
        path_place_put(&place);
        if (!was_free || opening->flags & O_EXCL)
            break;
    } while (error == -EEXIST);
    return error;
}

/* O_TMPFILE: a file without a name in the directory's file system. */
static int open_nameless(struct inode *directory, const struct opening *opening, struct file **file)
{
    struct inode_new new = inode_new_for_process(S_IFREG, opening->mode);
    struct inode *made;
    if (!(flags_permissions(opening->flags) & INODE_WRITE))
        return -EINVAL;
    int error = inode_permission(directory, INODE_WRITE | INODE_EXECUTE);
    if (error)
        return error;
    if (!directory->ops->create)
        return -EOPNOTSUPP;
    error = directory->ops->create(directory, NULL, 0, &new, &made);
    if (error)
        return error;
    made->linkable = !(opening->flags & O_EXCL);
    error = file_open(made, opening->flags, file);
    inode_put(made);
    return error;
}

static int open_path(struct inode *start, const char *path, const struct opening *opening, struct file **file)
{
    unsigned flags = opening->flags;
    bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    struct inode *inode;
    if (flags & O_TMPFILE & ~(unsigned)O_DIRECTORY && !nameless)
        return -EINVAL;
    if (flags & O_CREAT)
        return open_or_create(start, path, opening, file);
    enum path_follow follow = flags & O_NOFOLLOW ? PATH_NO_FOLLOW : PATH_FOLLOW;
    int error = path_lookup_within(start, path, follow, opening->resolve, &inode);
    if (error)
        return error;
    if (nameless)
        error = S_ISDIR(inode->mode) ? open_nameless(inode, opening, file) : -ENOTDIR;
    else
        error = open_existing(inode, flags, file);
    inode_put(inode);
    return error;
}

int file_open_path(const char *path, unsigned flags, uint32_t mode, struct file **file)
{
    return open_path(NULL, path, &(struct opening){ .flags = flags, .mode = mode }, file);
}

/* With RESOLVE_IN_ROOT a path begins at the directory, slash or not. */
static int open_start(int directory, const char **path, unsigned resolve, struct inode **start)
{
    if (resolve & RESOLVE_IN_ROOT && **path == '/') {
        while (**path == '/')
            ++*path;
        if (!**path)
            *path = ".";
    }
    return path_start(directory, *path, start);
}

/* O_LARGEFILE is what F_GETFL shows to every program of 64 bits, but for O_PATH. */
static int64_t open_at(int directory, uint64_t user, struct opening *opening)
{
    struct inode *start;
    struct file *file;
    int error = 0;
    if (opening->flags & O_CREAT && opening->flags & O_DIRECTORY)
        return -EINVAL;
    if (!(opening->flags & O_PATH))
        opening->flags |= O_LARGEFILE;
    char *path = path_copy_user(user, &error);
    if (!path)
        return error;
    const char *from = path;
    error = files_check_free();
    if (!error)
        error = open_start(directory, &from, opening->resolve, &start);
    if (!error)
        error = open_path(start, from, opening, &file);
    kfree(path);
    return error ? error : files_install(file, 0, opening->flags & O_CLOEXEC);
}

#define FLAGS_WITH_PATH ((unsigned)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))

static int64_t open_user(int directory, uint64_t user, unsigned flags, uint64_t mode)
{
    struct opening opening = {
        .flags = flags & O_PATH ? flags & FLAGS_WITH_PATH : flags, /* all others are ignored with it (open(2)) */
        .mode = (uint32_t)mode & MODE_PERMISSIONS,
    };
    return open_at(directory, user, &opening);
}

/* The structure as openat2(2) has it, however much of it the program knows: what we do not know must be 0. */
static int open_how_get(uint64_t user, uint64_t size, struct open_how *how)
{
    uint8_t byte;
    if (size < sizeof *how)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    for (uint64_t at = sizeof *how; at < size; at++) {
        if (copy_from_user(&byte, user + at, 1))
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    return copy_from_user(how, user, sizeof *how);
}

/* Unlike openat(2), openat2(2) takes nothing that it does not know or would ignore. 0 or -EINVAL. */
static int open_how_check(const struct open_how *how)
{
    const uint64_t flags = (unsigned)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |
                                      O_SYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW |
                                      O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE);
    const uint64_t resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |
                             RESOLVE_IN_ROOT | RESOLVE_CACHED;
    const uint64_t scoped = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
    bool makes = how->flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY));
    if (how->flags & ~flags || how->resolve & ~resolve || (how->resolve & scoped) == scoped)
        return -EINVAL;
    if (how->mode & ~(uint64_t)(makes ? MODE_PERMISSIONS : 0))
        return -EINVAL;
    return how->flags & O_PATH && how->flags & ~(uint64_t)FLAGS_WITH_PATH ? -EINVAL : 0;
}

/* openat2(2): directory, path, struct open_how, its size. */
int64_t sys_openat2(const struct syscall_args *args)
{
    struct open_how how;
    int error = open_how_get(args->arg[2], args->arg[3], &how);
    if (!error)
        error = open_how_check(&how);
    if (error)
        return error;
    /* Names are looked up in memory alone; what makes or changes files may wait. */
    if (how.resolve & RESOLVE_CACHED && how.flags & (O_TRUNC | O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
        return -EAGAIN;
    struct opening opening = {
        .flags = (unsigned)how.flags,
        .mode = (uint32_t)how.mode,
        .resolve = (unsigned)how.resolve,
    };
    return open_at((int)args->arg[0], args->arg[1], &opening);
}

int64_t sys_open(const struct syscall_args *args)
{
    return open_user(AT_FDCWD, args->arg[0], (unsigned)args->arg[1], args->arg[2]);
}

int64_t sys_openat(const struct syscall_args *args)
{
    return open_user((int)args->arg[0], args->arg[1], (unsigned)args->arg[2], args->arg[3]);
}

int64_t sys_creat(const struct syscall_args *args)
{
    return open_user(AT_FDCWD, args->arg[0], O_CREAT | O_WRONLY | O_TRUNC, args->arg[1]);
}

/* memfd_create(2): a file that can be sealed, if that is asked for. */
#define MEMFD_NAME_MAX 249

int64_t sys_memfd_create(const struct syscall_args *args)
{
    char name[MEMFD_NAME_MAX + 1];
    unsigned flags = (unsigned)args->arg[1];
    struct inode *inode;
    struct file *file;
    if (flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return -EINVAL;
    ssize_type length = copy_string_from_user(name, args->arg[0], sizeof name);
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    int error = tmpfs_create_nameless(name, &inode);
    if (error)
        return error;
    if (flags & MFD_ALLOW_SEALING)
        inode->seals = 0;
    error = file_open(inode, O_RDWR | O_LARGEFILE, &file);
    inode_put(inode);
    return error ? error : files_install(file, 0, flags & MFD_CLOEXEC);
}

int64_t sys_umask(const struct syscall_args *args)
{
    unsigned before = current()->standpoint->umask;
    current()->standpoint->umask = (unsigned)args->arg[0] & 0777;
    return before;
}
