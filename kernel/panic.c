// SPDX-License-Identifier: MIT
/*
 * panic.c: the last words: what happened, where, and what the tables say about it.
 *
 * Nothing here can be relied on any more, so no lock is taken and every pointer is looked up in the page
 * tables before it is followed. A panic inside the report says so and ends the machine at once.
 */
#include <linux/mman.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/fixup.h"
#include "arch/x86_64/interrupts.h"
#include "arch/x86_64/kernelmap.h"
#include "arch/x86_64/machine.h"
#include "arch/x86_64/mmu.h"
#include "arch/x86_64/registers.h"
#include "arch/x86_64/trap_words.h"
#include "kernel/entry.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/lib/report.h"
#include "kernel/lib/string.h"
#include "kernel/lib/symbols.h"
#include "kernel/process.h"
#include "mm/aspace.h"
#include "mm/kstack.h"
#include "mm/near.h"
#include "mm/trace.h"

#define TEXT_SIZE 400
#define BACKTRACE_MAX 24

#define say(...) log_write(LOG_EMERG, __VA_ARGS__)

/* The first lines, and the host is told. A second panic gets no further. */
static void report_begin(const char *text)
{
    static bool panicking;
    interrupts_disable();
    log_break_lock();
    if (panicking) {
        say("PANIC while reporting the panic above: %s", text);
        machine_end(MACHINE_PANIC);
    }
    panicking = true;
    report_line("panic %s", text);
    say("PANIC: %s", text);
    const struct process *process = this_cpu()->process;
    if (process)
        say("in process %d (%s)", process->pid, process->name);
}

static void report_end(void)
{
    say("The machine has been stopped.");
    trace_flush();
    machine_end(MACHINE_PANIC);
}

static void say_registers(const struct trapframe *f)
{
    say("rip 0x%016lx cs 0x%02lx rflags 0x%08lx", f->rip, f->cs, f->rflags);
    say("rsp 0x%016lx ss 0x%02lx (entered by trap %lu, %s)", f->rsp, f->ss, f->vector, trap_name(f->vector));
    say("rax 0x%016lx rbx 0x%016lx rcx 0x%016lx rdx 0x%016lx", f->rax, f->rbx, f->rcx, f->rdx);
    say("rsi 0x%016lx rdi 0x%016lx rbp 0x%016lx r8  0x%016lx", f->rsi, f->rdi, f->rbp, f->r8);
    say("r9  0x%016lx r10 0x%016lx r11 0x%016lx r12 0x%016lx", f->r9, f->r10, f->r11, f->r12);
    say("r13 0x%016lx r14 0x%016lx r15 0x%016lx", f->r13, f->r14, f->r15);
}

static void say_control_registers(void)
{
    say("cr0 0x%08lx cr2 0x%016lx cr3 0x%09lx cr4 0x%08lx", cr0_read(), cr2_read(), cr3_read(), cr4_read());
}

static void say_entry(vaddr_t addr, unsigned level, pte_t entry)
{
    unsigned index = pte_index(addr, level);
    if (pte_is_none(entry)) {
        say("  level %u entry %3u: nothing", level, index);
        return;
    }
    bool leaf = level == PTE_LEAF_LEVEL || pte_is_large(entry);
    const char *presence = pte_is_present(entry) ? "present" : "not present";
    say("  level %u entry %3u: 0x%016lx: %s at 0x%lx, %s, %s, %s, for %s", level, index, entry.bits,
        leaf ? "page" : "table", pte_pfn(entry) << PAGE_SHIFT, presence,
        pte_is_writable(entry) ? "writable" : "read-only",
        pte_is_executable(entry) ? "executable" : "not executable",
        pte_is_user(entry) ? "user and kernel" : "the kernel only");
}

static void say_table_walk(vaddr_t addr)
{
    pte_t entries[PTE_LEVELS];
    unsigned last = mmu_walk(addr, entries);
    say("the page tables for 0x%lx:", addr);
    for (unsigned level = PTE_ROOT_LEVEL; level >= last; level--)
        say_entry(addr, level, entries[level - 1]);
}

/* The promise at a user address, or the lack of one. */
static void say_vma(vaddr_t addr)
{
    struct aspace *aspace = this_cpu()->aspace;
    if (!aspace) {
        say("no address space is in use but the kernel's");
        return;
    }
    const struct vma *vma = vma_find(&aspace->vmas, addr);
    if (vma)
        say("VMA 0x%lx-0x%lx, %s%s%s%s", vma->start, vma->end, vma->prot & PROT_READ ? "r" : "-",
            vma->prot & PROT_WRITE ? "w" : "-", vma->prot & PROT_EXEC ? "x" : "-",
            vma->flags & VMA_SHARED ? "s" : "p");
    else
        say("no VMA covers 0x%lx", addr);
}

static const char *region_name(vaddr_t addr)
{
    if (kstack_is_guard(addr))
        return "the guard page below a kernel stack: the stack is used up";
    if (kernel_map_is_boot_guard(addr))
        return "the guard page below the boot stack: the stack is used up";
    if (addr < USER_END)
        return "user space";
    if (addr >= KERNEL_IMAGE_START)
        return "the kernel image";
    if (addr >= KERNEL_STACKS_START)
        return "the area of kernel stacks";
    return addr >= DIRECT_MAP_START ? "the direct map" : "no canonical address";
}

static enum fault_access access_of(const struct trapframe *frame)
{
    if (frame->error & PAGE_FAULT_EXEC)
        return ACCESS_EXEC;
    return frame->error & PAGE_FAULT_WRITE ? ACCESS_WRITE : ACCESS_READ;
}

static void say_near(const struct trapframe *frame, vaddr_t addr)
{
    char text[NEAR_TEXT_SIZE];

    near_describe(text, sizeof(text), this_cpu()->aspace, addr, access_of(frame));
    say("%s", text);
}

static void say_address(const struct trapframe *frame, vaddr_t addr)
{
    say("0x%lx lies in %s", addr, region_name(addr));
    if (addr < USER_END && frame->vector == TRAP_PAGE_FAULT)
        say_near(frame, addr);
    if (addr < USER_END)
        say_vma(addr);
    if (addr < USER_END || addr >= DIRECT_MAP_START)
        say_table_walk(addr);
}

/* `address` is where execution goes on; `within` is an address inside the instruction or call before it. */
static void say_caller(vaddr_t address, vaddr_t within)
{
    uint64_t offset;
    const char *name = symbols_find(within, &offset);
    if (name)
        say("  0x%016lx %s+0x%lx", address, name, offset + (address - within));
    else
        say("  0x%016lx", address);
}

/*
 * After a call to nowhere, and in the user copy, RBP is still the caller's, and the address to return to is
 * on top of the stack.
 */
static void say_frameless_caller(const struct trapframe *frame)
{
    uint64_t offset;
    bool frameless = !symbols_find(frame->rip, &offset) || fixup_target(frame->rip);
    if (!frameless || frame->rsp < DIRECT_MAP_START || !mmu_is_mapped(frame->rsp))
        return;
    vaddr_t address = *(const vaddr_t *)frame->rsp;
    if (symbols_find(address, &offset))
        say_caller(address, address - 1);
}

/* Follow the frame pointers: [rbp] is the caller's rbp, above it lies the return address. */
static void say_backtrace(vaddr_t rbp)
{
    for (unsigned i = 0; rbp >= DIRECT_MAP_START && is_aligned(rbp, 8); i++) {
        if (!mmu_is_mapped(rbp) || !mmu_is_mapped(rbp + 8))
            break;
        const uint64_t *link = (const uint64_t *)rbp;
        if (!link[1])
            break;
        if (i == BACKTRACE_MAX) {
            say("  and so on");
            break;
        }
        say_caller(link[1], link[1] - 1);
        rbp = link[0];
    }
}

void panic(const char *fmt, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    report_begin(text);
    say_control_registers();
    say("called from:");
    say_backtrace((vaddr_t)__builtin_frame_address(0));
    report_end();
    __builtin_unreachable();
}

void panic_trap(const struct trapframe *frame, vaddr_t addr)
{
    char text[TEXT_SIZE];
    trap_describe(frame, addr, text, sizeof(text));
    bool guard = kstack_is_guard(addr) || kernel_map_is_boot_guard(addr);
    if (frame->vector == TRAP_DOUBLE_FAULT && guard)
        snprintf(text, sizeof(text), "kernel stack overflow: the guard page at 0x%lx was touched", addr);
    report_begin(text);
    say_registers(frame);
    say_control_registers();
    if (frame->vector == TRAP_PAGE_FAULT || frame->vector == TRAP_DOUBLE_FAULT)
        say_address(frame, addr);
    say("happened at, and called from:");
    say_caller(frame->rip, frame->rip);
    if (!trap_from_user(frame)) {
        say_frameless_caller(frame);
        say_backtrace(frame->rbp);
    }
    report_end();
    __builtin_unreachable();
}
