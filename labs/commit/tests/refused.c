// SPDX-License-Identifier: MIT
//
// fork when the ledger has just enough for it, and when it has a page less: each promise is charged by itself, and the last one is
// refused.
#include "room.h"

static uint64_t limit;

static void look(uint64_t argument) { lab_report("child", argument, room()); }

int main(void)
{
    limit = lab_number(6, 40000, 60000);
    strict(limit * KB_PER_PAGE);
    for (uint64_t i = 0; i < 5; i++) // side by side, and no two are alike
        map_surely(lab_number(10 + i, 50, 200), PROT_READ | PROT_WRITE | (i % 2 ? PROT_EXEC : 0), MAP_PRIVATE);
    uint64_t left = room();
    if (with_child(1, look, left))
        lab_lost(1);
    lab_report("granted", left, room());
    uint64_t low = 0, high = left;
    while (low < high) { // the least room in which fork is granted, found by trying
        uint64_t need = low + (high - low) / 2;
        set("overcommit_kbytes", (limit - left + need) * KB_PER_PAGE);
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        if (child < 0 && errno != ENOMEM)
            lab_lost(2);
        if (child > 0) {
            waitpid(child, NULL, 0);
            high = need;
        } else {
            low = need + 1;
        }
    }
    set("overcommit_kbytes", limit * KB_PER_PAGE);
    lab_report("refused", low, room());
    return 0;
}
