// SPDX-License-Identifier: MIT
// ram: 256M  time: 30
//
// No stale data: a process fills memory with a secret and ends; the next one gets the same frames.
#include "user/figures.h"

#define SECRET 0x7365637265747321ul

// Fills `size` bytes with the secret and exits, which frees them.
static void leave_secrets(size_t size)
{
    unsigned long *memory = (unsigned long *)memory_map(size);
    for (size_t i = 0; i < size / 8; i++)
        memory[i] = SECRET;
    exit(0);
}

int main(void)
{
    figures_begin("No stale data");
    size_t size = figures_now().free * KIB / 2 / PAGE * PAGE;
    pid_t pid = fork();
    if (pid == 0)
        leave_secrets(size);
    waitpid(pid, NULL, 0);
    printf("A process filled %ld KiB, half of what was free, with a secret, and ended.\n", (long)size / KIB);

    unsigned long *memory = (unsigned long *)memory_map(size), found = 0, other = 0;
    for (size_t i = 0; i < size / 8; i++) {
        if (i % 512 == 0)
            ((volatile unsigned long *)memory)[i] = 0; // makes the kernel give us a frame
        found += memory[i] == SECRET;
        other += memory[i] != 0 && memory[i] != SECRET;
    }
    printf("This process took as much and looked at every word: %lu secrets, %lu other values,\n"
           "the rest zero.\n", found, other);
    printf("\nA frame is cleared before anybody new can see it.\n");
    return found + other != 0;
}
