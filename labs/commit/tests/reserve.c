// SPDX-License-Identifier: MIT
//
// What a process must leave for others in mode 2: a part of its size, up to a bound; and what only root may have.
#include "room.h"

static uint64_t admin;

static void unprivileged(uint64_t argument)
{
    (void)argument;
    set("admin_reserve_kbytes", admin * KB_PER_PAGE);
    uint64_t as_root = room();
    if (setuid(65534))
        lab_lost(3);
    lab_report("unprivileged", as_root, room());
}

int main(void)
{
    uint64_t size = lab_number(1, 100, 400) * 32, bound = lab_number(2, 20, 90);

    admin = lab_number(3, 100, 900);
    strict(lab_number(6, 40000, 60000) * KB_PER_PAGE);
    uint64_t without = room();
    set("user_reserve_kbytes", 1 << 20);
    uint64_t small = room();
    map_surely(size, PROT_NONE, MAP_PRIVATE);
    uint64_t large = room();
    set("user_reserve_kbytes", bound * KB_PER_PAGE);
    lab_report("reserves", without, small, large, room());
    if (with_child(1, unprivileged, 0))
        lab_lost(1);
    return 0;
}
