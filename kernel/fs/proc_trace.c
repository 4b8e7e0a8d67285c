// SPDX-License-Identifier: MIT
/*
 * proc_trace.c: /proc/lazy/trace: the records of mm/trace.h as text, one line each, and the switch for them (docs/proc.md).
 */
#include <linux/mman.h>

#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/trace.h"

static void show_range(struct text *text, const struct trace_record *record)
{
    text_printf(text, " %lx-%lx", record->start, record->end);
}

/* Rights as /proc/PID/maps has them. */
static void show_promise(struct text *text, const struct trace_record *record)
{
    show_range(text, record);
    text_printf(text, " %c%c%c%c", record->prot & PROT_READ ? 'r' : '-', record->prot & PROT_WRITE ? 'w' : '-',
                record->prot & PROT_EXEC ? 'x' : '-', record->flags & VMA_SHARED ? 's' : 'p');
}

static void show_fault(struct text *text, const struct trace_record *record)
{
    static const char *const accesses[] = { [ACCESS_READ] = "read", [ACCESS_WRITE] = "write", [ACCESS_EXEC] = "exec" };
    const char *by = record->access & TRACE_USER ? "user" : record->fault.ip ? "copy" : "kernel";

    text_printf(text, " %s %s %s 0x%lx ip 0x%lx in", fault_kind_name(record->kind), by,
                accesses[record->access & TRACE_ACCESS], record->fault.addr, record->fault.ip);
    show_promise(text, record);
    for (unsigned level = PTE_LEVELS; level >= PTE_LEAF_LEVEL; level--) {
        if (record->fault.levels >> (level - 1) & 1)
            text_printf(text, " L%u 0x%lx>0x%lx", level, record->fault.before[level - 1].bits,
                        record->fault.after[level - 1].bits);
    }
    text_printf(text, " frame 0x%x refs %u left %u copied %u flushed %u cost %u", record->fault.frame,
                record->fault.state.refs, record->fault.old_refs, record->fault.tables_copied, record->fault.flushes,
                record->cost);
}

static void show_entry(struct text *text, const struct trace_record *record)
{
    text_printf(text, " table 0x%x[%u] L%u 0x%lx>0x%lx", record->table.table, record->table.index, record->table.level,
                record->table.before.bits, record->table.after.bits);
    if (record->table.copied_from)
        text_printf(text, " copy of 0x%x", record->table.copied_from);
}

static void show_process(struct text *text, const struct trace_record *record)
{
    switch (record->event) {
    case TRACE_FORK:
        text_printf(text, " child root 0x%x", record->process.other);
        break;
    case TRACE_CHILD:
        text_printf(text, " child %u", record->process.pid);
        break;
    case TRACE_EXEC:
        text_printf(text, " \"%s\" before 0x%x file %u brk %lx stack %lx", record->process.name, record->process.other,
                    record->process.inode, record->process.brk, record->process.stack);
        break;
    default:
        text_printf(text, " status 0x%x", (unsigned)record->process.status);
    }
}

static void show_oom(struct text *text, const struct trace_record *record)
{
    static const char *const steps[] = {
        [TRACE_OOM_INVOKED] = "invoked by", [TRACE_OOM_KILL] = "kills", [TRACE_OOM_REAPED] = "has reaped"
    };
    text_printf(text, " %s %u \"%s\"", steps[record->kind], record->oom.victim, record->oom.name);
}

static void show_start(struct text *text, const struct trace_record *record)
{
    text_printf(text, " version %u: %lu ticks a second, %lu frames, zero page 0x%x, switches 0x%x", record->begin.version,
                record->begin.frequency, record->begin.frames, record->begin.zero, record->begin.switches);
}

static void show_commit(struct text *text, const struct trace_record *record)
{
    text_printf(text, " %ld total %lu%s", record->commit.amount, record->commit.total,
                record->commit.verdict == TRACE_REFUSED ? " refused" : "");
}

static void show_details(struct text *text, const struct trace_record *record)
{
    switch ((enum trace_event)record->event) {
    case TRACE_START:
        return show_start(text, record);
    case TRACE_FAULT:
        return show_fault(text, record);
    case TRACE_MAP:
    case TRACE_PROTECT:
        return show_promise(text, record);
    case TRACE_UNMAP:
    case TRACE_BRK:
    case TRACE_RELEASE:
        return show_range(text, record);
    case TRACE_ADVISE:
        show_range(text, record);
        text_printf(text, " advice %u", record->kind);
        return;
    case TRACE_MOVE:
        show_range(text, record);
        text_printf(text, " to %lx", record->move.other);
        return;
    case TRACE_AROUND:
        text_printf(text, " %lx pages 0x%x", record->start, record->around.mapped);
        return;
    case TRACE_TABLE:
    case TRACE_RECLAIM:
        return show_entry(text, record);
    case TRACE_COMMIT:
        return show_commit(text, record);
    case TRACE_OOM:
        return show_oom(text, record);
    case TRACE_MARK:
        text_printf(text, " %s", record->text);
        return;
    default:
        return show_process(text, record);
    }
}

int proc_trace_show(struct text *text, const struct proc_id *id)
{
    struct trace_record record;
    uint64_t end = trace_next();
    (void)id;

    text_printf(text, "# trace %s; records %lu to %lu\n", trace_is_on ? "on" : "off", trace_first(), end);
    for (uint64_t number = trace_first(); number < end; number++) {
        if (!trace_read(number, &record))
            continue;
        text_printf(text, "%lu pid %u root 0x%x free %u %s", record.time, record.pid, record.root, record.free,
                    trace_event_name(record.event));
        show_details(text, &record);
        text_string(text, "\n");
    }
    return 0;
}

static void mark(const char *words)
{
    struct trace_record *record;

    if (!trace_is_on)
        return;
    record = trace_record(TRACE_MARK, this_cpu()->aspace ? &this_cpu()->aspace->tree : NULL);
    string_copy(record->text, words, sizeof(record->text));
}

/* "0", "1", "clear", or "mark" and a text. */
int proc_trace_write(const char *text, const struct proc_id *id)
{
    char words[PROC_WRITE_MAX + 1];
    (void)id;

    string_copy(words, text, sizeof(words));
    char *end = strchr(words, '\n');
    if (end)
        *end = '\0';
    if (!strcmp(words, "clear"))
        trace_clear();
    else if (!strncmp(words, "mark ", 5))
        mark(words + 5);
    else if (!strcmp(words, "0") || !strcmp(words, "1"))
        return trace_switch(*words == '1');
    else
        return -EINVAL;
    return 0;
}
