// SPDX-License-Identifier: MIT
//
// Processes that have memory and do nothing, for the OOM killer to choose from; and init, which never is a candidate,
// takes what is left until one of them has died. When that is, the grader sees from the page tables.
#ifndef LAB_OOM_HOG_H
#define LAB_OOM_HOG_H

#include <sys/klog.h>

#include "lab/family.h"

#define HOGS_MOST 8

static pid_t hog_pid[HOGS_MOST];
static int hog_count, hog_ready[2];
static uint64_t hog_streams; // so many have reported

static inline void file_put(const char *path, long value)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%ld\n", value), fd = open(path, O_WRONLY);

    if (fd < 0 || write(fd, text, (size_t)length) != length)
        lab_lost(80);
    close(fd);
}

static inline uint64_t file_get(const char *path)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        lab_lost(81);
    close(fd);
    return strtoul(text, NULL, 10);
}

// Pages of RAM.
static inline uint64_t ram(void)
{
    char text[64] = "";
    int fd = open("/proc/meminfo", O_RDONLY);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || strncmp(text, "MemTotal:", 9))
        lab_lost(85);
    close(fd);
    return strtoul(text + 9, NULL, 10) * 1024 / PAGE;
}

static inline void opinion(long adj) { file_put("/proc/self/oom_score_adj", adj); }

static inline uint64_t score(int hog)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%d/oom_score", hog_pid[hog]);
    return file_get(path);
}

// Hog number 0, 1 …: its body() takes memory, and says where, as stream 1, 2 …; comes back when that is done.
static inline void hog_start(long adj, void (*body)(uint64_t stream, uint64_t argument), uint64_t argument)
{
    if (!hog_count && pipe(hog_ready))
        lab_lost(82);
    if (getpid() != 1)
        opinion(-1000); // by hand: init, too, is out of reach
    hog_streams++;
    pid_t pid = hog_pid[hog_count++] = fork();
    if (pid < 0)
        lab_lost(83);
    if (pid == 0) {
        lab_stream(hog_streams);
        opinion(adj);
        body(hog_streams, argument);
        tell(hog_ready[1]);
        for (;;)
            pause();
    }
    wait_for(hog_ready[0]);
}

// A body: so many pages, filled.
static inline void hog_filled(uint64_t stream, uint64_t pages)
{
    unsigned char *region = lab_map_filled(100 + stream, pages, MAP_PRIVATE);
    lab_report("ready", (uintptr_t)region, pages);
}

// A place for all that init will take: more than there is.
#define PLENTY 8000ul
static volatile unsigned char *meal;
static uint64_t eaten;

static inline void meal_begin(void)
{
    volatile char stack[32 << 10];

    for (unsigned i = 0; i < sizeof(stack); i += PAGE)
        stack[i] = 0;
    meal = lab_map(1, PLENTY, MAP_PRIVATE);
    eaten = 0;
}

static inline void eat(uint64_t pages)
{
    for (; pages--; eaten++)
        meal[eaten * PAGE] = lab_byte(1, eaten, 0);
}

// Which of the hogs has died; HOGS_MOST: none.
static inline uint64_t hog_dead(int *status)
{
    pid_t pid = waitpid(-1, status, WNOHANG);

    for (int i = 0; i < hog_count && pid > 0; i++)
        if (hog_pid[i] == pid)
            return (uint64_t)i;
    return HOGS_MOST;
}

// Take page after page until one of the hogs has died. Which; its wait status.
static inline uint64_t eat_until_death(int *status)
{
    while (eaten < PLENTY) {
        eat(1);
        uint64_t dead = hog_dead(status);
        if (dead < HOGS_MOST)
            return dead;
    }
    lab_lost(84);
}

// How many of the bytes that eat() has written are not what they were.
static inline uint64_t meal_spoilt(void)
{
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < eaten; i++)
        wrong += meal[i * PAGE] != lab_byte(1, i, 0);
    return wrong;
}

// The kernel's log, without what stands before each line's text. The text behind the last `begin`; NULL: there is none.
static inline const char *log_line(const char *begin)
{
    static char text[64 << 10];
    int length = klogctl(3, text, sizeof(text) - 1);
    const char *found = NULL;

    text[length < 0 ? 0 : length] = 0;
    for (const char *at = text; (at = strstr(at, begin)); at += strlen(begin))
        found = at + strlen(begin);
    return found;
}

#endif
