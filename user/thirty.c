// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// 30 of 100 pages: which pages of a program hold memory, before and after fork.
#include "user/figures.h"

#define PAGES 100
#define WRITTEN 30

// Draws the pages: # is present in this process's page table, . is only a promise.
static void draw(const char *who, const char *memory)
{
    unsigned long words[PAGES];
    char picture[PAGES + 1] = "";
    int fd = open("/proc/self/pagemap", O_RDONLY), present = 0;
    lseek(fd, (unsigned long)memory / PAGE * 8, SEEK_SET);
    if (read(fd, words, sizeof(words)) != sizeof(words))
        perror("pagemap");
    close(fd);
    for (int i = 0; i < PAGES; i++) {
        picture[i] = words[i] >> 63 ? '#' : '.';
        present += words[i] >> 63;
    }
    printf("%s: %d pages present\n    %.50s\n    %s\n", who, present, picture, picture + 50);
}

static void child(char *memory)
{
    draw("child, just born", memory);
    struct figures start = figures_now();
    memory[10 * PAGE] = 'c';
    printf("The child writes page 10: %ld fault, and the page is a copy (next byte: '%c').\n",
           figures_now().faults - start.faults, memory[10 * PAGE + 1]);
    start = figures_now();
    memory[60 * PAGE] = 'c';
    printf("The child writes page 60: %ld fault, and the page is new (next byte: %d).\n",
           figures_now().faults - start.faults, memory[60 * PAGE + 1]);
    draw("child, after two writes", memory);
}

int main(void)
{
    figures_begin("Thirty of a hundred pages");
    char *memory = memory_map(PAGES * PAGE);
    draw("100 pages mapped", memory);
    memset(memory, 'p', WRITTEN * PAGE);
    draw("30 of them written", memory);
    pid_t pid = fork();
    if (pid == 0) {
        child(memory);
        return 0;
    }
    waitpid(pid, NULL, 0);
    draw("parent, when the child is gone", memory);
    printf("\nThe 70 pages nobody wrote have no memory on either side. Writing one makes a\n"
           "page of zeroes; writing one of the 30 makes a copy, since the parent still wants\n"
           "the old one.\n");
    return 0;
}
