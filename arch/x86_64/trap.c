// SPDX-License-Identifier: MIT
/*
 * trap.c: sorts traps: page faults (which come here directly), device interrupts, other exceptions.
 *
 * Nothing is decided here. A page fault becomes a struct fault and goes up to mm_fault(); an exception of a
 * user program goes up to become a signal; one of the kernel's own is the end (panic_trap).
 */
#include "arch/x86_64/cpu.h"
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
_Static_assert(offsetof(struct trapframe, rbp) == 32, "FRAME_RBP");
_Static_assert(offsetof(struct trapframe, r11) == 48, "FRAME_R11");
_Static_assert(offsetof(struct trapframe, rcx) == 56, "FRAME_RCX");
_Static_assert(offsetof(struct trapframe, rax) == 64, "FRAME_RAX");
_Static_assert(offsetof(struct trapframe, rdi) == 72, "FRAME_RDI, and so on to R9: struct syscall_args");
_Static_assert(offsetof(struct trapframe, r9) == 112, "FRAME_R9");
_Static_assert(offsetof(struct trapframe, vector) == 120, "FRAME_VECTOR");
_Static_assert(offsetof(struct trapframe, rip) == 136, "FRAME_RIP");
_Static_assert(offsetof(struct trapframe, rsp) == 160, "FRAME_RSP");
_Static_assert(sizeof(struct syscall_args) == offsetof(struct trapframe, r9) + 8 - offsetof(struct trapframe, rdi),
               "syscall_entry passes a part of the frame");
_Static_assert(SYSCALL_NUMBERS == 512, "trap.asm has the number, too");

extern const char trap_iret[];

void trap(struct trapframe *frame);
void trap_fatal(struct trapframe *frame) __noreturn_fn;
void page_fault(struct trapframe *frame);

/* What an error code means, by its lowest five bits: a look instead of a dozen tests. */
#define CAUSE(error)                                                                                                    \
    { .access = (error) & PAGE_FAULT_EXEC ? ACCESS_EXEC : (error) & PAGE_FAULT_WRITE ? ACCESS_WRITE : ACCESS_READ,      \
      .user = ((error) & PAGE_FAULT_USER) != 0, .present = ((error) & PAGE_FAULT_PRESENT) != 0 }
#define CAUSES_4(error) CAUSE(error), CAUSE((error) + 1), CAUSE((error) + 2), CAUSE((error) + 3)
#define CAUSES 32

static const struct fault_cause causes[CAUSES] = {
    CAUSES_4(0), CAUSES_4(4), CAUSES_4(8), CAUSES_4(12), CAUSES_4(16), CAUSES_4(20), CAUSES_4(24), CAUSES_4(28),
};

/*
 * User mode may fault anywhere; a page fault inside the kernel is allowed in one place only: at an
 * instruction of usermem.asm, at a user address, with interrupts on, since serving it may sleep.
 */
static bool fault_is_allowed(const struct trapframe *frame, vaddr_t addr)
{
    if (likely((frame->error & (PAGE_FAULT_USER | PAGE_FAULT_RESERVED)) == PAGE_FAULT_USER))
        return true;
    return !(frame->error & PAGE_FAULT_RESERVED) && addr < USER_END && fixup_target(frame->rip) && frame->rflags & RFLAGS_IF;
}

/* A user program gets a signal for it; a user copy ends short (and a signal waits when memory is out). */
static __noinline void fault_unserved(struct trapframe *frame, const struct fault *fault, enum fault_kind kind)
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
    struct fault fault = { .addr = addr, .ip = frame->rip, .cause = causes[frame->error % CAUSES] };
    /* A user copy where there is no user ends short. */
    enum fault_kind kind = likely(this_cpu()->aspace) ? mm_fault(&fault) : FAULT_SEGV_MAPERR;
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
    if (frame->vector >= TRAP_IRQ_BASE)
        irq_dispatch(frame);
    else
        exception(frame);
}

void trap_fatal(struct trapframe *frame)
{
    panic_trap(frame, frame->vector == TRAP_DOUBLE_FAULT ? cr2_read() : 0);
}
