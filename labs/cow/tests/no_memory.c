// SPDX-License-Identifier: MIT
//
// The child writes more than there is memory for. It is killed for it; the parent and its data are unharmed.
#include "lab/family.h"

int main(void)
{
    uint64_t pages = lab_number(1, 2800, 3000);
    unsigned char *region = lab_map(1, pages, MAP_PRIVATE);
    struct family family;

    family_init(&family);
    for (uint64_t i = 0; i < pages; i++)
        region[i * PAGE] = lab_byte(1, i, 0);
    lab_report("start", 0);
    if (family_fork(&family)) {
        for (uint64_t i = 0; i < pages; i++)
            region[i * PAGE] = 'c';
        _exit(0);
    }
    int status = child_gone(&family);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < pages; i++)
        wrong += region[i * PAGE] != lab_byte(1, i, 0);
    lab_report("killed", WIFSIGNALED(status) ? WTERMSIG(status) : 0, wrong);
    return 0;
}
