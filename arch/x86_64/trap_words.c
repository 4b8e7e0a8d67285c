// SPDX-License-Identifier: MIT
/*
 * trap_words.c: traps in words.
 */
#include "arch/x86_64/trap_words.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/fixup.h"
#include "arch/x86_64/interrupts.h"
#include "kernel/lib/string.h"

#define RFLAGS_AC (1ul << 18)

static const char *const names[] = {
    [TRAP_DIVIDE] = "divide error",
    [TRAP_DEBUG] = "debug trap",
    [TRAP_NMI] = "non-maskable interrupt",
    [TRAP_BREAKPOINT] = "breakpoint",
    [TRAP_OVERFLOW] = "overflow trap",
    [TRAP_BOUND] = "bound check",
    [TRAP_INVALID_OPCODE] = "invalid instruction",
    [TRAP_NO_FPU] = "FPU not available",
    [TRAP_DOUBLE_FAULT] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [TRAP_STACK] = "stack segment fault",
    [TRAP_PROTECTION] = "general protection fault",
    [TRAP_PAGE_FAULT] = "page fault",
    [TRAP_FPU] = "x87 FPU error",
    [TRAP_ALIGNMENT] = "alignment check",
    [TRAP_MACHINE_CHECK] = "machine check",
    [TRAP_SIMD] = "SSE error",
    [20] = "virtualization trap",
    [21] = "control-flow protection",
};

const char *trap_name(uint64_t vector)
{
    const char *name = vector < ARRAY_SIZE(names) ? names[vector] : NULL;
    return name ? name : "unknown trap";
}

/* Why the MMU refused. */
static const char *refusal(const struct trapframe *frame, vaddr_t addr)
{
    uint64_t error = frame->error;
    if (error & PAGE_FAULT_RESERVED)
        return "a reserved bit is set in a page-table entry: the tables are damaged";
    if (addr < USER_END && fixup_target(frame->rip) && !(frame->rflags & RFLAGS_IF))
        return "a user copy with interrupts off, when the fault cannot be served";
    if (!(error & PAGE_FAULT_PRESENT)) {
        if (addr < PAGE_SIZE)
            return "a null pointer, or a small offset from one";
        return addr < USER_END ? "a user address, outside of a user copy" : "nothing is mapped there";
    }
    if (addr < USER_END && !(error & PAGE_FAULT_USER)) {
        if (error & PAGE_FAULT_EXEC)
            return "a user page, which the kernel may not run (SMEP)";
        if (cpu_has(CPU_SMAP) && !(frame->rflags & RFLAGS_AC))
            return "a user page, which the kernel may touch only in a user copy (SMAP)";
    }
    if (error & PAGE_FAULT_EXEC)
        return "the page is not executable";
    return error & PAGE_FAULT_WRITE ? "the page is read-only" : "the page may not be read";
}

static void page_fault_describe(const struct trapframe *frame, vaddr_t addr, char *text, size_t size)
{
    uint64_t error = frame->error;
    const char *verb = error & PAGE_FAULT_EXEC ? "run" : error & PAGE_FAULT_WRITE ? "write" : "read";
    snprintf(text, size, "page fault: %s tried to %s 0x%lx: %s (error code 0x%lx: %s, %s, %s)",
             trap_from_user(frame) ? "a user program" : "the kernel", verb, addr, refusal(frame, addr),
             error, error & PAGE_FAULT_PRESENT ? "present" : "not present", verb,
             error & PAGE_FAULT_USER ? "user mode" : "kernel mode");
}

void trap_describe(const struct trapframe *frame, vaddr_t addr, char *text, size_t size)
{
    if (frame->vector == TRAP_PAGE_FAULT)
        page_fault_describe(frame, addr, text, size);
    else if (frame->error)
        snprintf(text, size, "%s, error code 0x%lx", trap_name(frame->vector), frame->error);
    else
        snprintf(text, size, "%s", trap_name(frame->vector));
}
