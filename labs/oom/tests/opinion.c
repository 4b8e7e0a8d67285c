// SPDX-License-Identifier: MIT
//
// Five idle processes whose owners have opinions of them. init takes memory until four have died.
#include "hog.h"

int main(void)
{
    uint64_t dead[4];
    int status;

    hog_start(-(long)lab_number(1, 300, 400), hog_filled, lab_number(11, 900, 1000)); // 0: large, and liked
    hog_start(0, hog_filled, lab_number(12, 400, 600));                              // 1: nobody cares
    hog_start(-1000, hog_filled, lab_number(13, 1100, 1300));                        // 2: never
    hog_start(-999, hog_filled, lab_number(14, 80, 120));                            // 3: small, and liked more than all
    hog_start(lab_number(5, 250, 350), hog_filled, lab_number(15, 80, 120));         // 4: small, and disliked
    meal_begin();
    lab_report("start", 0);
    for (int i = 0; i < 4; i++)
        dead[i] = eat_until_death(&status);
    lab_report("dead", dead[0], dead[1], dead[2], dead[3], meal_spoilt());
    return 0;
}
