// SPDX-License-Identifier: MIT
/*
 * exception.c: from a CPU exception in user mode to a signal, with the codes that Linux gives (sigaction(2)).
 *
 *      page fault      SEGV_MAPERR, SEGV_ACCERR -> SIGSEGV; BUS -> SIGBUS; OOM -> the process is killed
 *      #DE #MF #XM     SIGFPE          #UD           SIGILL
 *      #DB #BP         SIGTRAP         #NP #SS #AC   SIGBUS
 *      all others      SIGSEGV
 */
#include <asm/sigcontext.h>

#include "kernel/entry.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/near.h"

/* What the address was near, with a colon before it; "" where there is no address. */
static void describe_place(const struct trapframe *frame, const struct fault *fault, char *text, size_t size)
{
    struct aspace *aspace = current()->aspace;

    text[0] = '\0';
    if (fault) {
        string_copy(text, ": ", size);
        mutex_lock(&aspace->lock);
        near_describe(text + 2, size - 2, aspace, fault->addr, fault->cause.access);
        mutex_unlock(&aspace->lock);
    } else if (frame->vector == TRAP_PROTECTION) {
        string_copy(text, ": an address that is not canonical, or an instruction for the kernel alone", size);
    }
}

/* Nobody will catch it: leave a line in the log, as Linux does. `fault` is NULL if it was no page fault. */
static void log_unhandled(const struct trapframe *frame, const siginfo_t *info, const struct fault *fault)
{
    const struct process *process = current();
    char place[NEAR_TEXT_SIZE];

    if (signal_has_handler(process, info->si_signo))
        return;
    describe_place(frame, fault, place, sizeof(place));
    log_info("%s[%d]: signal %d (code %d): address %lx ip %lx sp %lx error %lx%s", process->name, process->pid,
             info->si_signo, info->si_code, (uint64_t)info->si_addr, frame->rip, frame->rsp, frame->error, place);
}

static void raise_signal(struct trapframe *frame, int number, int code, vaddr_t addr, const struct fault *fault)
{
    siginfo_t info = { .si_signo = number, .si_code = code };

    info.si_addr = (void *)addr;
    log_unhandled(frame, &info, fault);
    signal_force(frame, &info);
}

static void raise_fault(struct trapframe *frame, int number, int code, vaddr_t addr)
{
    raise_signal(frame, number, code, addr, NULL);
}

/*
 * No frame for this page: the OOM killer has chosen this process, or it is dying for another reason. Where the kernel
 * touched the page for it, it ends on its way back to user mode.
 */
static void out_of_memory(const struct fault *fault)
{
    if (fault->cause.user)
        process_exit(SIGKILL);
    signal_send_kernel(current(), SIGKILL);
}

void fault_signal(struct trapframe *frame, const struct fault *fault, enum fault_kind kind)
{
    if (kind == FAULT_OOM)
        out_of_memory(fault);
    else if (kind == FAULT_BUS)
        raise_signal(frame, SIGBUS, BUS_ADRERR, fault->addr, fault);
    else
        raise_signal(frame, SIGSEGV, kind == FAULT_SEGV_MAPERR ? SEGV_MAPERR : SEGV_ACCERR, fault->addr, fault);
}

/*
 * Why a floating-point instruction faulted: the exceptions that are raised and not masked (SDM 1, 8.5 and
 * 11.5).
 */
static int fpu_code(uint64_t vector)
{
    const struct _fpstate *state = current()->fpu;
    unsigned raised;

    fpu_save(current()->fpu);
    raised = vector == TRAP_FPU ? state->swd & ~state->cwd : state->mxcsr & ~(state->mxcsr >> 7);
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12)
        return FPE_FLTUND;
    return raised & 0x20 ? FPE_FLTRES : FPE_FLTUNK;
}

void exception_signal(struct trapframe *frame)
{
    switch (frame->vector) {
    case TRAP_DIVIDE:
        return raise_fault(frame, SIGFPE, FPE_INTDIV, frame->rip);
    case TRAP_DEBUG:
        return raise_fault(frame, SIGTRAP, TRAP_TRACE, frame->rip);
    case TRAP_BREAKPOINT:
        return raise_fault(frame, SIGTRAP, SI_KERNEL, 0);
    case TRAP_INVALID_OPCODE:
        return raise_fault(frame, SIGILL, ILL_ILLOPN, frame->rip);
    case TRAP_FPU:
    case TRAP_SIMD:
        return raise_fault(frame, SIGFPE, fpu_code(frame->vector), frame->rip);
    case TRAP_ALIGNMENT:
        return raise_fault(frame, SIGBUS, BUS_ADRALN, 0);
    case TRAP_SEGMENT:
    case TRAP_STACK:
        return raise_fault(frame, SIGBUS, SI_KERNEL, 0);
    default:
        return raise_fault(frame, SIGSEGV, SI_KERNEL, 0);
    }
}
