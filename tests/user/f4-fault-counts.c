// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
// not-with: zfod=off
//
// F4: minor and major faults in getrusage, wait4 and /proc/PID/stat; peaks in /proc/PID/status.
#include "child.h"
#include "observe.h"

#define PAGES 1000L
#define STATUS_SLACK (on_lazybones() ? 0 : 64L * 4) // kB; Linux batches the RSS counters behind status

// Field `number` (from 1, as in proc(5)) of /proc/self/stat.
static long stat_field(int number)
{
    char *at = strrchr(observe_file("/proc/self/stat"), ')') + 2;
    for (int field = 3; field < number; field++)
        at = strchr(at, ' ') + 1;
    return strtol(at, NULL, 10);
}

static long status(const char *key)
{
    return observe_number(observe_file("/proc/self/status"), key);
}

static void child_faults(void *region)
{
    region_write((char *)region + PAGES * PAGE, PAGES, 1);
    _exit(5);
}

static void counts_check(char *region)
{
    struct rusage before, after, major;
    getrusage(RUSAGE_SELF, &before);
    long stat_before = stat_field(10);
    region_write(region, PAGES, 1);
    getrusage(RUSAGE_SELF, &after);
    long stat_after = stat_field(10), stat_major = stat_field(12);
    getrusage(RUSAGE_SELF, &major);
    is(after.ru_minflt - before.ru_minflt, PAGES, "F4 getrusage counts a minor fault a page");
    is(stat_after - stat_before, PAGES, "F4 so does /proc/self/stat, field 10");
    is(stat_after, after.ru_minflt, "F4 both tell the same number");
    is(major.ru_majflt, stat_major, "F4 major faults are the same in both");
    is(after.ru_majflt - before.ru_majflt, 0, "F4 anonymous memory takes no major fault");
    between(PAGES * 4, after.ru_maxrss, PAGES * 4 + 4096, "F4 ru_maxrss holds the peak in kB");
}

static void children_check(char *region)
{
    struct rusage usage, total_before, total_after;
    int state;
    long field_before = stat_field(11);
    getrusage(RUSAGE_CHILDREN, &total_before);
    pid_t pid = fork();
    if (pid == 0)
        child_faults(region);
    wait4(pid, &state, 0, &usage);
    getrusage(RUSAGE_CHILDREN, &total_after);
    between(PAGES, usage.ru_minflt, PAGES + 64, "F4 wait4 hands over the child's faults");
    is(total_after.ru_minflt - total_before.ru_minflt, usage.ru_minflt, "F4 RUSAGE_CHILDREN adds them");
    is(stat_field(11) - field_before, usage.ru_minflt, "F4 and cminflt in /proc/self/stat");
}

static void peaks_check(char *region)
{
    long size = status("VmSize:"), resident = status("VmRSS:");
    between(size, status("VmPeak:"), size + 64 * 1024, "F4 VmPeak is at least VmSize");
    between(resident, status("VmHWM:"), 1 << 20, "F4 VmHWM is at least VmRSS");
    region_unmap(region, 2 * PAGES);
    between(size - 4, status("VmPeak:"), size + 64 * 1024, "F4 VmPeak stays when memory is unmapped");
    between(resident - STATUS_SLACK, status("VmHWM:"), 1 << 20, "F4 VmHWM stays");
    between(PAGES * 8, size - status("VmSize:"), PAGES * 8 + 3 * 2048 + 2048, "F4 VmSize falls");
    between(PAGES * 4 - STATUS_SLACK, resident - status("VmRSS:"), PAGES * 4 + STATUS_SLACK,
            "F4 VmRSS falls");
}

int main(void)
{
    tap_begin();
    observe_settle();
    stat_field(10);
    status("VmSize:");
    char *region = region_map(2 * PAGES);
    counts_check(region);
    children_check(region);
    peaks_check(region);
    return tap_end();
}
