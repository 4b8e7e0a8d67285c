// SPDX-License-Identifier: MIT
//
// Grandparent, parent and child with the same pages: each writes its own choice of them, the youngest first.
#include "lab/family.h"

static unsigned char *region;
static uint64_t pages;

// Page i belongs to writer 0, 1 or 2, or (3) to nobody.
static void write_mine(uint64_t writer)
{
    for (uint64_t i = 0; i < pages; i++)
        if (lab_number(3000 + i, 0, 3) == writer || lab_number(4000 + i, 0, 3) == writer)
            lab_fill(region + i * PAGE, 10 + writer, i);
}

int main(void)
{
    struct family older, younger;

    pages = lab_number(1, 30, 90);
    region = lab_map(1, pages, MAP_PRIVATE);
    family_init(&older);
    family_init(&younger);
    for (uint64_t i = 0; i < pages; i++)
        lab_fill(region + i * PAGE, 1, i);
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
