// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: files
//
// Edges of the calls on files: which error comes first, who loses set-ID bits by what, what a number in /proc/sys
// gives to a reader that takes it in pieces, what ioctl(2) tells of any file.
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "observe.h"

#define NOBODY 65534

// Linux's numbers that the C library lacks.
#define BIRTH 0x800 // STATX_BTIME
#define FIGETBSZ _IO(0, 2)
#ifndef FALLOC_FL_COLLAPSE_RANGE
#define FALLOC_FL_COLLAPSE_RANGE 0x08
#define FALLOC_FL_ZERO_RANGE 0x10
#define FALLOC_FL_INSERT_RANGE 0x20
#define FALLOC_FL_UNSHARE_RANGE 0x40
#endif

static void become_nobody(void)
{
    if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
        _exit(99);
}

// What body(arg) returns in a child of its own.
static int as_child(int (*body)(const char *), const char *arg)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body(arg));
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int file_make(const char *name, mode_t mode)
{
    int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
    if (fd < 0 || fchmod(fd, mode) || write(fd, "0123456789", 10) != 10)
        _exit(98);
    return fd;
}

static mode_t mode_of(const char *name)
{
    struct stat st;
    return stat(name, &st) ? 0 : st.st_mode & 07777;
}

static void creating(void)
{
    fails(open("..", O_CREAT | O_EXCL, 0600), EEXIST, "O_EXCL of ..");
    fails(open(".", O_CREAT | O_EXCL, 0600), EEXIST, "O_EXCL of .");
    fails(open(".", O_CREAT, 0600), EISDIR, "O_CREAT of .");
}

static int as_nobody_make_devices(const char *arg)
{
    (void)arg;
    become_nobody();
    if (mknod("none", S_IFCHR | 0600, 0))
        return 1;
    if (open("none", O_RDONLY) >= 0 || errno != ENXIO)
        return 2;
    if (!mknod("null", S_IFCHR | 0600, makedev(1, 3)) || errno != EPERM)
        return 3;
    return !mknod("block", S_IFBLK | 0600, 0) || errno != EPERM ? 4 : 0;
}

/* Each changes the file `sgid`, which the process may write to. */
static int nobody_writes(const char *arg)
{
    become_nobody();
    int fd = open(arg, O_RDWR);
    return write(fd, "x", 1) != 1;
}

static int nobody_truncates(const char *arg)
{
    become_nobody();
    return truncate(arg, 5);
}

static int nobody_allocates(const char *arg)
{
    become_nobody();
    return fallocate(open(arg, O_RDWR), 0, 0, 5000);
}

static int nobody_punches(const char *arg)
{
    become_nobody();
    return fallocate(open(arg, O_RDWR), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}

static int member_writes(const char *arg)
{
    if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(NOBODY, NOBODY, NOBODY))
        return 99;
    int fd = open(arg, O_RDWR);
    return write(fd, "x", 1) != 1;
}

static void set_id_bits(void)
{
    static const struct {
        int (*change)(const char *arg);
        mode_t before, after;
        const char *what;
    } rows[] = {
        { nobody_writes, 06777, 0777, "write(2)" },
        { nobody_writes, 02767, 0767, "write(2), the group may not run it" },
        { member_writes, 02767, 02767, "write(2) of a member, the group may not run it" },
        { member_writes, 06777, 0777, "write(2) of a member" },
        { nobody_truncates, 02767, 0767, "truncate(2)" },
        { nobody_allocates, 06777, 0777, "fallocate(2)" },
        { nobody_punches, 06777, 0777, "fallocate(2) of a hole" },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        close(file_make("program", rows[i].before));
        ok(as_child(rows[i].change, "program") == 0 && mode_of("program") == rows[i].after, "set-ID bits after %s: %04o of %04o", rows[i].what,
           mode_of("program"), rows[i].before);
    }
}

static int nobody_removes(const char *arg)
{
    become_nobody();
    return rmdir(arg) ? errno : 0;
}

static void removing(void)
{
    ok(mkdir("held", 0755) == 0 && mkdir("held/in", 0755) == 0 && mount("none", "held/in", "tmpfs", 0, NULL) == 0,
       "a file system in a directory of root's");
    is(as_child(nobody_removes, "held/in"), EACCES, "nobody's rmdir of a mount point fails for the rights, not for the mount");
    fails(rmdir("held/in"), EBUSY, "root's for the mount");
    ok(umount("held/in") == 0, "unmounted");
}

static void allocating(void)
{
    int fd = file_make("allocated", 0600);
    fails(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 4096), EINVAL, "collapsing is asked for alone");
    fails(fallocate(fd, FALLOC_FL_INSERT_RANGE | FALLOC_FL_KEEP_SIZE, 0, 4096), EINVAL, "inserting is");
    fails(fallocate(fd, FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_ZERO_RANGE, 0, 4096), EINVAL, "unsharing without zeroing");
    fails(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096), EOPNOTSUPP, "collapsing is not for memory");
    fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096), EOPNOTSUPP, "a hole keeps the size");
    fails(fallocate(fd, 0x80, 0, 4096), EOPNOTSUPP, "an unknown mode");
    fails(readahead(fd, 0, (size_t)-1), EINVAL, "reading ahead backwards");
    ok(readahead(fd, 0, 100) == 0, "and forwards");
    close(fd);
}

static void asking(void)
{
    int fd = file_make("asked", 0600), size = 0, ends[2];
    long long occupied = 0;
    ok(ioctl(fd, FIGETBSZ, &size) == 0 && size == 4096, "FIGETBSZ of a file");
    ok(ioctl(fd, FIOQSIZE, &occupied) == 0 && occupied == 4096, "FIOQSIZE of a file");
    fails(ioctl(fd, FIGETBSZ, NULL), EFAULT, "FIGETBSZ into nowhere");
    ok(pipe(ends) == 0 && ioctl(ends[0], FIGETBSZ, &size) == 0 && size == 4096, "FIGETBSZ of a pipe");
    fails(ioctl(ends[0], FIOQSIZE, &occupied), ENOTTY, "FIOQSIZE of a pipe");
    close(fd);

    unsigned told[64]; // struct statx, which begins with its mask; musl of this age does not know it
    ok(syscall(SYS_statx, AT_FDCWD, "asked", 0, 0x7ff, told) == 0 && !(told[0] & BIRTH),
       "statx(2) tells the time of birth to who asks for it");
    ok(syscall(SYS_statx, AT_FDCWD, "asked", 0, BIRTH, told) == 0 && told[0] & BIRTH, "and to who does");
}

static void reading_proc(void)
{
    char text[16];
    int fd = open("/proc/sys/vm/overcommit_ratio", O_RDONLY);
    ok(read(fd, text, 1) == 1 && read(fd, text, sizeof text) == 0, "a number in /proc/sys has its end behind any read");
    ok(pread(fd, text, sizeof text, 0) > 1, "and is there again at its start");
    close(fd);
    fd = open("/proc/sys/kernel/ostype", O_RDONLY);
    ok(read(fd, text, 1) == 1 && read(fd, text, sizeof text) == 5, "a text is told in pieces");
    close(fd);
    is(readlink("/proc/mounts", text, sizeof text), 11, "/proc/mounts is a link to self/mounts");
}

static int nobody_in_proc(const char *arg)
{
    (void)arg;
    become_nobody();
    if (!rmdir("/proc/version") || errno != EACCES)
        return 1;
    return !unlink("/proc/self/stat") || errno != EPERM ? 2 : 0;
}

static void writing_proc(void)
{
    struct stat st;
    fails(access("/proc/self", W_OK), EPERM, "a process's directory is not to be written to, by root neither");
    fails(open("/proc/self", O_TMPFILE | O_RDWR, 0600), EPERM, "not even for a file without a name");
    fails(rmdir("/proc/self/stat"), EPERM, "and what is no directory is not looked at");
    fails(unlink("/proc/self/fd"), EPERM, "what is one is not either");
    fails(rmdir("/proc/version"), ENOTDIR, "it is outside of one");
    fails(utimensat(AT_FDCWD, "/proc/self", NULL, 0), EPERM, "its times cannot be set");
    is(as_child(nobody_in_proc, NULL), 0, "who may not write is told so before anything else");
    ok(lstat("/proc/self/fd/1", &st) == 0 && st.st_size == 64, "a descriptor's link has a size of 64 bytes");
}

static int nobody_renames(const char *arg)
{
    become_nobody();
    return rename(arg, "held-twin") || rename(arg, arg) ? errno : 0;
}

static void renaming_to_itself(void)
{
    close(file_make("held-name", 0600));
    ok(link("held-name", "held-twin") == 0 && chmod(".", 0755) == 0, "two names of a file in a directory of root's");
    is(as_child(nobody_renames, "held-name"), 0, "between them nobody's rename(2) has nothing to do, so it may");
    ok(chmod(".", 0777) == 0 && access("held-name", F_OK) == 0 && access("held-twin", F_OK) == 0, "both are there");
}

static void devices(void)
{
    int fd = open("/dev/urandom", O_RDWR);
    fails(write(fd, (void *)8, 3), EFAULT, "/dev/urandom reads what is written to it");
    is(write(fd, "abc", 3), 3, "all of it");
    is(lseek(fd, 0, SEEK_CUR), 0, "and has no places");
    close(fd);
    fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK);
    struct pollfd asked = { .fd = fd, .events = POLLIN | POLLRDNORM | POLLOUT };
    ok(write(fd, "a line", 6) == 6 && poll(&asked, 1, 1000) == 1 && asked.revents == (POLLIN | POLLRDNORM),
       "/dev/kmsg with a line is readable");
    close(fd);
}

// The terminal's modes in their older form, struct termio: 16 bits of each word of flags, and 8 control characters.
struct old_modes {
    unsigned short input, output, control, local;
    unsigned char line, characters[8];
};

static void old_terminal(void)
{
    struct old_modes first, changed, now;
    struct termios modes, after;
    signal(SIGTTOU, SIG_IGN);
    int fd = open("/dev/ttyS0", O_RDWR | O_NONBLOCK | O_NOCTTY), file = file_make("no-terminal", 0600);
    ok(fd >= 0 && tcgetattr(fd, &modes) == 0 && ioctl(fd, TCGETA, &first) == 0, "TCGETA of a terminal");
    ok(first.input == (unsigned short)modes.c_iflag && first.output == (unsigned short)modes.c_oflag &&
           first.local == (unsigned short)modes.c_lflag && first.control == (unsigned short)modes.c_cflag &&
           !memcmp(first.characters, modes.c_cc, sizeof first.characters),
       "tells what tcgetattr(3) tells");
    fails(ioctl(fd, TCGETA, NULL), EFAULT, "TCGETA into nowhere");
    fails(ioctl(fd, TCSETA, NULL), EFAULT, "TCSETA from nowhere");
    fails(ioctl(file, TCGETA, &now), ENOTTY, "TCGETA of a file");
    changed = first;
    changed.local ^= NOFLSH;
    changed.characters[VERASE] = 17;
    ok(ioctl(fd, TCSETA, &changed) == 0 && ioctl(fd, TCGETA, &now) == 0 && tcgetattr(fd, &after) == 0, "TCSETA");
    ok(now.local == changed.local && now.characters[VERASE] == 17 && now.characters[VINTR] == first.characters[VINTR],
       "sets what it was given");
    ok(after.c_cc[VSUSP] == modes.c_cc[VSUSP] && after.c_cflag == modes.c_cflag, "and leaves the rest");
    ok(ioctl(fd, TCSETAW, &first) == 0 && tcgetattr(fd, &after) == 0 && after.c_lflag == modes.c_lflag, "TCSETAW sets it back");
    close(fd);
    close(file);
}

static void mounting(void)
{
    struct statfs told;
    mkdir("exact", 0700);
    ok(mount("none", "exact", "tmpfs", MS_NOATIME | MS_STRICTATIME, NULL) == 0 && statfs("exact", &told) == 0 &&
           !(told.f_flags & (ST_NOATIME | ST_RELATIME)),
       "MS_STRICTATIME counts more than MS_NOATIME");
    ok(umount("exact") == 0, "unmounted");
    ok(mount("sync-source", "exact", "tmpfs", MS_SYNCHRONOUS | MS_NOSUID, NULL) == 0, "a file system that is in step");
    char *line = strstr(observe_file("/proc/self/mounts"), "sync-source ");
    line = line ? strstr(line, " tmpfs ") : NULL;
    ok(line && !strncmp(line, " tmpfs rw,sync,nosuid,relatime", 30), "/proc/mounts tells the file system's flags first");
    ok(umount("exact") == 0, "unmounted");
}

// Options of every file system, and those of tmpfs that ask for what is so anyway.
static void mount_options(void)
{
    static const struct {
        const char *options;
        int error;
        bool read_only;
    } rows[] = {
        { "ro", 0, true },           { "rw", 0, false },          { "ro,rw", 0, false },
        { "size=64k,ro", 0, true },  { "ro,size=64k,sync", 0, true }, { "huge=never", 0, false },
        { "mpol=default", 0, false }, { "async,huge=never,mpol=default,size=64k", 0, false },
        { "huge=none", EINVAL, false }, { "mpol=none", EINVAL, false }, { "ro=1", 0, true },
        { "roo", EINVAL, false },
    };
    struct statfs told;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        int error = mount("none", "exact", "tmpfs", 0, rows[i].options) ? errno : 0;
        bool read_only = !error && !statfs("exact", &told) && told.f_flags & ST_RDONLY;
        ok(error == rows[i].error && read_only == rows[i].read_only, "a tmpfs with %s: error %d", rows[i].options, error);
        if (!error)
            umount("exact");
    }
    ok(mount("none", "exact", "tmpfs", MS_RDONLY, "rw,size=64k") == 0 && statfs("exact", &told) == 0 && told.f_flags & ST_RDONLY &&
           told.f_blocks == 16, "rw does not allow what MS_RDONLY forbids");
    ok(umount("exact") == 0, "unmounted");
}

static volatile sig_atomic_t signals_seen;

static void signal_note(int number)
{
    (void)number;
    signals_seen++;
}

// A signal that only the mask of ppoll(2) or pselect(2) lets in, and no time to wait.
static void polling(void)
{
    sigset_t usr1, none;
    struct timespec no_time = { 0, 0 };
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    signal(SIGUSR1, signal_note);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    fails(ppoll(NULL, 0, &no_time, &none), EINTR, "ppoll(2) without time lets a signal in");
    is(signals_seen, 1, "its handler ran");
    raise(SIGUSR1);
    fails(pselect(0, NULL, NULL, NULL, &no_time, &none), EINTR, "so does pselect(2)");
    is(signals_seen, 2, "its handler ran");
    is(ppoll(NULL, 0, &no_time, &none), 0, "without a signal the time is over");
}

// What poll(2) tells of the descriptor at once.
static int polled(int fd)
{
    struct pollfd asked = { .fd = fd, .events = POLLIN };
    poll(&asked, 1, 0);
    return asked.revents;
}

static void named_pipe(void)
{
    char byte;
    int first = -1, second = -1, writer = -1;
    ok(mkfifo("fifo", 0600) == 0 && (first = open("fifo", O_RDONLY | O_NONBLOCK)) >= 0, "a named pipe without writers");
    is(polled(first), 0, "is not at its end before the first one came");
    is(read(first, &byte, 1), 0, "whatever read(2) says");
    writer = open("fifo", O_WRONLY);
    is(polled(first), 0, "nor while it is there");
    close(writer);
    is(polled(first), POLLHUP, "but when it has gone");
    second = open("fifo", O_RDONLY | O_NONBLOCK);
    is(polled(second), 0, "who opens it then waits for the next one");
    is(polled(first), POLLHUP, "who had it open is told of the end");
    writer = open("fifo", O_WRONLY);
    ok(polled(first) == 0 && polled(second) == 0, "until that one comes");
    close(writer);
    ok(polled(first) == POLLHUP && polled(second) == POLLHUP, "and goes");
    close(first);
    close(second);
}

static int setting_write(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);
    int error = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text);
    close(fd);
    return error;
}

#define PIPE_USER 54321 // who has no pipes but these

/* Under a soft limit of 40 pages and a hard one of 36. 0, or the number of what was not as on Linux. */
static int user_makes_pipes(const char *arg)
{
    int ends[5][2];
    (void)arg;
    if (setgroups(0, NULL) || setresgid(PIPE_USER, PIPE_USER, PIPE_USER) || setresuid(PIPE_USER, PIPE_USER, PIPE_USER))
        return 99;
    if (pipe(ends[0]) || pipe(ends[1]) || fcntl(ends[1][0], F_GETPIPE_SZ) != 65536)
        return 1;
    if (pipe(ends[2]) || fcntl(ends[2][0], F_GETPIPE_SZ) != 8192)
        return 2;
    if (fcntl(ends[2][0], F_SETPIPE_SZ, 65536) != -1 || errno != EPERM)
        return 3;
    if (pipe(ends[3]) || fcntl(ends[3][0], F_GETPIPE_SZ) != 8192)
        return 4;
    if (pipe(ends[4]) != -1 || errno != ENFILE)
        return 5;
    if (open("small-fifo", O_RDWR) != -1 || errno != ENOMEM)
        return 6;
    if (fcntl(ends[0][0], F_SETPIPE_SZ, 4096) != 4096 || fcntl(ends[2][0], F_SETPIPE_SZ, 32768) != 32768)
        return 7;
    close(ends[1][0]);
    close(ends[1][1]);
    return pipe(ends[4]) || fcntl(ends[4][0], F_GETPIPE_SZ) != 65536 ? 8 : 0;
}

static int user_makes_a_small_pipe(const char *arg)
{
    int ends[2];
    (void)arg;
    become_nobody();
    return pipe(ends) || fcntl(ends[0], F_GETPIPE_SZ) != 8192;
}

static void pipe_limits(void)
{
    int ends[2];
    is(atol(observe_file("/proc/sys/fs/pipe-user-pages-soft")), 16384, "pipe-user-pages-soft");
    is(atol(observe_file("/proc/sys/fs/pipe-user-pages-hard")), 0, "pipe-user-pages-hard");
    mkfifo("small-fifo", 0666);
    chmod("small-fifo", 0666);
    ok(!setting_write("/proc/sys/fs/pipe-user-pages-soft", "40") && !setting_write("/proc/sys/fs/pipe-user-pages-hard", "36"),
       "both limits are set");
    is(as_child(user_makes_pipes, NULL), 0, "a user's pipes become small, and then are refused");
    ok(!setting_write("/proc/sys/fs/pipe-user-pages-soft", "1") && !setting_write("/proc/sys/fs/pipe-user-pages-hard", "1"),
       "both limits are one page");
    ok(pipe(ends) == 0 && fcntl(ends[0], F_GETPIPE_SZ) == 65536, "root has none");
    close(ends[0]);
    close(ends[1]);
    ok(!setting_write("/proc/sys/fs/pipe-user-pages-soft", "16384") && !setting_write("/proc/sys/fs/pipe-user-pages-hard", "0") &&
           !setting_write("/proc/sys/fs/pipe-max-size", "8192"), "pipe-max-size is set");
    is(as_child(user_makes_a_small_pipe, NULL), 0, "a new pipe is no larger");
    ok(!setting_write("/proc/sys/fs/pipe-max-size", "1048576"), "and set back");
}

static int opens_to_create(const char *name)
{
    int fd = open(name, O_CREAT | O_RDWR, 0600);
    int error = fd < 0 ? errno : 0;
    close(fd);
    return error;
}

// What others have put into a sticky directory is not what open(2) with O_CREAT wants; root is no better than others.
static void protected_files(void)
{
    static const struct {
        const char *level;
        mode_t directory;
        int error;
    } rows[] = { { "0", 01777, 0 }, { "1", 01777, EACCES }, { "1", 0777, 0 },       { "1", 01770, 0 },
                 { "2", 01770, EACCES }, { "2", 01777, EACCES }, { "2", 01755, 0 } };
    is(atol(observe_file("/proc/sys/fs/protected_fifos")), 0, "protected_fifos");
    is(atol(observe_file("/proc/sys/fs/protected_regular")), 0, "protected_regular");
    mkdir("sticky", 0777);
    close(file_make("sticky/file", 0666));
    close(file_make("sticky/mine", 0666));
    ok(mkfifo("sticky/fifo", 0666) == 0 && chown("sticky", 7, 7) == 0 && chown("sticky/file", NOBODY, NOBODY) == 0 &&
           chown("sticky/fifo", NOBODY, NOBODY) == 0,
       "others' files in others' directory");
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        chmod("sticky", rows[i].directory);
        setting_write("/proc/sys/fs/protected_fifos", rows[i].level);
        is(opens_to_create("sticky/fifo"), rows[i].error, "protected_fifos %s, %04o", rows[i].level, rows[i].directory);
        is(opens_to_create("sticky/file"), 0, "a file is no pipe");
        setting_write("/proc/sys/fs/protected_fifos", "0");
        setting_write("/proc/sys/fs/protected_regular", rows[i].level);
        is(opens_to_create("sticky/file"), rows[i].error, "protected_regular %s, %04o", rows[i].level, rows[i].directory);
        is(opens_to_create("sticky/mine"), 0, "one's own is");
        setting_write("/proc/sys/fs/protected_regular", "0");
    }
}

static int in_a_removed_directory(const char *arg)
{
    if (mkdir(arg, 0700) || chdir(arg) || rmdir("../gone"))
        return 1;
    if (!link("/tmp", "name") || errno != ENOENT)
        return 2;
    return !symlink("/tmp", "name") || errno != ENOENT ? 3 : 0;
}

int main(void)
{
    char room[] = "/tmp/fs-edges-XXXXXX";
    tap_begin();
    umask(0);
    if (!mkdtemp(room) || chmod(room, 0777) || chdir(room))
        return 1;
    creating();
    is(as_child(as_nobody_make_devices, NULL), 0, "device 0:0, which is none, is the one that anybody may make");
    set_id_bits();
    removing();
    allocating();
    asking();
    reading_proc();
    writing_proc();
    renaming_to_itself();
    devices();
    old_terminal();
    mounting();
    mount_options();
    polling();
    named_pipe();
    pipe_limits();
    protected_files();
    is(as_child(in_a_removed_directory, "gone"), 0, "nothing gets a name in a directory that is gone, whatever it is");
    return tap_end();
}
