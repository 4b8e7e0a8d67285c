// SPDX-License-Identifier: MIT
/*
 * oom_report.h: the OOM killer's lines in the log. Inside of mm/oom.c's doing.
 */
#ifndef MM_OOM_REPORT_H
#define MM_OOM_REPORT_H

#include "kernel/lib/types.h"

struct oom_candidate;

/* Who asked for memory, where memory is, and who has it. */
void oom_report_begin(const struct oom_candidate *asking);

/* Who dies. `by_asking`: for no other reason than having asked. */
void oom_report_kill(const struct oom_candidate *chosen, bool by_asking);

/* What is left of a victim after the reaper. */
void oom_report_reaped(const struct oom_candidate *victim);

#endif
