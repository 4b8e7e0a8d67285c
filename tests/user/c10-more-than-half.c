// SPDX-License-Identifier: MIT
// ram: 256M  time: 40
// not-with: cow=off
//
// C10: a process that holds more than half of memory can fork, since the copy is only a promise; an
// exec in the child drops the promise.
#include <stdlib.h>

#include "child.h"
#include "observe.h"

static const char *self;

// What the child becomes: it says so and waits until it is told to go.
static int replaced_main(char **argv)
{
    struct link link = {0, atoi(argv[2]), atoi(argv[3])};
    say(&link, 2);
    hear(&link);
    return 7;
}

static void child_steps(struct link *link, void *arg)
{
    char *memory = ((char **)arg)[0];
    long size = ((long *)arg)[1];
    say(link, memory[size / 2] == 'm');
    hear(link);
    char in[12], out[12];
    snprintf(in, sizeof(in), "%d", link->in);
    snprintf(out, sizeof(out), "%d", link->out);
    execl(self, self, "replaced", in, out, NULL);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return replaced_main(argv);
    self = argv[0];
    tap_begin();
    observe_settle();
    long size = frames_free() * 6 / 10 * PAGE;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        tap_bail("C10 mmap of more than half of memory");
    region_write(memory, size / PAGE, 'm');
    memory[size / 2] = 'm';

    long committed = meminfo("Committed_AS:"), frames = frames_free(), tables = frames_tables();
    ok(size / PAGE > frames, "C10 the process is larger than what is left");
    void *arg[] = {memory, (void *)size};
    struct link link = child_start(child_steps, arg);
    is(hear(&link), 1, "C10 it forks, and the child sees its memory");
    between(size / 1024, meminfo("Committed_AS:") - committed, size / 1024 + 8192,
            "C10 the child's promise is charged");
    between(0, frames - frames_free() - (frames_tables() - tables), 100, "C10 it takes a few frames only");

    say(&link, 1);
    is(hear(&link), 2, "C10 the child becomes another program");
    between(0, meminfo("Committed_AS:") - committed, 4096, "C10 exec drops the promise");
    say(&link, 1);
    is(WEXITSTATUS(child_end(&link)), 7, "C10 and that program ends as it should");
    ok(memory[0] == 'm' && memory[size - PAGE] == 'm', "C10 the parent's memory is unharmed");
    return tap_end();
}
