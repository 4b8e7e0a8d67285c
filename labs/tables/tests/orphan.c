// SPDX-License-Identifier: MIT
//
// The one in the middle ends first: its child and its parent still have the same tables. Then much memory is used anew.
#include "tree.h"

int main(void)
{
    struct family family;
    family_init(&family);
    tree_make();
    family.child = fork();
    if (family.child < 0)
        lab_lost(1);
    if (family.child == 0) {
        if (fork())
            _exit(0);
        lab_stream(2);
        child_waits(&family);
        lab_report("grandchild", 0);
        tree_page(lab_number(3, 0, leaves - 1))[64] = 'c';
        lab_report("written", 0);
        child_lets_parent_go_on(&family);
        _exit(0);
    }
    if (child_gone(&family))
        lab_lost(2);
    lab_report("gone", 0);
    unsigned char *other = lab_map(2, 1000, MAP_PRIVATE);
    for (int i = 0; i < 1000; i++)
        other[i * PAGE] = 'x';
    parent_lets_child_go_on(&family);
    parent_waits(&family);
    wait(NULL);
    lab_report("end", 0);
    return 0;
}
