// SPDX-License-Identifier: MIT
/*
 * tmpfs.c: tests of files in memory from inside: what they cost, what they give back, and every failing
 * allocation on the way.
 */
#include "kernel/fs/tmpfs.h"

#include <linux/fs.h>

#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/truncate.h"

static struct inode *root_of(struct filesystem *tmpfs) { return tmpfs->root; }

static int make(struct inode *directory, const char *name, uint32_t mode, struct inode **made)
{
    const struct inode_new new = { .mode = mode, .target = "target" };
    return directory->ops->create(directory, name, strlen(name), &new, made);
}

static int write_at(struct inode *inode, const char *bytes, size_t length, uint64_t offset)
{
    struct file *file;
    int error = file_open(inode, O_RDWR, &file);

    if (error)
        return error;
    struct buffer buffer = buffer_kernel((void *)bytes, length);
    ssize_type n = file_write_at(file, &buffer, offset);
    file_put(file);
    return n < 0 ? (int)n : 0;
}

static int drop(struct inode *directory, const char *name, enum inode_removal removal)
{
    return directory->ops->unlink(directory, name, strlen(name), removal);
}

KTEST(tmpfs, a_file_costs_what_was_written)
{
    struct filesystem *tmpfs = tmpfs_create("tmpfs", 0755);
    struct inode *file;
    uint64_t committed = commit_total();

    REQUIRE(tmpfs);
    REQUIRE(!make(root_of(tmpfs), "sparse", S_IFREG | 0600, &file));
    EXPECT_EQUAL(write_at(file, "x", 1, 5ul << 30), 0);
    EXPECT_EQUAL(write_at(file, "y", 1, 0), 0);
    EXPECT_EQUAL(file->size, (5ul << 30) + 1);
    EXPECT_EQUAL(file->ops->blocks(file), 16);
    EXPECT_EQUAL(commit_total() - committed, 2);
    EXPECT_EQUAL(file->ops->truncate(file, 1), 0);
    EXPECT_EQUAL(commit_total() - committed, 1);
    EXPECT_EQUAL(file->ops->seek_data(file, 0, SEEK_HOLE), 1);
    EXPECT_EQUAL(drop(root_of(tmpfs), "sparse", REMOVE_FILE), 0);
    EXPECT_EQUAL(file->links, 0);
    inode_put(file);
    EXPECT_EQUAL(commit_total(), committed);
    tmpfs_destroy(tmpfs);
}

KTEST(tmpfs, contents_of_the_archive_until_written_and_cut)
{
    static char archive[2 * PAGE_SIZE];
    struct filesystem *tmpfs = tmpfs_create("tmpfs", 0755);
    struct inode *file;
    struct file *open;
    uint64_t committed = commit_total();
    char got[4];

    REQUIRE(tmpfs);
    memset(archive, 'a', sizeof(archive));
    REQUIRE(!make(root_of(tmpfs), "f", S_IFREG | 0600, &file));
    tmpfs_set_contents(file, archive, PAGE_SIZE + 100);
    REQUIRE(!file_open(file, O_RDWR, &open));
    struct buffer buffer = buffer_kernel(got, 4);
    EXPECT_EQUAL(file_read_at(open, &buffer, PAGE_SIZE + 98), 2);
    EXPECT(got[0] == 'a');
    EXPECT_EQUAL(write_at(file, "b", 1, 0), 0);
    EXPECT_EQUAL(commit_total(), committed); /* the archive's pages are no promise */
    EXPECT(archive[0] == 'a');
    EXPECT_EQUAL(file->ops->truncate(file, 1), 0);
    EXPECT_EQUAL(file->ops->truncate(file, 2 * PAGE_SIZE), 0);
    EXPECT_EQUAL(file_read_at(open, &buffer, 0), 4);
    EXPECT(got[0] == 'b' && got[1] == 0); /* what was cut off does not come back */
    EXPECT_EQUAL(file_read_at(open, &buffer, PAGE_SIZE), 4);
    EXPECT(got[0] == 0);
    file_put(open);
    EXPECT_EQUAL(drop(root_of(tmpfs), "f", REMOVE_FILE), 0);
    inode_put(file);
    tmpfs_destroy(tmpfs);
}

/* ---- every allocation that can fail ---- */

static struct inode *playground;

static int try_names(void)
{
    struct inode *directory, *link;
    int error = make(playground, "directory", S_IFDIR | 0700, &directory);

    if (error)
        return error;
    error = make(directory, "link", S_IFLNK | 0777, &link);
    if (!error) {
        inode_put(link);
        error = directory->ops->rename(directory, "link", 4, playground, "moved", 5, 0);
        EXPECT_EQUAL(drop(error ? directory : playground, error ? "link" : "moved", REMOVE_FILE), 0);
    }
    EXPECT_EQUAL(drop(playground, "directory", REMOVE_DIRECTORY), 0);
    inode_put(directory);
    return error;
}

static int try_contents(void)
{
    static char page[PAGE_SIZE];
    struct inode *file;
    int error = make(playground, "file", S_IFREG | 0600, &file);

    if (error)
        return error;
    error = write_at(file, page, PAGE_SIZE, 100);
    if (!error)
        error = file->ops->allocate(file, 0, 1ul << 30, 3 * PAGE_SIZE);
    EXPECT_EQUAL(drop(playground, "file", REMOVE_FILE), 0);
    inode_put(file);
    return error;
}

/*
 * Fail the first, second, third … frame until all goes well; each failure says so and gives everything
 * back.
 */
static void sweep(int (*attempt)(void))
{
    int error = attempt(); /* the slabs that stay half empty are there */
    uint64_t free = frame_free_count(), committed = commit_total();

    for (unsigned n = 1; n < 100; n++) {
        frame_fail_nth(n);
        error = attempt();
        frame_fail_nth(0);
        EXPECT(!error || error == -ENOMEM);
        EXPECT_EQUAL(frame_free_count(), free);
        EXPECT_EQUAL(commit_total(), committed);
        if (!error)
            break;
    }
    EXPECT_EQUAL(error, 0);
}

KTEST(tmpfs, no_failed_allocation_leaves_a_trace)
{
    struct filesystem *tmpfs = tmpfs_create("tmpfs", 0755);

    REQUIRE(tmpfs);
    playground = root_of(tmpfs);
    sweep(try_names);
    sweep(try_contents);
    EXPECT(tmpfs_directory_is_empty(playground));
    tmpfs_destroy(tmpfs);
}
