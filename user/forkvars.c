// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// fork and the three variables: same addresses, same values, until somebody writes.
#include "user/figures.h"

static int global = 1;

static void show_places(const char *who, int *stack, int *heap)
{
    printf("%-28s %15p %15p %15p\n", who, (void *)&global, (void *)stack, (void *)heap);
}

static void show_values(const char *who, int *stack, int *heap)
{
    printf("%-28s %15d %15d %15d\n", who, global, *stack, *heap);
}

int main(void)
{
    figures_begin("fork and the three variables");
    int stack = 2, *heap = malloc(sizeof(int));
    *heap = 3;
    printf("%-28s %15s %15s %15s\n", "", "global", "stack", "heap");
    show_places("addresses", &stack, heap);
    show_values("values before fork", &stack, heap);

    pid_t pid = fork();
    if (pid == 0) {
        show_places("child: addresses", &stack, heap);
        show_values("child: values", &stack, heap);
        global += 100;
        stack += 100;
        *heap += 100;
        show_values("child: after adding 100", &stack, heap);
        return 0;
    }
    waitpid(pid, NULL, 0);
    show_values("parent: values at the end", &stack, heap);
    printf("\nThe addresses are the same: each process has an address space of its own, and\n"
           "the child's began as a copy of the parent's. Nothing was copied at fork: each\n"
           "write copied the one page that it hit.\n");
    return global == 1 && stack == 2 && *heap == 3 ? 0 : 1;
}
