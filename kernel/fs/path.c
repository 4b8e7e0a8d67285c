// SPDX-License-Identifier: MIT
/*
 * path.c: the path walk.
 *
 * A walk is an inode and the text still to be walked from there. Each step takes one slash or one name off
 * the text. A symbolic link puts its own text in front of what is left, so links in links need no recursion.
 * Whatever stands before a slash must be a directory, at the end of a path too ("file/" is ENOTDIR).
 */
#include "kernel/fs/path.h"

#include <linux/openat2.h>

#include "kernel/fs/fs.h"
#include "kernel/fs/standpoint.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"

struct path_policy path_policy = { .protected_hardlinks = 1, .protected_symlinks = 1 };

struct inode *path_root(void)
{
    const struct standpoint *standpoint = current()->standpoint;
    return standpoint && standpoint->root ? standpoint->root : fs_root;
}

struct walk {
    struct inode *at; /* one reference */
    const char *rest;
    char *text; /* the buffer that `rest` points into once a link has been followed */
    unsigned links;
    struct inode *root;  /* of absolute names; `..` does not lead out of it */
    struct inode *start; /* RESOLVE_BENEATH: nor out of this */
    unsigned resolve;    /* RESOLVE_* */
    struct path_place *place; /* stop at the last name and note it here; NULL: go all the way */
    bool placed;
};

/* Go on from `inode`, whose reference becomes the walk's. */
static void walk_to(struct walk *walk, struct inode *inode)
{
    inode_put(walk->at);
    walk->at = inode;
}

/* May the walk go on there, as far as mounts are concerned? */
static int walk_check_mount(const struct walk *walk, const struct inode *next)
{
    return walk->resolve & RESOLVE_NO_XDEV && next->filesystem != walk->at->filesystem ? -EXDEV : 0;
}

/* A link's text begins with a slash. */
static int walk_to_root(struct walk *walk)
{
    int error = walk->resolve & RESOLVE_BENEATH ? -EXDEV : walk_check_mount(walk, walk->root);
    if (!error)
        walk_to(walk, inode_get(walk->root));
    return error;
}

/* Put the text of `link` in front of the rest. */
static int walk_splice(struct walk *walk, struct inode *link)
{
    char *text = kmalloc(PATH_MAX);
    if (!text)
        return -ENOMEM;
    ssize_type length = link->ops->readlink(link, text, PATH_MAX);
    size_t rest = strlen(walk->rest);
    if (length == 0)
        length = -ENOENT;
    if (length > 0 && (size_t)length + rest >= PATH_MAX)
        length = -ENAMETOOLONG;
    if (length < 0) {
        kfree(text);
        return (int)length;
    }
    memcpy(text + length, walk->rest, rest + 1);
    kfree(walk->text);
    walk->text = text;
    walk->rest = text;
    return text[0] == '/' ? walk_to_root(walk) : 0;
}

static int walk_follow(struct walk *walk, struct inode *link)
{
    if (walk->links++ == PATH_LINKS_MAX || walk->resolve & RESOLVE_NO_SYMLINKS)
        return -ELOOP;
    if (!link->ops->follow)
        return walk_splice(walk, link);
    if (walk->resolve & RESOLVE_NO_MAGICLINKS)
        return -ELOOP;
    if (walk->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        return -EXDEV; /* it may lead anywhere */
    int error = -ENOENT;
    struct inode *target = link->ops->follow(link, &error);
    if (!target)
        return error;
    error = walk_check_mount(walk, target);
    if (error)
        inode_put(target);
    else
        walk_to(walk, target);
    return error;
}

/*
 * fs.protected_symlinks (proc(5)): in a sticky directory that all may write to, a link as the last name is
 * followed only by its owner, or if the directory's owner made it.
 */
static bool link_is_trusted(const struct inode *directory, const struct inode *link)
{
    const uint32_t open = S_ISVTX | S_IWOTH;
    return !path_policy.protected_symlinks || (directory->mode & open) != open ||
           link->uid == current()->credentials.user.filesystem || link->uid == directory->uid;
}

static bool is_last(const struct walk *walk)
{
    const char *rest = walk->rest;
    while (*rest == '/')
        rest++;
    return !*rest;
}

static int walk_up(struct walk *walk)
{
    if (walk->resolve & RESOLVE_BENEATH && walk->at == walk->start)
        return -EXDEV;
    if (walk->at == walk->root)
        return 0;
    struct inode *parent = inode_parent(walk->at);
    int error = walk_check_mount(walk, parent);
    if (error)
        inode_put(parent);
    else
        walk_to(walk, parent);
    return error;
}

static int walk_dots(struct walk *walk, size_t length)
{
    int error = length == 2 ? walk_up(walk) : 0;
    if (error)
        return error;
    if (walk->place && is_last(walk)) {
        walk->place->kind = length == 1 ? PATH_DOT : PATH_DOTDOT;
        walk->placed = true;
    }
    if (walk->placed)
        walk->place->inode = inode_get(walk->at);
    return 0;
}

/*
 * The walk ends in front of its last name. Takes over the reference to `inode` (NULL: there is no such
 * file).
 */
static int walk_place(struct walk *walk, const char *name, size_t length, struct inode *inode)
{
    struct path_place *place = walk->place;
    walk->placed = true;
    place->kind = PATH_NAME;
    place->slash = *walk->rest == '/';
    place->parent = inode_get(walk->at);
    place->inode = inode;
    place->length = length;
    memcpy(place->name, name, length);
    place->name[length] = '\0';
    return 0;
}

static int walk_enter(struct walk *walk, const char *name, size_t length, enum path_follow follow)
{
    if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))
        return walk_dots(walk, length);
    int error = inode_permission(walk->at, INODE_EXECUTE);
    struct inode *next = error ? NULL : inode_lookup(walk->at, name, length, &error);
    bool place = walk->place && is_last(walk);
    if (next && (error = walk_check_mount(walk, next))) {
        inode_put(next);
        return error;
    }
    if (!next)
        return place && error == -ENOENT ? walk_place(walk, name, length, NULL) : error;
    if (S_ISLNK(next->mode) && (follow == PATH_FOLLOW || (*walk->rest == '/' && !place))) {
        error = is_last(walk) && !link_is_trusted(walk->at, next) ? -EACCES : walk_follow(walk, next);
        inode_note_access(next);
        inode_put(next);
        return error;
    }
    if (place)
        return walk_place(walk, name, length, next);
    walk_to(walk, next);
    return 0;
}

static size_t name_length(const char *text)
{
    size_t length = 0;
    while (text[length] && text[length] != '/')
        length++;
    return length;
}

static int walk_step(struct walk *walk, enum path_follow follow)
{
    if (!S_ISDIR(walk->at->mode))
        return -ENOTDIR;
    if (*walk->rest == '/') {
        walk->rest++;
        return 0;
    }
    const char *name = walk->rest;
    size_t length = name_length(name);
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    walk->rest += length;
    return walk_enter(walk, name, length, follow);
}

/* Walk to the end. On success walk->at has a reference. */
static int walk_run(struct walk *walk, struct inode *start, const char *path, enum path_follow follow)
{
    if (!*path)
        return -ENOENT;
    if (!start)
        start = current()->standpoint->cwd;
    walk->root = walk->resolve & RESOLVE_IN_ROOT ? start : path_root();
    walk->start = start;
    if (*path == '/' && walk->resolve & RESOLVE_BENEATH)
        return -EXDEV;
    walk->at = inode_get(*path == '/' ? walk->root : start);
    walk->rest = path;
    int error = 0;
    while (!error && *walk->rest && !walk->placed)
        error = walk_step(walk, follow);
    kfree(walk->text);
    if (error)
        inode_put(walk->at);
    return error;
}

int path_lookup(struct inode *start, const char *path, enum path_follow follow, struct inode **inode)
{
    return path_lookup_within(start, path, follow, 0, inode);
}

int path_lookup_within(struct inode *start, const char *path, enum path_follow follow, unsigned resolve,
                       struct inode **inode)
{
    struct walk walk = { .resolve = resolve };
    int error = walk_run(&walk, start, path, follow);
    if (!error)
        *inode = walk.at;
    return error;
}

int path_lookup_place(struct inode *start, const char *path, enum path_follow follow,
                      struct path_place *place)
{
    return path_lookup_place_within(start, path, follow, 0, place);
}

int path_lookup_place_within(struct inode *start, const char *path, enum path_follow follow, unsigned resolve,
                             struct path_place *place)
{
    struct walk walk = { .place = place, .resolve = resolve };
    place->parent = place->inode = NULL;
    int error = walk_run(&walk, start, path, follow);
    if (error)
        return error;
    if (walk.placed) {
        inode_put(walk.at);
        return 0;
    }
    place->kind = PATH_ROOT; /* nothing but slashes, or a link straight to an inode */
    place->inode = walk.at;
    return 0;
}

void path_place_put(struct path_place *place)
{
    inode_put(place->parent);
    inode_put(place->inode);
}

/*
 * Written from the end of the buffer towards its start, then moved: the number of names is not known before.
 */
static ssize_type path_of_locked(const struct inode *inode, char *buffer, size_t size)
{
    const struct inode *root = path_root();
    size_t at = size;
    if (!inode->parent)
        return -ENOENT;
    if (size < 2)
        return -ENAMETOOLONG;
    buffer[--at] = '\0';
    if (inode == root || inode == fs_root)
        buffer[--at] = '/';
    /* A tree that has been unmounted under us has no path of its own: it begins at its root. */
    for (; inode != root && inode != fs_root && inode->parent; inode = inode->parent) {
        size_t length = strlen(inode->name);
        if (length + 1 > at)
            return -ENAMETOOLONG;
        at -= length;
        memcpy(buffer + at, inode->name, length);
        buffer[--at] = '/';
    }
    memmove(buffer, buffer + at, size - at);
    return (ssize_type)(size - at - 1);
}

ssize_type path_of(const struct inode *inode, char *buffer, size_t size)
{
    spin_lock(&inode_tree_lock);
    ssize_type length = path_of_locked(inode, buffer, size);
    spin_unlock(&inode_tree_lock);
    return length;
}

bool path_is_reachable(const struct inode *inode)
{
    const struct inode *root = path_root();
    spin_lock(&inode_tree_lock);
    while (inode != root && inode->parent && inode->parent != inode)
        inode = inode->parent;
    spin_unlock(&inode_tree_lock);
    return inode == root;
}

ssize_type path_text(const struct inode *inode, char *buffer, size_t size)
{
    ssize_type length = path_of(inode, buffer, size);
    if (length < 0 || inode->links)
        return length;
    if ((size_t)length + PATH_DELETED_SIZE > size)
        return -ENAMETOOLONG;
    memcpy(buffer + length, " (deleted)", PATH_DELETED_SIZE);
    return length + (ssize_type)PATH_DELETED_SIZE - 1;
}
