// SPDX-License-Identifier: MIT
//
// fork with little memory, fork with much, and nobody writes: parent and child are stopped with the same tables.
#include "tree.h"

static uint64_t price_of_fork(struct family *family)
{
    uint64_t before = lab_clock();
    family->child = fork();
    if (family->child < 0)
        lab_lost(1);
    return family->child ? lab_clock() - before : 0;
}

// Of the second one: the first pays for more than itself.
static uint64_t price_of_forks(struct family *family)
{
    uint64_t price = 0;
    for (int round = 0; round < 2; round++) {
        price = price_of_fork(family);
        if (!family->child)
            _exit(0);
        if (child_gone(family))
            lab_lost(2);
    }
    return price;
}

int main(void)
{
    struct family family;
    family_init(&family);
    uint64_t small = price_of_forks(&family);
    tree_make();
    price_of_forks(&family);
    uint64_t large = price_of_fork(&family);
    if (!family.child) {
        lab_stream(1);
        child_waits(&family);
        lab_report("child", 0);
        return 0;
    }
    lab_report("forked", small, large);
    parent_lets_child_go_on(&family);
    return child_gone(&family);
}
