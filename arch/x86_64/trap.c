// SPDX-License-Identifier: MIT
/*
 * trap.c: sorts traps: device interrupts, page faults, other exceptions.
 *
 * Nothing is decided here. A page fault becomes a struct fault and goes up to mm_fault(); an exception of a
 * user program goes up to become a signal; one of the kernel's own is the end (panic_trap).
 */
#include "arch/x86_64/fixup.h"
#include "arch/x86_64/interrupts.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/registers.h"
#include "arch/x86_64/trap.h"
#include "arch/x86_64/trap_words.h"
#include "kernel/entry.h"
#include "kernel/lib/assert.h"
#include "mm/fault.h"

_Static_assert(sizeof(struct trapframe) == 176, "trap.asm knows the layout");
_Static_assert(offsetof(struct trapframe, r11) == 48, "FRAME_R11");
_Static_assert(offsetof(struct trapframe, rcx) == 88, "FRAME_RCX");
_Static_assert(offsetof(struct trapframe, vector) == 120, "FRAME_VECTOR");
_Static_assert(offsetof(struct trapframe, rip) == 136, "FRAME_RIP");
_Static_assert(offsetof(struct trapframe, rsp) == 160, "FRAME_RSP");

extern const char trap_iret[];

void trap(struct trapframe *frame);
void trap_fatal(struct trapframe *frame) __noreturn_fn;
void page_fault(struct trapframe *frame);

static enum fault_access fault_access(uint64_t error)
{
    if (error & PAGE_FAULT_EXEC)
        return ACCESS_EXEC;
    return error & PAGE_FAULT_WRITE ? ACCESS_WRITE : ACCESS_READ;
}

/*
 * User mode may fault anywhere; a page fault inside the kernel is allowed in one place only: at an
 * instruction of usermem.asm, at a user address, with interrupts on, since serving it may sleep.
 */
static bool fault_is_allowed(const struct trapframe *frame, vaddr_t addr)
{
    if (unlikely(frame->error & PAGE_FAULT_RESERVED))
        return false;
    if (trap_from_user(frame))
        return true;
    return addr < USER_END && fixup_target(frame->rip) && frame->rflags & RFLAGS_IF;
}

/* A user program gets a signal for it; a user copy ends short (and a signal waits when memory is out). */
static void fault_unserved(struct trapframe *frame, const struct fault *fault, enum fault_kind kind)
{
    bool copying = !trap_from_user(frame);
    if (!copying || kind == FAULT_OOM)
        fault_signal(frame, fault, kind);
    if (copying)
        frame->rip = fixup_target(frame->rip);
}

void page_fault(struct trapframe *frame)
{
    vaddr_t addr = cr2_read(); /* before interrupts are on: the next fault overwrites it */
    if (unlikely(!fault_is_allowed(frame, addr)))
        panic_trap(frame, addr);
    interrupts_enable();
    struct fault fault = {
        .addr = addr,
        .access = fault_access(frame->error),
        .user = trap_from_user(frame),
        .present = frame->error & PAGE_FAULT_PRESENT,
        .ip = frame->rip,
    };
    enum fault_kind kind = mm_fault(&fault);
    if (unlikely(!fault_resolved(kind)))
        fault_unserved(frame, &fault, kind);
}

/*
 * The IRET to user mode faulted: the user's RIP or RSP is no address at all. What it would have restored
 * lies on the stack where it left it; the fault then counts as the user program's own, at that RIP.
 */
static void bad_return(struct trapframe *frame)
{
    const uint64_t *wanted = (const uint64_t *)frame->rsp;
    frame->rip = wanted[0];
    frame->cs = wanted[1];
    frame->rflags = wanted[2];
    frame->ss = wanted[4];
    frame->rsp = wanted[3];
}

static void exception(struct trapframe *frame)
{
    if (!trap_from_user(frame)) {
        if (frame->rip != (vaddr_t)trap_iret)
            panic_trap(frame, 0);
        bad_return(frame);
    }
    interrupts_enable();
    exception_signal(frame);
}

void trap(struct trapframe *frame)
{
    if (likely(frame->vector == TRAP_PAGE_FAULT))
        page_fault(frame);
    else if (frame->vector >= TRAP_IRQ_BASE)
        irq_dispatch(frame);
    else
        exception(frame);
}

void trap_fatal(struct trapframe *frame)
{
    panic_trap(frame, frame->vector == TRAP_DOUBLE_FAULT ? cr2_read() : 0);
}
