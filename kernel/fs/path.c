// SPDX-License-Identifier: MIT
/*
 * path.c: the path walk.
 *
 * A walk is an inode and the text still to be walked from there. Each step takes one slash or one name off
 * the text. A symbolic link puts its own text in front of what is left, so links in links need no recursion.
 * Whatever stands before a slash must be a directory, at the end of a path too ("file/" is ENOTDIR).
 */
#include "kernel/fs/path.h"

#include "kernel/fs/fs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"

struct walk {
    struct inode *at; /* one reference */
    const char *rest;
    char *text; /* the buffer that `rest` points into once a link has been followed */
    unsigned links;
};

/* Go on from `inode`, whose reference becomes the walk's. */
static void walk_to(struct walk *walk, struct inode *inode)
{
    inode_put(walk->at);
    walk->at = inode;
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
    if (text[0] == '/')
        walk_to(walk, inode_get(fs_root));
    return 0;
}

static int walk_follow(struct walk *walk, struct inode *link)
{
    if (walk->links++ == PATH_LINKS_MAX)
        return -ELOOP;
    if (!link->ops->follow)
        return walk_splice(walk, link);
    struct inode *target = link->ops->follow(link);
    if (!target)
        return -ENOENT;
    walk_to(walk, target);
    return 0;
}

static int walk_enter(struct walk *walk, const char *name, size_t length, enum path_follow follow)
{
    if (length == 1 && name[0] == '.')
        return 0;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        walk_to(walk, inode_get(walk->at->parent));
        return 0;
    }
    int error = 0;
    struct inode *next = inode_lookup(walk->at, name, length, &error);
    if (!next)
        return error;
    if (S_ISLNK(next->mode) && (follow == PATH_FOLLOW || *walk->rest == '/')) {
        error = walk_follow(walk, next);
        inode_put(next);
        return error;
    }
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

int path_lookup(struct inode *start, const char *path, enum path_follow follow, struct inode **inode)
{
    if (!*path)
        return -ENOENT;
    if (*path == '/')
        start = fs_root;
    else if (!start)
        start = current()->cwd;
    struct walk walk = { .at = inode_get(start), .rest = path };
    int error = 0;
    while (!error && *walk.rest)
        error = walk_step(&walk, follow);
    kfree(walk.text);
    if (error)
        inode_put(walk.at);
    else
        *inode = walk.at;
    return error;
}

int path_lookup_parent(struct inode *start, const char *path, struct inode **parent, const char **name,
                       size_t *length)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    *name = path + begin;
    *length = end - begin;
    if (!end)
        return -ENOENT;
    if (!*length || (*length <= 2 && !strncmp(*name, "..", *length)))
        return -EEXIST;
    if (*length > NAME_MAX)
        return -ENAMETOOLONG;
    if (!begin)
        return path_lookup(start, ".", PATH_FOLLOW, parent);
    char *directory = kmalloc(begin + 1);
    if (!directory)
        return -ENOMEM;
    memcpy(directory, path, begin);
    int error = path_lookup(start, directory, PATH_FOLLOW, parent);
    kfree(directory);
    return error;
}

/*
 * Written from the end of the buffer towards its start, then moved: the number of names is not known before.
 */
ssize_type path_of(const struct inode *inode, char *buffer, size_t size)
{
    size_t at = size;
    if (!inode->parent)
        return -ENOENT;
    if (size < 2)
        return -ENAMETOOLONG;
    buffer[--at] = '\0';
    if (inode == fs_root)
        buffer[--at] = '/';
    for (; inode != fs_root; inode = inode->parent) {
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
