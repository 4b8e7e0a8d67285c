// SPDX-License-Identifier: MIT
/*
 * fs.c: files at boot: what is mounted where, and init's standard descriptors.
 *
 * Standard descriptors are the terminal on COM1 (stdio=tty) or plain streams (stdio=stream): then 0 and 1 are
 * COM1 and 2 is the port that stderr= names.
 */
#include "kernel/fs/fs.h"

#include "arch/x86_64/machine.h"
#include "kernel/fs/descriptor.h"
#include "kernel/fs/devfs.h"
#include "kernel/fs/file.h"
#include "kernel/fs/initfs.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/proc_sys.h"
#include "kernel/fs/procfs.h"
#include "kernel/fs/stream.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"

#define STDIO_LIMIT 3

static bool stdio_is_stream(void)
{
    const char *stdio = params_string("stdio");
    if (stdio && strcmp(stdio, "tty") && strcmp(stdio, "stream"))
        log_warn("stdio=%s: not known; the terminal is used (stdio=tty)", stdio);
    return stdio && !strcmp(stdio, "stream");
}

static void mount_or_panic(struct filesystem *filesystem, struct inode *directory)
{
    int error = filesystem ? mount_add(filesystem, directory) : -ENOMEM;
    if (error)
        panic("cannot mount /%s: error %d", directory->name, -error);
}

#define MODE_FOR_ALL (S_ISVTX | 0777) /* as of /tmp: all may make files, and remove their own */

/*
 * /dev/shm, where shm_open(3) keeps its objects, is a file system of its own, and /tmp, unless the archive has
 * brought files for it.
 */
static void mount_all(void)
{
    struct filesystem *devfs = devfs_create();
    mount_or_panic(procfs_create(), initfs_directory("proc"));
    mount_or_panic(devfs, initfs_directory("dev"));
    mount_or_panic(tmpfs_create("tmpfs", MODE_FOR_ALL), devfs_make_directory(devfs, "shm"));
    struct inode *tmp = initfs_directory("tmp");
    tmp->mode = S_IFDIR | MODE_FOR_ALL;
    if (tmpfs_directory_is_empty(tmp))
        mount_or_panic(tmpfs_create("tmpfs", MODE_FOR_ALL), tmp);
}

void fs_init(const void *archive, size_t length)
{
    proc_sys_init();
    mount_root(initfs_create(archive, length));
    mount_all();
    if (stdio_is_stream()) {
        tty_init(TTY_WITHOUT_INPUT);
        stream_init();
    } else {
        tty_init(TTY_WITH_INPUT);
    }
}

/* The port that stderr=ttySn names; ttyS0 if it names none. */
static unsigned stderr_port(void)
{
    const char *name = params_string("stderr");
    if (!name)
        return 0;
    if (strlen(name) == 5 && !strncmp(name, "ttyS", 4) && name[4] >= '0' && name[4] < '0' + SERIAL_PORTS)
        return (unsigned)(name[4] - '0');
    log_warn("stderr=%s: no such port; ttyS0 is used", name);
    return 0;
}

/*
 * Open `inode` (whose reference is taken over; NULL: there was no memory for it) as the next free descriptor.
 */
static int stdio_open(struct files *files, struct inode *inode, unsigned flags)
{
    struct file *file;
    if (!inode)
        return -ENOMEM;
    int error = file_open(inode, flags, &file);
    inode_put(inode);
    return error ? error : MIN(files_install_in(files, file, 0, false, STDIO_LIMIT), 0);
}

static int stdio_open_streams(struct files *files)
{
    int error = stdio_open(files, stream_input_create(), O_RDONLY);
    if (!error)
        error = stdio_open(files, stream_output_create(0), O_WRONLY);
    if (!error)
        error = stdio_open(files, stream_output_create(stderr_port()), O_WRONLY);
    return error;
}

/* One open file, three descriptors, as a login shell has it. */
static int stdio_open_terminal(struct files *files)
{
    struct file *file;
    struct inode *console;
    int error = path_lookup(fs_root, "/dev/console", PATH_FOLLOW, &console);
    if (error)
        return error;
    error = file_open(console, O_RDWR | O_NOCTTY, &file);
    inode_put(console);
    if (error)
        return error;
    for (int fd = 0; fd < STDIO_LIMIT && !error; fd++)
        error = MIN(files_install_in(files, file_get(file), 0, false, STDIO_LIMIT), 0);
    file_put(file);
    return error;
}

int fs_open_stdio(struct files *files)
{
    return stdio_is_stream() ? stdio_open_streams(files) : stdio_open_terminal(files);
}
