// SPDX-License-Identifier: MIT
//
// Four idle processes, one of them much larger than the others. init takes all memory there is, and some more afterwards.
#include "hog.h"

int main(void)
{
    uint64_t big = lab_number(1, 1, 2);
    int status = 0, ignored;

    for (uint64_t i = 0; i < 4; i++)
        hog_start(0, hog_filled, i == big ? lab_number(2, 800, 1000) : lab_number(10 + i, 200, 400));
    meal_begin();
    lab_report("start", 0);
    uint64_t dead = eat_until_death(&status);
    eat(500);
    lab_report("dead", dead, (uint64_t)status, hog_dead(&ignored), meal_spoilt());
    return 0;
}
