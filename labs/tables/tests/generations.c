// SPDX-License-Identifier: MIT
//
// Grandparent, parent and child with the same tables: each writes its own choice of pages, the youngest first.
#include "tree.h"

static void write_mine(uint64_t writer)
{
    for (uint64_t j = 0; j < leaves; j++)
        if (lab_number(3000 + j, 0, 3) == writer || lab_number(4000 + j, 0, 3) == writer)
            lab_fill(tree_page(j), 10 + writer, j);
}

int main(void)
{
    struct family older, younger;

    family_init(&older);
    family_init(&younger);
    tree_make();
    older.child = fork();
    if (older.child < 0)
        lab_lost(1);
    if (older.child > 0) {
        parent_waits(&older);
        write_mine(0);
        lab_report("grandparent", 0);
        parent_lets_child_go_on(&older);
        return child_gone(&older);
    }
    lab_stream(1);
    younger.child = fork();
    if (younger.child < 0)
        lab_lost(2);
    if (younger.child > 0) {
        parent_waits(&younger);
        write_mine(1);
        lab_report("parent", 0);
        child_lets_parent_go_on(&older);
        child_waits(&older);
        parent_lets_child_go_on(&younger);
        return child_gone(&younger);
    }
    lab_stream(2);
    write_mine(2);
    lab_report("child", 0);
    child_lets_parent_go_on(&younger);
    child_waits(&younger);
    return 0;
}
