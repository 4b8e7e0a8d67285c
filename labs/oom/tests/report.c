// SPDX-License-Identifier: MIT
//
// What the log says of a death. The grader has seen the victim's page tables at that moment.
#include "hog.h"

static void mixed(uint64_t stream, uint64_t pages)
{
    unsigned char *region = lab_map_filled(100 + stream, pages, MAP_PRIVATE);
    uint64_t shared_pages = lab_number(2, 20, 90);
    unsigned char *shared = lab_map(5, shared_pages, MAP_SHARED);

    memset(shared, 1, shared_pages * PAGE);
    uint64_t size = file_get("/proc/self/statm");
    lab_report("ready", (uintptr_t)region, pages, (uintptr_t)shared, size);
}

int main(void)
{
    long adj = (long)lab_number(3, 1, 40), pid = -1, uid = -1;
    uint64_t n[6] = { 0 }, left[3] = { 1, 1, 1 };
    int status = 0, seen = -1;

    hog_start(0, hog_filled, 30);
    hog_start(adj, mixed, lab_number(1, 700, 900));
    meal_begin();
    volatile unsigned char zero = meal[(PLENTY - 1) * PAGE];
    (void)zero;
    lab_report("start", (uintptr_t)meal + (PLENTY - 1) * PAGE);
    uint64_t dead = eat_until_death(&status);
    const char *line = log_line("Out of memory: Killed process ");
    if (line)
        seen = sscanf(line, "%ld (init) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, shmem-rss:%lukB, UID:%ld pgtables:%lukB "
                      "oom_score_adj:%lu", &pid, &n[0], &n[1], &n[2], &n[3], &uid, &n[4], &n[5]);
    lab_report("dead", dead, (uint64_t)status, line && seen == 8 && pid == hog_pid[1] && uid == 0);
    lab_report("killed", n[0], n[1], n[2], n[3], n[4], n[5]);
    line = log_line("oom_reaper: reaped process "), seen = -1;
    if (line)
        seen = sscanf(line, "%ld (init), now anon-rss:%lukB, file-rss:%lukB, shmem-rss:%lukB", &pid, &left[0], &left[1], &left[2]);
    lab_report("reaped", line && seen == 4 && pid == hog_pid[1], left[0], left[1], left[2]);
    line = log_line("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,"
                    "task=init,pid=");
    pid = line ? strtol(line, NULL, 10) : -1;
    lab_report("constraint", line && pid == hog_pid[1] && !strncmp(strchr(line, ','), ",uid=0\n", 7));
    return 0;
}
