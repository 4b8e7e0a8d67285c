// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: log
//
// The kernel's log: /dev/kmsg record by record, /proc/kmsg, and syslog(2), which dmesg uses.
#include <poll.h>
#include <sys/klog.h>

#include "child.h"
#include "observe.h"

static char record[8192], lines[1 << 20];

// Linux shows a record that has no newline only when the next one comes, so all have one.
static void put(const char *text)
{
    int fd = open("/dev/kmsg", O_WRONLY);
    is(write(fd, text, strlen(text)), strlen(text), "a line of %d bytes is written", (int)strlen(text));
    close(fd);
}

// The next record as a string; its length or -errno.
static long next(int fd)
{
    ssize_t n = read(fd, record, sizeof(record) - 1);
    record[n < 0 ? 0 : n] = 0;
    return n < 0 ? -errno : n;
}

// "prio,seq,usec,-;text\n", perhaps with more fields before the semicolon.
static bool record_is(unsigned *priority, unsigned long *sequence, unsigned long *usec, const char *text)
{
    char *semicolon = strchr(record, ';');
    if (!semicolon || sscanf(record, "%u,%lu,%lu,-", priority, sequence, usec) != 3)
        return false;
    return strncmp(semicolon + 1, text, strlen(text)) == 0 && semicolon[1 + strlen(text)] == '\n';
}

static void records_check(void)
{
    unsigned priority;
    unsigned long sequence, first, usec, before;
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
    ok(next(fd) > 0 && strchr(record, ';') && record[strlen(record) - 1] == '\n',
       "the oldest record comes first");
    is(lseek(fd, 0, SEEK_END), 0, "the end is found by lseek");
    is(next(fd), -EAGAIN, "nothing is there: EAGAIN");
    struct pollfd poller = {fd, POLLIN, 0};
    is(poll(&poller, 1, 0), 0, "and poll says so");
    put("<14>kmsg: one\n");
    is(poll(&poller, 1, 1000), 1, "poll sees a new one");
    ok(next(fd) > 0 && record_is(&priority, &first, &before, "kmsg: one"), "it is read: number, time, text");
    is(priority, 14, "with the priority that was written");
    put("kmsg: two\n");
    ok(next(fd) > 0 && record_is(&priority, &sequence, &usec, "kmsg: two"), "the next one");
    is(priority, 12, "without a priority it is a user's warning");
    is(sequence, first + 1, "its number is one more");
    ok(usec >= before, "its time not before");
    put("<6>kmsg: tab\t and \\ and \x01\n");
    ok(next(fd) > 0 && record_is(&priority, &sequence, &usec, "kmsg: tab\\x09 and \\x5c and \\x01"),
       "what is not plain is escaped");
    is(priority, 14, "a program cannot speak for the kernel: facility 0 becomes 1");
    put("kmsg: three\n");
    is(read(fd, record, 8), -1, "a buffer that is too small");
    is(errno, EINVAL, "is EINVAL");
    is(next(fd), -EAGAIN, "and the record is passed over");
    fails(lseek(fd, 1, SEEK_SET), ESPIPE, "there is no middle to seek to");
    fails(lseek(fd, 0, SEEK_CUR), EINVAL, "nor a position to tell");
    is(lseek(fd, 0, SEEK_SET), 0, "the beginning can be gone back to");
    ok(next(fd) > 0 && sscanf(record, "%u,%lu", &priority, &sequence) == 2 && sequence < first,
       "and the oldest record comes again");
    close(fd);
}

static void reader_waits(struct link *link, void *arg)
{
    (void)arg;
    int fd = open("/dev/kmsg", O_RDONLY);
    lseek(fd, 0, SEEK_END);
    say(link, 1);
    long n = next(fd);
    say(link, n > 0 && strstr(record, "kmsg: wake up") != NULL);
}

static void wait_check(void)
{
    struct link link = child_start(reader_waits, NULL);
    hear(&link);
    usleep(50000);
    put("kmsg: wake up\n");
    is(hear(&link), 1, "a reader that waits gets it");
    child_end(&link);
}

static void syslog_check(void)
{
    long size = klogctl(10, NULL, 0);
    ok(size >= 16384, "syslog(10): the log's size");
    put("<13>kmsg: for syslog\n");
    long n = klogctl(3, lines, sizeof(lines) - 1);
    lines[n > 0 ? n : 0] = 0;
    char *at = strstr(lines, "kmsg: for syslog\n");
    ok(n > 0 && n <= size + 4096 && at, "syslog(3) reads all of it");
    char *line = at;
    while (line && line > lines && line[-1] != '\n')
        line--;
    unsigned priority;
    unsigned long seconds, usec;
    int length = 0;
    ok(line && sscanf(line, "<%u>[%lu.%lu] %n", &priority, &seconds, &usec, &length) == 3 && priority == 13 &&
           line + length == at,
       "in lines of <priority>[seconds] text");
    is(klogctl(3, lines, 64), strlen("<13>[    0.000000] kmsg: for syslog\n"),
       "a small buffer gets the last line");
    fails(klogctl(3, NULL, 64), EINVAL, "no buffer: EINVAL");
    fails(klogctl(3, lines, -1), EINVAL, "a negative length: EINVAL");
    is(klogctl(3, lines, 0), 0, "no room: nothing");
    ok(klogctl(4, lines, sizeof(lines)) >= n - 64, "syslog(4) reads and clears");
    n = klogctl(3, lines, sizeof(lines) - 1);
    lines[n > 0 ? n : 0] = 0;
    ok(n >= 0 && !strstr(lines, "for syslog"), "then it is gone");
    put("kmsg: after\n");
    n = klogctl(3, lines, sizeof(lines) - 1);
    ok(n > 0 && strstr(lines, "kmsg: after"), "and what comes later is shown");
    is(klogctl(5, NULL, 0), 0, "syslog(5) clears as well");
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
    ok(lseek(fd, 0, SEEK_DATA) == 0 && next(fd) == -EAGAIN, "SEEK_DATA leads behind what was cleared");
    lseek(fd, 0, SEEK_SET);
    ok(next(fd) > 0, "/dev/kmsg shows it all the same");
    close(fd);
}

static long console_level(void)
{
    return strtol(observe_file("/proc/sys/kernel/printk"), NULL, 10);
}

static void console_check(void)
{
    long level = console_level();
    is(klogctl(8, NULL, 3), 0, "syslog(8) sets the console's level");
    is(console_level(), 3, "which /proc/sys/kernel/printk shows");
    is(klogctl(6, NULL, 0), 0, "syslog(6) silences it");
    is(console_level(), 1, "down to emergencies");
    is(klogctl(7, NULL, 0), 0, "syslog(7) undoes that");
    is(console_level(), 3, "the level is back");
    fails(klogctl(8, NULL, 0), EINVAL, "level 0: EINVAL");
    fails(klogctl(8, NULL, 9), EINVAL, "level 9: EINVAL");
    klogctl(8, NULL, (int)level);
    fails(klogctl(11, NULL, 0), EINVAL, "there is no action 11");
    is(klogctl(1, NULL, 0), 0, "syslog(1) has no effect");
}

// /proc/kmsg and syslog(2) share one place: what one has read, the other does not see.
static void place_check(void)
{
    int fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK);
    while (read(fd, lines, sizeof(lines)) > 0)
        continue;
    is(errno, EAGAIN, "/proc/kmsg, read to its end: EAGAIN");
    is(klogctl(9, NULL, 0), 0, "syslog(9): nothing is left unread");
    put("<13>kmsg: unread\n");
    long size = strlen("<13>[    0.000000] kmsg: unread\n");
    is(klogctl(9, NULL, 0), size, "a line more");
    struct pollfd poller = {fd, POLLIN, 0};
    is(poll(&poller, 1, 1000), 1, "poll sees it");
    is(klogctl(2, lines, sizeof(lines)), size, "syslog(2) reads it");
    is(read(fd, lines, sizeof(lines)), -1, "and it is gone from /proc/kmsg");
    close(fd);
}

int main(void)
{
    tap_begin();
    klogctl(8, NULL, 1); // what this test writes stays off the console
    records_check();
    wait_check();
    syslog_check();
    place_check();
    console_check();
    return tap_end();
}
