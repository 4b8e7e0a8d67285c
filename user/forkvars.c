// SPDX-License-Identifier: MIT
// ram: 1536M  time: 30
//
// fork and the three variables: same addresses, same values, until somebody writes.
#include "user/figures.h"

static int global = 1;

static void show(const char *who, int *stack, int *heap)
{
    printf("%-31s global %3d at %p   stack %3d at %p   heap %3d at %p\n", who, global, (void *)&global, *stack,
           (void *)stack, *heap, (void *)heap);
}

int main(void)
{
    figures_begin("fork and the three variables");
    int stack = 2, *heap = malloc(sizeof(int));
    *heap = 3;
    show("before fork", &stack, heap);

    pid_t pid = fork();
    if (pid == 0) {
        show("child, before it writes", &stack, heap);
        global += 100;
        stack += 100;
        *heap += 100;
        show("child, after adding 100", &stack, heap);
        return 0;
    }
    waitpid(pid, NULL, 0);
    show("parent, when the child is gone", &stack, heap);
    printf("\nThe addresses are the same: each process has an address space of its own, and the child's began as\n"
           "a copy of the parent's. Nothing was copied at fork. Each write copied the one page that it hit.\n");
    return global == 1 && stack == 2 && *heap == 3 ? 0 : 1;
}
