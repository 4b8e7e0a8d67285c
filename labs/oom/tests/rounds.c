// SPDX-License-Identifier: MIT
//
// One death after the other: what was free and promised before is so afterwards.
#include "hog.h"

static void rounds(uint64_t count)
{
    int status;

    while (count--) {
        hog_count = 0;
        for (int i = 0; i < 3; i++)
            hog_start(0, hog_filled, lab_number(1, 300, 400) + 100 * (uint64_t)i);
        meal_begin();
        eat_until_death(&status);
        munmap((void *)meal, PLENTY * PAGE);
        for (int i = 0; i < hog_count; i++)
            kill(hog_pid[i], SIGKILL);
        while (wait(&status) > 0)
            ;
        close(hog_ready[0]), close(hog_ready[1]);
    }
}

int main(void)
{
    rounds(2);
    lab_report_memory("before");
    rounds(8);
    lab_report_memory("after");
    return 0;
}
