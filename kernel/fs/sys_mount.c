// SPDX-License-Identifier: MIT
/*
 * sys_mount.c: mount(2) and umount2(2), for tmpfs and proc.
 */
#include <linux/fcntl.h>
#include <linux/mount.h>

#include "kernel/fs/fs.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path_user.h"
#include "kernel/fs/procfs.h"
#include "kernel/fs/syscalls.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* umount2(2); Linux's headers for user programs lack them. */
#define MNT_FORCE 1u
#define MNT_DETACH 2u
#define MNT_EXPIRE 4u
#define UMOUNT_NOFOLLOW 8u

/* What a mount keeps of the flags; the others say what to do, or mean nothing here. */
#define FLAGS_KEPT                                                                                        \
    ((unsigned)(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_DIRSYNC | MS_NOATIME | \
                MS_NODIRATIME | MS_STRICTATIME))
#define FLAGS_PROPAGATION ((unsigned)(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
#define FLAGS_TIMES ((unsigned)(MS_NOATIME | MS_NODIRATIME | MS_STRICTATIME | MS_RELATIME))

struct mount_request {
    char *source, *type, *data; /* may be NULL */
    unsigned flags;
};

/* ---- arguments ---- */

/* A copy of a string of at most a page; NULL where there is none, and with *error: -EFAULT, -EINVAL, -ENOMEM. */
static char *text_copy_user(uint64_t user, int *error)
{
    char *text = user ? kmalloc(PAGE_SIZE) : NULL;
    if (!text) {
        *error = user ? -ENOMEM : 0;
        return NULL;
    }
    ssize_type length = copy_string_from_user(text, user, PAGE_SIZE);
    if (length >= 0)
        return text;
    *error = length == -ENAMETOOLONG ? -EINVAL : (int)length;
    kfree(text);
    return NULL;
}

static void request_free(struct mount_request *request)
{
    kfree(request->source);
    kfree(request->type);
    kfree(request->data);
}

/* Options that mean the same for every file system, whose names it does not see. They stand for flags of mount(2). */
static const struct flag_option {
    const char *name;
    unsigned set, clear;
} flag_options[] = {
    { "ro", MS_RDONLY, 0 },         { "rw", 0, MS_RDONLY },           { "sync", MS_SYNCHRONOUS, 0 },
    { "async", 0, MS_SYNCHRONOUS }, { "dirsync", MS_DIRSYNC, 0 },
};

/* The one that the text begins with, or NULL. A value behind it is not looked at, as on Linux. */
static const struct flag_option *flag_option_find(const char *text)
{
    for (unsigned i = 0; i < ARRAY_SIZE(flag_options); i++) {
        size_t length = strlen(flag_options[i].name);
        if (!strncmp(flag_options[i].name, text, length) &&
            (!text[length] || text[length] == ',' || text[length] == '='))
            return &flag_options[i];
    }
    return NULL;
}

/* Take these options out of the text, the others stay. What the call's own flags forbid, no option allows. */
static void request_take_flags(struct mount_request *request)
{
    unsigned given = request->flags & MS_RDONLY;
    char *to = request->data;
    for (const char *from = to, *next; from; from = next) {
        const char *end = strchr(from, ',');
        size_t length = end ? (size_t)(end - from) : strlen(from);
        const struct flag_option *option = flag_option_find(from);
        next = end ? end + 1 : NULL;
        if (option) {
            request->flags = (request->flags & ~option->clear) | option->set;
            continue;
        }
        if (to > request->data)
            *to++ = ',';
        memmove(to, from, length);
        to += length;
    }
    if (to)
        *to = '\0';
    request->flags |= given;
}

static int request_get(const struct syscall_args *args, struct mount_request *request)
{
    int error = 0;
    *request = (struct mount_request){ .flags = (unsigned)args->arg[3] };
    if ((request->flags & MS_MGC_MSK) == MS_MGC_VAL)
        request->flags &= ~(unsigned)MS_MGC_MSK;
    if (request->flags & MS_STRICTATIME)
        request->flags &= ~(unsigned)MS_NOATIME; /* the wish for exact times counts more */
    request->type = text_copy_user(args->arg[2], &error);
    if (!error)
        request->source = text_copy_user(args->arg[0], &error);
    if (!error)
        request->data = text_copy_user(args->arg[4], &error);
    if (error)
        request_free(request);
    else if (!(request->flags & MS_BIND))
        request_take_flags(request);
    return error;
}

/* ---- new ones ---- */

static int tmpfs_make(const struct mount_request *request, struct filesystem **made)
{
    struct tmpfs_options options = tmpfs_options_now(NULL);
    int error = tmpfs_options_read(request->data, &options);
    if (error)
        return error;
    struct filesystem *tmpfs = tmpfs_create("tmpfs", options.mode);
    if (!tmpfs)
        return -ENOMEM;
    error = tmpfs_set_limits(tmpfs, &options);
    if (error) {
        tmpfs_destroy(tmpfs);
        return error;
    }
    tmpfs->root->uid = options.uid;
    tmpfs->root->gid = options.gid;
    *made = tmpfs;
    return 0;
}

static int proc_make(const struct mount_request *request, struct filesystem **made)
{
    if (request->data && *request->data)
        return -EINVAL;
    *made = procfs_create();
    return *made ? 0 : -ENOMEM;
}

static bool type_is_mounted(const char *type)
{
    const struct filesystem *filesystem = fs_mounts;
    while (filesystem && strcmp(filesystem->type, type))
        filesystem = filesystem->next;
    return filesystem;
}

static int filesystem_make(const struct mount_request *request, struct filesystem **made)
{
    if (!request->type)
        return -EINVAL;
    if (!strcmp(request->type, "tmpfs"))
        return tmpfs_make(request, made);
    if (!strcmp(request->type, "proc"))
        return proc_make(request, made);
    return type_is_mounted(request->type) ? -EBUSY : -ENODEV; /* devtmpfs: there is one of it */
}

static int mount_new(const struct mount_request *request, struct inode *directory)
{
    struct filesystem *filesystem;
    int error = filesystem_make(request, &filesystem);
    if (error)
        return error;
    filesystem->flags = request->flags & FLAGS_KEPT;
    filesystem->source = kstrdup(request->source ? request->source : "none");
    error = filesystem->source ? mount_add(filesystem, directory) : -ENOMEM;
    if (error) {
        kfree(filesystem->source);
        filesystem->destroy(filesystem);
    }
    return error;
}

/* ---- changes to those that are there ---- */

/* The file system whose root this is, or NULL. */
static struct filesystem *filesystem_at(const struct inode *root)
{
    struct filesystem *filesystem = fs_mounts;
    while (filesystem && filesystem->root != root)
        filesystem = filesystem->next;
    return filesystem;
}

/* Both, or neither. */
static int limits_and_flags_set(struct filesystem *tmpfs, const struct tmpfs_options *options, unsigned flags)
{
    unsigned before = tmpfs->flags;
    int error = mount_set_flags(tmpfs, flags);
    if (error)
        return error;
    error = tmpfs_set_limits(tmpfs, options);
    if (error)
        tmpfs->flags = before;
    return error;
}

static int mount_again(const struct mount_request *request, const struct inode *root)
{
    struct filesystem *filesystem = filesystem_at(root);
    unsigned flags = request->flags & FLAGS_KEPT;
    if (!filesystem)
        return -EINVAL;
    if (!(request->flags & FLAGS_TIMES))
        flags |= filesystem->flags & FLAGS_TIMES;
    if (!(request->flags & MS_BIND) && request->data && *request->data) { /* with it flags alone are meant */
        if (strcmp(filesystem->type, "tmpfs"))
            return -EINVAL;
        struct tmpfs_options options = tmpfs_options_now(filesystem);
        int error = tmpfs_options_read(request->data, &options);
        if (error)
            return error;
        return limits_and_flags_set(filesystem, &options, flags);
    }
    return mount_set_flags(filesystem, flags);
}

/* Without namespaces nothing is ever propagated: private is what every mount is. */
static int mount_set_propagation(const struct mount_request *request, const struct inode *root)
{
    unsigned what = request->flags & ~(unsigned)(MS_REC | MS_SILENT);
    return what == MS_PRIVATE && filesystem_at(root) ? 0 : -EINVAL;
}

static int mount_elsewhere(const struct mount_request *request, struct inode *directory)
{
    struct inode *from;
    if (!request->source || !*request->source)
        return -EINVAL;
    int error = path_lookup(NULL, request->source, PATH_FOLLOW, &from);
    if (error)
        return error;
    struct filesystem *filesystem = filesystem_at(from);
    inode_put(from);
    return filesystem ? mount_move(filesystem, directory) : -EINVAL;
}

static int mount_do(const struct mount_request *request, struct inode *directory)
{
    if (!credentials_are_privileged(&current()->credentials))
        return -EPERM;
    mount_reap();
    if (request->flags & MS_REMOUNT)
        return mount_again(request, directory);
    if (request->flags & MS_BIND)
        return -EINVAL;
    if (request->flags & FLAGS_PROPAGATION)
        return mount_set_propagation(request, directory);
    if (request->flags & MS_MOVE)
        return mount_elsewhere(request, directory);
    return mount_new(request, directory);
}

/* mount(2): source, target, type, flags, data. */
int64_t sys_mount(const struct syscall_args *args)
{
    struct mount_request request;
    struct inode *directory;
    int error = request_get(args, &request);
    if (error)
        return error;
    error = path_lookup_user(AT_FDCWD, args->arg[1], 0, &directory);
    if (!error) {
        error = mount_do(&request, directory);
        inode_put(directory);
    }
    request_free(&request);
    return error;
}

/* ---- umount2 ---- */

/* MNT_EXPIRE: only at the second time, if nobody but these two calls came in. */
static int filesystem_expire(struct filesystem *filesystem)
{
    bool was_left_alone = filesystem->visits == filesystem->expires_after;
    if (filesystem->use(filesystem) != FILESYSTEM_IDLE)
        return -EBUSY;
    filesystem->expires_after = filesystem->visits + 1;
    return was_left_alone ? 0 : -EAGAIN;
}

static int unmount(struct inode *root, unsigned flags)
{
    struct filesystem *filesystem = filesystem_at(root);
    int error = 0;
    if (!credentials_are_privileged(&current()->credentials))
        error = -EPERM;
    else if (!filesystem || !filesystem->covered || (flags & MNT_EXPIRE && flags & (MNT_FORCE | MNT_DETACH)))
        error = -EINVAL;
    inode_put(root); /* or we would be one who uses it */
    if (!error && flags & MNT_EXPIRE)
        error = filesystem_expire(filesystem);
    if (error)
        return error;
    return mount_remove(filesystem, flags & MNT_DETACH ? MOUNT_DETACH : MOUNT_REMOVE_NOW);
}

/* umount2(2): target, flags. */
int64_t sys_umount2(const struct syscall_args *args)
{
    unsigned flags = (unsigned)args->arg[1];
    struct inode *root;
    if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
        return -EINVAL;
    int error = path_lookup_user(AT_FDCWD, args->arg[0], flags & UMOUNT_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &root);
    return error ? error : unmount(root, flags);
}
