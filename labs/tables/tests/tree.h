// SPDX-License-Identifier: MIT
//
// A large promise with a page here and there: `leaves` pages, each under a leaf table of its own. lab.py knows the same
// places (tree_place).
#ifndef LAB_TABLES_TREE_H
#define LAB_TABLES_TREE_H

#include "lab/family.h"

#define STEP 16 // leaf tables to the next page's

static unsigned char *tree;
static uint64_t leaves;

// Page j. The one behind it lies under the same leaf table, and is never touched by tree_make().
static inline unsigned char *tree_page(uint64_t j)
{
    return tree + (j * STEP + lab_number(100 + j, 0, STEP - 1)) * LEAF_SPAN + lab_number(200 + j, 0, 510) * PAGE;
}

static inline void tree_make(void)
{
    leaves = lab_number(1, 24, 56);
    uintptr_t at = (uintptr_t)lab_map(1, (leaves * STEP + 1) * (LEAF_SPAN / PAGE), MAP_PRIVATE | MAP_NORESERVE);
    tree = (unsigned char *)((at + LEAF_SPAN - 1) & -LEAF_SPAN);
    for (uint64_t j = 0; j < leaves; j++)
        lab_fill(tree_page(j), 1, j);
}

#endif
