// SPDX-License-Identifier: MIT
//
// Copy-on-write is for pages that may be written: what is read-only stays so after fork, and what was out of reach comes
// back in the child as it was.
#include <signal.h>

#include "lab/family.h"

int main(void)
{
    unsigned char *region = lab_map_filled(1, 3, MAP_PRIVATE);
    struct family family;

    family_init(&family);
    if (mprotect(region, PAGE, PROT_READ) || mprotect(region + PAGE, PAGE, PROT_NONE))
        lab_lost(1);
    lab_report("start", 0);
    if (family_fork(&family)) {
        if (mprotect(region + PAGE, PAGE, PROT_READ | PROT_WRITE))
            lab_lost(3);
        region[PAGE] = 'c';
        lab_report("reached", region[PAGE], region[PAGE + 64]);
        region[0] = 'c';
        lab_report("passed", region[0]);
        return 0;
    }
    int status = child_gone(&family);
    if (mprotect(region, 2 * PAGE, PROT_READ | PROT_WRITE))
        lab_lost(4);
    lab_report("killed", WIFSIGNALED(status) ? WTERMSIG(status) : 0, region[0], region[PAGE]);
    return 0;
}
