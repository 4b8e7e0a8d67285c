// SPDX-License-Identifier: MIT
// ram: 128M  time: 60
// not-with: zfod=off
//
// A peers' bug: an out-of-memory fault that faults for ever. A child that touches more memory than
// there is must be killed; its parent and the kernel go on, and the memory comes back.
#include "child.h"
#include "observe.h"

static void child_takes_all(void *arg)
{
    long pages = (long)arg;
    char *memory =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    region_write(memory, pages, 1);
}

int main(void)
{
    tap_begin();
    observe_settle();
    long frames = frames_free(), pages = meminfo("MemTotal:") / 4 + 1000;
    ok(killed_by(child_run(child_takes_all, (void *)pages), SIGKILL),
       "a child that touches more than all memory is killed");
    between(frames * 9 / 10, frames_free(), frames * 12 / 10, "its memory is free again");
    char *region = region_map(512);
    region_write(region, 512, 'p');
    is(region_read(region, 512), 512 * 'p', "the parent goes on with new memory");
    is(child_run(child_takes_all, (void *)100l), 0, "and with new children");
    return tap_end();
}
