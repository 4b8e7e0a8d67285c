// SPDX-License-Identifier: MIT
// ram: 96M  time: 60
// not-with: zfod=off
//
// Overcommit in its three modes, side by side: how much may be promised that is not there?
#include <errno.h>

#include "user/figures.h"

#define PIECES 40
#define ROWS 5

static char cells[3][ROWS][24];

static const char *const questions[ROWS] = {
    "the largest single request granted",
    "of 40 requests for an eighth of RAM",
    "Committed_AS while they are held",
    "of 40 such requests with MAP_NORESERVE",
    "fork with a third of RAM promised",
};

static long ram; // bytes

static char *ask(size_t size, int more)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);
}

static long largest(void)
{
    size_t low = 0, high = 1ul << 47;
    while (high - low > MIB) {
        size_t middle = (low + high) / 2;
        char *memory = ask(middle, 0);
        if (memory != MAP_FAILED)
            munmap(memory, middle);
        *(memory != MAP_FAILED ? &low : &high) = middle;
    }
    return low;
}

// How many pieces are granted; what the ledger says then goes to *committed.
static int pieces(int more, long *committed)
{
    char *held[PIECES];
    int count = 0;
    while (count < PIECES && (held[count] = ask(ram / 8, more)) != MAP_FAILED)
        count++;
    *committed = file_number("/proc/meminfo", "Committed_AS:");
    for (int i = 0; i < count; i++)
        munmap(held[i], ram / 8);
    return count;
}

static const char *forking(void)
{
    char *memory = ask(ram / 3, 0);
    if (memory == MAP_FAILED)
        return "not granted";
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    const char *answer = pid > 0 ? "granted" : errno == ENOMEM ? "ENOMEM" : "?";
    waitpid(pid, NULL, 0);
    munmap(memory, ram / 3);
    return answer;
}

static void answer(int mode)
{
    long committed, ignored, most;
    number_write(OVERCOMMIT_MODE, mode);
    most = largest();
    if (most > 1024 * GIB)
        snprintf(cells[mode][0], sizeof(cells[0][0]), "%ld TiB", most / GIB / 1024);
    else
        snprintf(cells[mode][0], sizeof(cells[0][0]), "%ld MiB", most / MIB);
    snprintf(cells[mode][1], sizeof(cells[0][0]), "%d", pieces(0, &committed));
    snprintf(cells[mode][3], sizeof(cells[0][0]), "%d", pieces(MAP_NORESERVE, &ignored));
    snprintf(cells[mode][4], sizeof(cells[0][0]), "%.20s", forking());
    snprintf(cells[mode][2], sizeof(cells[0][0]), "%ld MiB", committed / KIB);
}

int main(void)
{
    figures_begin("Overcommit: the three modes side by side");
    long mode = strtol(file_text(OVERCOMMIT_MODE), NULL, 10);
    ram = file_number("/proc/meminfo", "MemTotal:") * KIB;
    for (int i = 0; i < 3; i++)
        answer(i);
    number_write(OVERCOMMIT_MODE, mode);
    printf("RAM %ld MiB, no swap; CommitLimit (for mode 2) %ld MiB; now in mode %ld.\n\n", ram / MIB,
           file_number("/proc/meminfo", "CommitLimit:") / KIB, mode);
    printf("%-41s %12s %12s %12s\n", "overcommit_memory =", "0: guess", "1: always", "2: never");
    for (int row = 0; row < ROWS; row++)
        printf("%-41s %12.12s %12.12s %12.12s\n", questions[row], cells[0][row], cells[1][row], cells[2][row]);
    printf("\nNot a page was touched. Mode 0 refuses only what is absurd, each request by\n"
           "itself. Mode 1 believes everything. Both may find the promises called in one\n"
           "day: then somebody is killed (see oomstory). Mode 2 keeps a ledger with a limit:\n"
           "whoever is refused learns it from malloc, and nobody dies for a promise; but\n"
           "much memory stays unused.\n");
    return 0;
}
