// SPDX-License-Identifier: MIT
//
// The child writes one page, then the one beside it.
#include "tree.h"

int main(void)
{
    struct family family;
    family_init(&family);
    tree_make();
    unsigned char *page = tree_page(lab_number(3, 0, leaves - 1));
    family.child = fork();
    if (family.child < 0)
        lab_lost(1);
    if (family.child == 0) {
        lab_stream(1);
        child_waits(&family);
        lab_report("before", 0);
        page[64] = 'c';
        lab_report("after", 0);
        page[PAGE] = 'd';
        lab_report("beside", 0);
        return 0;
    }
    lab_report("forked", 0);
    parent_lets_child_go_on(&family);
    return child_gone(&family);
}
