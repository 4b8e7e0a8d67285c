// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// C2: a global, a stack and a heap variable keep their addresses and values in the child; after a
// write the values part ways.
#include "child.h"

static int global = 10;

struct variables {
    int *global, *stack, *heap;
};

static void child_changes(struct link *link, void *arg)
{
    struct variables *v = arg;
    int *each[] = {v->global, v->stack, v->heap};
    for (int i = 0; i < 3; i++) {
        say(link, (long)each[i]);
        say(link, *each[i]);
        *each[i] += 100;
        say(link, *each[i]);
    }
    hear(link); // the parent has changed its own by now
    for (int i = 0; i < 3; i++)
        say(link, *each[i]);
}

int main(void)
{
    tap_begin();
    int stack = 20;
    int *heap = malloc(sizeof(int));
    *heap = 30;
    struct variables v = {&global, &stack, heap};
    int *each[] = {v.global, v.stack, v.heap};
    const char *names[] = {"global", "stack", "heap"};

    struct link link = child_start(child_changes, &v);
    for (int i = 0; i < 3; i++) {
        is(hear(&link), (long)each[i], "C2 the %s variable has the same address in the child", names[i]);
        is(hear(&link), *each[i], "C2 the %s variable has the parent's value", names[i]);
        is(hear(&link), 110 + 10 * i, "C2 the child changes its %s variable", names[i]);
        is(*each[i], 10 + 10 * i, "C2 the parent's %s variable is as before", names[i]);
        *each[i] = -1;
    }
    say(&link, 1);
    for (int i = 0; i < 3; i++)
        is(hear(&link), 110 + 10 * i, "C2 the parent's write to its %s variable does not reach the child",
           names[i]);
    is(child_end(&link), 0, "C2 the child ends well");
    return tap_end();
}
