// SPDX-License-Identifier: MIT
/*
 * tmpfs_mount.c: tmpfs as mount(2) has it: its options, who uses it, and its end.
 */
#include <linux/limits.h>

#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tmpfs_node.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/frame.h"

/* ---- options ---- */

static const struct tmpfs *tmpfs_of_filesystem(const struct filesystem *filesystem)
{
    return container_of((struct filesystem *)filesystem, struct tmpfs, filesystem);
}

static uint64_t limit_by_default(void) { return frame_total_count() / 2; }

/* A number with k, m, g, t, p or e behind it for a power of 1024. False: something else follows. */
static bool number_read(const char *text, const char **end, uint64_t *number)
{
    static const char powers[] = "kmgtpe";
    *number = string_to_ulong(text, end, 0);
    if (*end == text)
        return false;
    for (unsigned i = 0; **end && powers[i]; i++)
        if ((**end | 0x20) == powers[i]) {
            *number <<= 10 * (i + 1);
            ++*end;
            break;
        }
    return true;
}

/* size=: bytes, or per cent of RAM; 0: no bound, as with nr_inodes=. */
static bool size_read(const char *text, uint64_t *pages)
{
    const char *end;
    if (!number_read(text, &end, pages))
        return false;
    if (*end == '%') {
        *pages = *pages * frame_total_count() / 100;
        return !end[1];
    }
    *pages = page_up(*pages) >> PAGE_SHIFT;
    return !*end;
}

static bool count_read(const char *text, uint64_t *count)
{
    const char *end;
    return number_read(text, &end, count) && !*end;
}

static bool id_read(const char *text, unsigned base, uint32_t *id)
{
    const char *end;
    uint64_t number = string_to_ulong(text, &end, base);
    *id = (uint32_t)number;
    return end > text && !*end && number <= UINT32_MAX;
}

/* One option into *options: 0 or -EINVAL. */
static int option_read(const char *option, struct tmpfs_options *options)
{
    const char *value = strchr(option, '=');
    size_t length = value ? (size_t)(value++ - option) : 0;
    bool good = false;
    if (length == 4 && !strncmp(option, "size", length))
        good = size_read(value, &options->pages);
    else if (length == 9 && !strncmp(option, "nr_blocks", length))
        good = count_read(value, &options->pages);
    else if (length == 9 && !strncmp(option, "nr_inodes", length))
        good = count_read(value, &options->nodes);
    else if (length == 4 && !strncmp(option, "mode", length))
        good = id_read(value, 8, &options->mode) && options->mode <= 07777;
    else if (length == 3 && !strncmp(option, "uid", length))
        good = id_read(value, 10, &options->uid);
    else if (length == 3 && !strncmp(option, "gid", length))
        good = id_read(value, 10, &options->gid);
    else /* what is so anyway: numbers of 64 bits, small pages, memory from the one node */
        good = !strcmp(option, "inode64") || !strcmp(option, "huge=never") || !strcmp(option, "mpol=default");
    return good ? 0 : -EINVAL;
}

int tmpfs_options_read(char *text, struct tmpfs_options *options)
{
    int error = 0;
    for (char *next; text && !error; text = next) {
        next = strchr(text, ',');
        if (next)
            *next++ = '\0';
        if (*text)
            error = option_read(text, options);
    }
    return error;
}

struct tmpfs_options tmpfs_options_now(const struct filesystem *filesystem)
{
    const struct tmpfs *tmpfs = filesystem ? tmpfs_of_filesystem(filesystem) : NULL;
    return (struct tmpfs_options){
        .pages = tmpfs ? tmpfs->pages.limit : limit_by_default(),
        .nodes = tmpfs ? tmpfs->nodes_max : limit_by_default(),
        .mode = S_ISVTX | 0777,
        .uid = current()->credentials.user.filesystem,
        .gid = current()->credentials.group.filesystem,
    };
}

int tmpfs_set_limits(struct filesystem *filesystem, const struct tmpfs_options *options)
{
    struct tmpfs *tmpfs = container_of(filesystem, struct tmpfs, filesystem);
    uint64_t pages = options->pages ? options->pages : TMPFS_UNBOUNDED;
    uint64_t nodes = options->nodes ? options->nodes : TMPFS_UNBOUNDED;
    if (tmpfs->pages.used > pages || tmpfs->nodes > nodes)
        return -EINVAL;
    tmpfs->pages.limit = pages;
    tmpfs->nodes_max = nodes;
    return 0;
}

void tmpfs_options_show(const struct filesystem *filesystem, char *text, size_t size)
{
    const struct tmpfs *tmpfs = tmpfs_of_filesystem(filesystem);
    const struct inode *root = filesystem->root;
    size_t n = 0;
    text[0] = '\0';
    if (tmpfs->pages.limit != limit_by_default() && tmpfs->pages.limit != TMPFS_UNBOUNDED)
        n += (size_t)snprintf(text + n, size - n, ",size=%luk", tmpfs->pages.limit << (PAGE_SHIFT - 10));
    if (tmpfs->nodes_max != limit_by_default() && tmpfs->nodes_max != TMPFS_UNBOUNDED)
        n += (size_t)snprintf(text + n, size - n, ",nr_inodes=%lu", tmpfs->nodes_max);
    if ((root->mode & 07777) != (S_ISVTX | 0777))
        n += (size_t)snprintf(text + n, size - n, ",mode=%03o", root->mode & 07777);
    if (root->uid)
        n += (size_t)snprintf(text + n, size - n, ",uid=%u", root->uid);
    if (root->gid)
        snprintf(text + n, size - n, ",gid=%u", root->gid);
}

/* ---- use ---- */

/* The entry behind this one, children before siblings; NULL: it was the last one. */
static struct entry *entry_next(struct entry *entry)
{
    struct entry *next = TAILQ_FIRST(&entry->node->entries);
    while (!next && entry) {
        next = TAILQ_NEXT(entry, sibling);
        entry = entry->directory->shown; /* a directory has one name; the root has none */
    }
    return next;
}

struct tally {
    uint64_t nodes, refs; /* in the tree; references to them, and those that the tree itself has */
    uint64_t own_refs;
    bool written, mapped;
};

static void tally_node(struct tally *tally, const struct node *node)
{
    tally->nodes++;
    tally->refs += node->inode.refs;
    tally->written |= node->inode.writers > 0;
    tally->mapped |= node->cache && node->cache->refs > 1;
}

/*
 * Each name has a reference to its node, each named node one to its parent, the root one of its own and one of its
 * mount. All others are users'. A node that the tree does not show has been removed and is open, or mapped.
 */
enum filesystem_use tmpfs_use(const struct filesystem *filesystem)
{
    const struct tmpfs *tmpfs = tmpfs_of_filesystem(filesystem);
    const struct node *root = node_of(filesystem->root);
    struct tally tally = { .own_refs = 1 + (filesystem->covered != NULL) };
    spin_lock(&inode_tree_lock);
    tally_node(&tally, root);
    for (struct entry *entry = TAILQ_FIRST(&root->entries); entry; entry = entry_next(entry)) {
        tally.own_refs++;
        if (entry->node->shown != entry)
            continue;
        tally.own_refs++;
        tally_node(&tally, entry->node);
    }
    spin_unlock(&inode_tree_lock);
    if (tally.written || tally.nodes != tmpfs->nodes)
        return FILESYSTEM_WRITTEN;
    return tally.mapped || tally.refs != tally.own_refs ? FILESYSTEM_USED : FILESYSTEM_IDLE;
}
