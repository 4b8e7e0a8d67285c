// SPDX-License-Identifier: MIT
//
// vm.oom_kill_allocating_task: the one that asks dies, unless it may not; then the heaviest does.
#include "hog.h"

// Takes what there is, until it is killed or an idle process has been.
static int asker(long adj, pid_t until)
{
    int status = -1;
    pid_t pid = fork();

    if (pid < 0)
        lab_lost(1);
    if (pid == 0) {
        opinion(adj);
        meal_begin();
        char path[40];
        snprintf(path, sizeof(path), "/proc/%d/statm", until);
        while (eaten < PLENTY) { // one that is dead has no pages any more
            eat(1);
            if (eaten % 16 == 0 && !file_get(path))
                _exit(7);
        }
        _exit(8);
    }
    waitpid(pid, &status, 0);
    return status;
}

int main(void)
{
    int status = 0;

    file_put("/proc/sys/vm/oom_kill_allocating_task", 1);
    hog_start(0, hog_filled, lab_number(1, 2000, 2400));
    hog_start(0, hog_filled, lab_number(2, 1200, 1500));
    int who_asks = asker(0, hog_pid[0]);
    uint64_t said = !!log_line("Out of memory (oom_kill_allocating_task): Killed process");
    lab_report("who asks", (uint64_t)who_asks, hog_dead(&status), said);
    int immune = asker(-1000, hog_pid[0]);
    lab_report("immune", (uint64_t)immune, hog_dead(&status));
    meal_begin();
    lab_report("init", eat_until_death(&status), (uint64_t)status);
    return 0;
}
