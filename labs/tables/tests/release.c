// SPDX-License-Identifier: MIT
//
// One child gives up all of it, another a part that begins and ends in the middle of leaf tables.
#include "tree.h"

int main(void)
{
    struct family family;
    family_init(&family);
    tree_make();
    lab_report("start", 0);
    for (uint64_t partly = 0; partly < 2; partly++) {
        family.child = fork();
        if (family.child < 0)
            lab_lost(1);
        if (family.child == 0) {
            uint64_t first = lab_number(3, 0, leaves / 2 - 2), last = lab_number(4, leaves / 2 + 1, leaves - 1);
            unsigned char *from = partly ? tree_page(first) + PAGE : tree;
            unsigned char *to = partly ? tree_page(last) : tree + leaves * STEP * LEAF_SPAN;
            lab_stream(1 + partly);
            child_waits(&family);
            munmap(lab_map(2, 1, MAP_PRIVATE), PAGE); // the call's own pages are there from now on
            lab_report("before", 0);
            uint64_t before = lab_clock();
            if (munmap(from, to - from))
                lab_lost(2);
            uint64_t price = lab_clock() - before;
            lab_report("after", price);
            _exit(0);
        }
        parent_lets_child_go_on(&family);
        if (child_gone(&family))
            lab_lost(3);
    }
    lab_report("end", 0);
    return 0;
}
