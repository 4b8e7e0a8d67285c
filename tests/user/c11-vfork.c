// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// C11: vfork lends the parent's address space to the child. The parent waits until the child execs
// or exits, and no page table is copied or shared.
#include <time.h>

#include "child.h"
#include "observe.h"

#define PAGES 1024L

static volatile long seen_tables, seen_frames, step;

// All that a borrowed address space allows: look, write to the parent's variables, leave.
static void borrowed_look(long frames, long tables, volatile char *region)
{
    struct timespec nap = {0, 30 * 1000 * 1000};
    seen_tables = frames_tables() - tables;
    seen_frames = frames - frames_free();
    nanosleep(&nap, NULL); // a parent that does not wait would now go on without these
    region[5 * PAGE] = 'v';
    step = 1;
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    region_write(region, PAGES, 'p');

    long frames = frames_free(), tables = frames_tables(), count;
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        borrowed_look(frames, tables, region);
        _exit(3);
    }
    is(step, 1, "C11 the parent waits until the child exits");
    is(region[5 * PAGE], 'v', "C11 the child's write is in the parent's memory");
    is(seen_tables, 0, "C11 no page table was made");
    between(-slack_objects(), seen_frames, 16 + slack_objects(), "C11 only a kernel stack and the like");
    ok(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3, "C11 the child's status arrives");

    count = faults();
    region_write(region, PAGES, 'q');
    is(faults() - count, 0, "C11 the parent's pages were never made copy-on-write");

    step = 0;
    pid = vfork();
    if (pid == 0) {
        step = 2;
        execl("/bin/busybox", "busybox", "sh", "-c", "exit 5", NULL);
        _exit(99);
    }
    is(step, 2, "C11 the parent waits until the child execs");
    ok(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5, "C11 the exec'd program runs");
    ok(region[0] == 'q' && region[(PAGES - 1) * PAGE] == 'q',
       "C11 the parent's memory has survived the exec");
    return tap_end();
}
