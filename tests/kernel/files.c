// SPDX-License-Identifier: MIT
/*
 * files.c: tests of the file tree, pipes and /proc from inside, with kernel buffers; and of every failing
 * allocation on the way.
 */
#include "kernel/fs/file.h"

#include <asm/poll.h>

#include "kernel/fs/pipe.h"
#include "kernel/fs/text.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/selftest.h"
#include "mm/slab.h"

static const char *path_after(const char *path)
{
    static char text[64];
    struct inode *inode;

    if (path_lookup(NULL, path, PATH_FOLLOW, &inode))
        return "?";
    if (path_of(inode, text, sizeof(text)) < 0)
        text[0] = '\0';
    inode_put(inode);
    return text;
}

KTEST(path, walks_over_mounts_and_back)
{
    EXPECT_TEXT(path_after("/"), "/");
    EXPECT_TEXT(path_after("dev/./null"), "/dev/null");
    EXPECT_TEXT(path_after("//proc/../../dev/"), "/dev");
    EXPECT_TEXT(path_after("/proc/self/../version"), "/proc/version");
}

KTEST(path, says_what_is_wrong)
{
    struct inode *inode;

    EXPECT_EQUAL(path_lookup(NULL, "", PATH_FOLLOW, &inode), -ENOENT);
    EXPECT_EQUAL(path_lookup(NULL, "/dev/none", PATH_FOLLOW, &inode), -ENOENT);
    EXPECT_EQUAL(path_lookup(NULL, "/dev/null/", PATH_FOLLOW, &inode), -ENOTDIR);
    EXPECT_EQUAL(path_lookup(NULL, "/dev/null/..", PATH_FOLLOW, &inode), -ENOTDIR);
    EXPECT_EQUAL(path_lookup(NULL, "/proc/99999", PATH_FOLLOW, &inode), -ENOENT);
}

static int open_path(const char *path, struct file **file)
{
    struct inode *inode;
    int error = path_lookup(NULL, path, PATH_FOLLOW, &inode);

    if (error)
        return error;
    error = file_open(inode, O_RDONLY, file);
    inode_put(inode);
    return error;
}

static ssize_type read_bytes(struct file *file, void *memory, size_t length)
{
    struct buffer buffer = buffer_kernel(memory, length);
    return file_read(file, &buffer);
}

static ssize_type write_bytes(struct file *file, const void *memory, size_t length)
{
    struct buffer buffer = buffer_kernel((void *)memory, length);
    return file_write(file, &buffer);
}

/* Read a whole file in small pieces: its length, or the first error. */
static ssize_type read_whole(const char *path)
{
    char piece[100];
    struct file *file;
    ssize_type n = open_path(path, &file), sum = 0;

    if (n)
        return n;
    while ((n = read_bytes(file, piece, sizeof(piece))) > 0)
        sum += n;
    file_put(file);
    return n ? n : sum;
}

KTEST(proc, every_text_file_can_be_read)
{
    static const char *const paths[] = {
        "/proc/meminfo",   "/proc/mounts",      "/proc/self/maps", "/proc/self/smaps",
        "/proc/self/stat", "/proc/self/status", "/proc/uptime",    "/proc/version",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
        EXPECT(read_whole(paths[i]) >= 0);
}

KTEST(text, grows_over_many_frames)
{
    struct text text = { 0 };
    char line[16], wanted[16];

    for (unsigned i = 0; i < 2000; i++)
        text_printf(&text, "line %06u\n", i);
    REQUIRE(!text.failed);
    EXPECT_EQUAL(text.length, 24000);
    for (unsigned i = 0; i < 2000; i++) {
        struct buffer buffer = buffer_kernel(line, 12);
        EXPECT_EQUAL(text_read(&text, &buffer, i * 12ul), 12);
        snprintf(wanted, sizeof(wanted), "line %06u\n", i);
        EXPECT(!memcmp(line, wanted, 12));
    }
    text_free(&text);
}

/* ---- pipes ---- */

static char page[4096]; /* too large for the stack */

struct ends {
    struct file *read, *write;
};

static void ends_put(struct ends *ends)
{
    if (ends->read)
        file_put(ends->read);
    if (ends->write)
        file_put(ends->write);
}

KTEST(pipe, carries_bytes_in_order_round_and_round)
{
    uint8_t out[700], in[1000], next_out = 0, next_in = 0;
    struct ends ends;

    REQUIRE(!pipe_create(O_NONBLOCK, &ends.read, &ends.write));
    for (unsigned i = 0; i < 500; i++) {
        for (unsigned k = 0; k < sizeof(out); k++)
            out[k] = next_out++;
        ssize_type written = write_bytes(ends.write, out, sizeof(out));
        if (written < 0)
            next_out -= (uint8_t)sizeof(out);
        ssize_type n = read_bytes(ends.read, in, i * 37 % sizeof(in));
        for (ssize_type k = 0; k < n; k++)
            EXPECT_EQUAL(in[k], next_in++);
    }
    ends_put(&ends);
}

KTEST(pipe, takes_64_kib_and_small_writes_whole_or_not_at_all)
{
    struct ends ends;

    REQUIRE(!pipe_create(O_NONBLOCK, &ends.read, &ends.write));
    EXPECT_EQUAL(read_bytes(ends.read, page, 1), -EAGAIN);
    for (unsigned i = 0; i < 16; i++)
        EXPECT_EQUAL(write_bytes(ends.write, page, 4096), 4096);
    EXPECT_EQUAL(write_bytes(ends.write, page, 1), -EAGAIN);
    EXPECT_EQUAL(file_poll(ends.write) & POLLOUT, 0);
    EXPECT_EQUAL(read_bytes(ends.read, page, 100), 100);
    EXPECT_EQUAL(write_bytes(ends.write, page, 101), -EAGAIN);
    EXPECT_EQUAL(write_bytes(ends.write, page, 100), 100);
    ends_put(&ends);
}

KTEST(pipe, an_empty_one_costs_little)
{
    uint64_t before = frame_free_count();
    struct ends ends;

    REQUIRE(!pipe_create(O_NONBLOCK, &ends.read, &ends.write));
    EXPECT(before - frame_free_count() <= 2); /* a slab each for the pipe and its files at most */
    before = frame_free_count();
    for (unsigned i = 0; i < 10; i++)
        EXPECT_EQUAL(write_bytes(ends.write, page, 4096), 4096);
    EXPECT_EQUAL(before - frame_free_count(), 10);
    for (unsigned i = 0; i < 10; i++)
        EXPECT_EQUAL(read_bytes(ends.read, page, 4096), 4096);
    EXPECT_EQUAL(before - frame_free_count(), 0);
    ends_put(&ends);
}

KTEST(pipe, ends_with_its_writer)
{
    struct ends ends;
    char byte = 'x';

    REQUIRE(!pipe_create(0, &ends.read, &ends.write));
    EXPECT_EQUAL(write_bytes(ends.write, &byte, 1), 1);
    file_put(ends.write);
    ends.write = NULL;
    EXPECT_EQUAL(file_poll(ends.read), POLLIN | POLLRDNORM | POLLHUP);
    EXPECT_EQUAL(read_bytes(ends.read, &byte, 1), 1);
    EXPECT_EQUAL(read_bytes(ends.read, &byte, 1), 0);
    ends_put(&ends);
}

/* ---- every allocation that can fail ---- */

static int try_proc(void)
{
    ssize_type n = read_whole("/proc/self/../self/status");
    return n < 0 ? (int)n : 0;
}

static int try_pipe(void)
{
    struct ends ends;
    int error = pipe_create(O_NONBLOCK, &ends.read, &ends.write);

    if (error)
        return error;
    ssize_type n = write_bytes(ends.write, "x", 1);
    ends_put(&ends);
    return n < 0 ? (int)n : 0;
}

static int try_files(void)
{
    struct files *files = files_clone(current()->files);

    if (!files)
        return -ENOMEM;
    files_put(files);
    return 0;
}

/*
 * Fail the first, second, third … frame until all goes well; each failure says so and gives everything back.
 */
static void sweep(int (*attempt)(void))
{
    uint64_t free = frame_free_count();
    int error = -ENOMEM;

    for (unsigned n = 1; error && n < 100; n++) {
        frame_fail_nth(n);
        error = attempt();
        frame_fail_nth(0);
        EXPECT(!error || error == -ENOMEM);
        EXPECT_EQUAL(frame_free_count(), free);
    }
    EXPECT_EQUAL(error, 0);
}

KTEST(files, no_failed_allocation_leaves_a_trace)
{
    sweep(try_proc);
    sweep(try_pipe);
    sweep(try_files);
}
