// SPDX-License-Identifier: MIT
//
// The child changes its memory in every way but a write of its own: reads a fresh page, has the kernel write, takes rights, gives
// up pages. Each at a leaf table that it shares with the parent.
#include "tree.h"

int main(void)
{
    struct family family;
    int data[2];
    family_init(&family);
    tree_make();
    if (pipe(data) || write(data[1], "kernel", 6) != 6)
        lab_lost(1);
    family.child = fork();
    if (family.child < 0)
        lab_lost(2);
    if (family.child == 0) {
        lab_stream(1);
        child_waits(&family);
        lab_report("before", 0);
        uint64_t first = lab_number(3, 0, leaves - 6);
        volatile unsigned char *fresh = tree_page(first) + PAGE;
        uint64_t seen = *fresh;
        if (read(data[0], tree_page(first + 1) + 64, 6) != 6 || mprotect(tree_page(first + 2), PAGE, PROT_READ) ||
            madvise(tree_page(first + 3), PAGE, MADV_DONTNEED) || munmap(tree_page(first + 4), PAGE) ||
            mprotect(tree_page(first + 5), PAGE, PROT_NONE))
            lab_lost(3);
        lab_report("after", seen);
        child_lets_parent_go_on(&family);
        child_waits(&family);
        return 0;
    }
    lab_report("forked", 0);
    parent_lets_child_go_on(&family);
    parent_waits(&family);
    lab_report("parent", 0);
    for (uint64_t j = 0; j < leaves; j++)
        tree_page(j)[128] = 'p';
    lab_report("written", 0);
    parent_lets_child_go_on(&family);
    return child_gone(&family);
}
