// SPDX-License-Identifier: MIT
//
// Fork, change, exit: many times, each time at other places. What was free before is free afterwards.
#include "tree.h"

static void child_changes(uint64_t round)
{
    uint64_t j = round % leaves, end = j + leaves / 3 < leaves ? j + leaves / 3 : leaves - 1;

    tree_page(j)[64] = 'c';
    if (round % 3 == 1)
        munmap(tree_page(j) + PAGE, tree_page(end) - tree_page(j) - PAGE);
    if (round % 3 == 2)
        munmap(tree, leaves * STEP * LEAF_SPAN);
}

static void rounds(uint64_t count)
{
    for (uint64_t round = 0; round < count; round++) {
        pid_t child = fork();
        if (child < 0)
            lab_lost(2);
        if (child == 0) {
            child_changes(round);
            pid_t grandchild = fork();
            if (grandchild == 0 && round % 3 != 2)
                tree_page(round % leaves)[64] = 'g';
            if (grandchild > 0 && round % 2)
                wait(NULL);
            _exit(0);
        }
        tree_page(round * 7 % leaves)[64] = 'p';
        while (wait(NULL) > 0) // the child, and a grandchild that it has not waited for
            continue;
    }
}

int main(void)
{
    tree_make();
    rounds(leaves);
    lab_report_memory("before");
    rounds(leaves + 60);
    lab_report_memory("after");
    return 0;
}
