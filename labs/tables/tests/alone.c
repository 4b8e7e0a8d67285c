// SPDX-License-Identifier: MIT
//
// A child that touches nothing, and one that writes one page. After each has gone the parent writes all of its pages.
#include "tree.h"

static void write_all(void)
{
    for (uint64_t j = 0; j < leaves; j++)
        tree_page(j)[64]++;
}

int main(void)
{
    struct family family;
    tree_make();
    lab_report("start", 0);
    for (int touches = 0; touches < 2; touches++) {
        family.child = fork();
        if (family.child < 0)
            lab_lost(1);
        if (family.child == 0) {
            if (touches)
                tree_page(lab_number(3, 0, leaves - 1))[128] = 'c';
            _exit(0);
        }
        if (child_gone(&family))
            lab_lost(2);
        lab_report("gone", 0);
        write_all();
        lab_report("written", 0);
    }
    return 0;
}
