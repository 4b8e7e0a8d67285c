// SPDX-License-Identifier: MIT
/*
 * signal_frame.c: the stack frame of a signal handler, as Linux lays it out, and its return.
 *
 *      higher addresses
 *      ...                  what the program had on its stack
 *      128 bytes            the red zone, where a leaf function may keep data (x86-64 psABI 3.2.2);
 *                           not on an alternate stack
 *      FPU state            64-byte aligned; with XSAVE, followed by FP_XSTATE_MAGIC2
 *      struct signal_frame  return address = the action's restorer, then ucontext and siginfo;
 *                           16-byte aligned + 8
 *      rsp -->              as if the handler had been called
 *
 * The restorer is libc's code that calls rt_sigreturn(2), with rsp just above the return address.
 * Everything in the frame is user memory then, and may hold anything: signal_frame_pop() takes over only
 * what user mode may have.
 */
#include "kernel/signal_frame.h"

#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

struct signal_frame {
    uint64_t return_address;
    struct ucontext context;
    siginfo_t info;
};

#define RED_ZONE 128
#define FPU_ALIGN 64

/* RFLAGS that user mode may set by rt_sigreturn: AC RF OF DF TF SF ZF AF PF CF. */
#define RFLAGS_USER 0x50dd5ul
#define RFLAGS_TF (1ul << 8)
#define RFLAGS_DF (1ul << 10)
#define RFLAGS_RF (1ul << 16)

#define XSTATE_LEGACY 3ul /* x87 and SSE */

/* With XSAVE the FPU state is followed by a second magic number. */
static size_t fpu_frame_size(void) { return fpu_size() + (fpu_features() ? FP_XSTATE_MAGIC2_SIZE : 0); }

size_t signal_frame_size(void)
{
    return RED_ZONE + fpu_frame_size() + FPU_ALIGN + sizeof(struct signal_frame) + 16 + sizeof(uint64_t);
}

static bool lies_on(const stack_t *stack, uint64_t rsp)
{
    uint64_t start = (uint64_t)stack->ss_sp;

    return rsp > start && rsp - start <= stack->ss_size;
}

/* One that is taken away while its handler runs may be set again, wherever the stack pointer is. */
bool signal_on_alternate_stack(const stack_t *alternate, uint64_t rsp)
{
    return !(alternate->ss_flags & (int)SS_AUTODISARM) && lies_on(alternate, rsp);
}

int signal_set_alternate_stack(const stack_t *stack, uint64_t rsp)
{
    stack_t *alternate = &current()->signals->alternate;

    if (signal_on_alternate_stack(alternate, rsp))
        return -EPERM;
    if ((stack->ss_flags & ~SS_FLAG_BITS) == SS_DISABLE) {
        *alternate = (stack_t){ .ss_size = 0 };
        return 0;
    }
    if ((stack->ss_flags & ~SS_FLAG_BITS) != 0 && (stack->ss_flags & ~SS_FLAG_BITS) != SS_ONSTACK)
        return -EINVAL;
    if (stack->ss_size < MINSIGSTKSZ)
        return -ENOMEM;
    *alternate = (stack_t){ stack->ss_sp, stack->ss_flags & (int)SS_FLAG_BITS, stack->ss_size };
    return 0;
}

/* Where the frame and its FPU state go, or false: it would leave the alternate stack it must lie on. */
static bool place_frame(uint64_t rsp, uint64_t action_flags, uint64_t *fpu, uint64_t *frame)
{
    const stack_t *alternate = &current()->signals->alternate;
    bool was_on = signal_on_alternate_stack(alternate, rsp);
    bool moves = (action_flags & SA_ONSTACK) && alternate->ss_size && !was_on;

    rsp = moves ? (uint64_t)alternate->ss_sp + alternate->ss_size : rsp - RED_ZONE;
    *fpu = align_down(rsp - fpu_frame_size(), FPU_ALIGN);
    *frame = align_down(*fpu - sizeof(struct signal_frame), 16) - 8;
    return !(was_on || moves) || lies_on(alternate, *frame);
}

/* Save the FPU state at `fpu` in user memory, marked as to its extent. */
static int push_fpu(uint64_t fpu)
{
    static const uint32_t magic2 = FP_XSTATE_MAGIC2;
    struct _fpstate *area = current()->fpu;

    fpu_save(area);
    memset(&area->sw_reserved, 0, sizeof(area->sw_reserved));
    if (fpu_features()) {
        area->sw_reserved.magic1 = FP_XSTATE_MAGIC1;
        area->sw_reserved.extended_size = fpu_frame_size();
        area->sw_reserved.xfeatures = fpu_features();
        area->sw_reserved.xstate_size = fpu_size();
        if (copy_to_user(fpu + fpu_size(), &magic2, sizeof(magic2)))
            return -EFAULT;
    }
    return copy_to_user(fpu, area, fpu_size());
}

static void save_registers(struct sigcontext *to, const struct trapframe *from)
{
    to->r8 = from->r8, to->r9 = from->r9, to->r10 = from->r10, to->r11 = from->r11;
    to->r12 = from->r12, to->r13 = from->r13, to->r14 = from->r14, to->r15 = from->r15;
    to->rdi = from->rdi, to->rsi = from->rsi, to->rbp = from->rbp, to->rbx = from->rbx;
    to->rdx = from->rdx, to->rax = from->rax, to->rcx = from->rcx, to->rsp = from->rsp;
    to->rip = from->rip, to->eflags = from->rflags, to->cs = from->cs, to->ss = from->ss;
}

static void restore_registers(struct trapframe *to, const struct sigcontext *from)
{
    to->r8 = from->r8, to->r9 = from->r9, to->r10 = from->r10, to->r11 = from->r11;
    to->r12 = from->r12, to->r13 = from->r13, to->r14 = from->r14, to->r15 = from->r15;
    to->rdi = from->rdi, to->rsi = from->rsi, to->rbp = from->rbp, to->rbx = from->rbx;
    to->rdx = from->rdx, to->rax = from->rax, to->rcx = from->rcx, to->rsp = from->rsp;
    to->rip = from->rip;
    to->rflags = (to->rflags & ~RFLAGS_USER) | (from->eflags & RFLAGS_USER);
}

stack_t signal_alternate_stack_shown(const stack_t *alternate, uint64_t rsp)
{
    stack_t shown = *alternate;

    if (!alternate->ss_size)
        shown.ss_flags = SS_DISABLE;
    else if (signal_on_alternate_stack(alternate, rsp))
        shown.ss_flags |= SS_ONSTACK;
    return shown;
}

/* The alternate stack as the frame keeps it, for its return to set it again. */
static stack_t save_alternate_stack(const stack_t *alternate)
{
    stack_t saved = *alternate;

    if (!saved.ss_size)
        saved.ss_flags = SS_DISABLE;
    return saved;
}

int signal_frame_push(struct trapframe *frame, const siginfo_t *info, const struct signal_action *action,
                      signal_mask saved)
{
    struct signal_frame pushed = { .return_address = action->restorer, .info = *info };
    struct sigcontext *context = &pushed.context.uc_mcontext;
    stack_t *alternate = &current()->signals->alternate;
    uint64_t fpu, address;

    if (!(action->flags & SA_RESTORER) || !place_frame(frame->rsp, action->flags, &fpu, &address))
        return -EFAULT;
    pushed.context.uc_flags = (fpu_features() ? UC_FP_XSTATE : 0) | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    pushed.context.uc_stack = save_alternate_stack(alternate);
    pushed.context.uc_sigmask = saved;
    save_registers(context, frame);
    context->oldmask = saved;
    context->fpstate = (struct _fpstate *)fpu;
    if (frame->vector < TRAP_IRQ_BASE) {
        context->trapno = frame->vector;
        context->err = frame->error;
        context->cr2 = frame->vector == TRAP_PAGE_FAULT ? (uint64_t)info->si_addr : 0;
    }
    if (push_fpu(fpu) || copy_to_user(address, &pushed, sizeof(pushed)))
        return -EFAULT;
    if (alternate->ss_flags & (int)SS_AUTODISARM)
        *alternate = (stack_t){ .ss_size = 0 };

    frame->rdi = info->si_signo;
    frame->rsi = address + offsetof(struct signal_frame, info);
    frame->rdx = address + offsetof(struct signal_frame, context);
    frame->rax = 0; /* no vector registers for a variadic handler */
    frame->rsp = address;
    frame->rip = action->handler;
    frame->rflags &= ~(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
    return 0;
}

/*
 * Fetch FPU state from user memory into `area`; address 0 means the initial state. A frame that is not
 * marked as whole (FP_XSTATE_MAGIC1 and 2) holds x87 and SSE only, and the rest becomes initial.
 */
static int fetch_fpu(struct _xstate *area, uint64_t address)
{
    const struct _fpx_sw_bytes *mark = &area->fpstate.sw_reserved;
    uint32_t magic2;

    fpu_init_area(area);
    if (!address)
        return 0;
    if (copy_from_user(area, address, sizeof(area->fpstate)))
        return -EFAULT;
    if (fpu_features() && mark->magic1 == FP_XSTATE_MAGIC1 && mark->xstate_size == fpu_size()) {
        if (copy_from_user(&magic2, address + fpu_size(), sizeof(magic2)) ||
            copy_from_user(area, address, fpu_size()))
            return -EFAULT;
        if (magic2 != FP_XSTATE_MAGIC2)
            return -EINVAL;
    } else if (fpu_features()) {
        memset(&area->xstate_hdr, 0, sizeof(area->xstate_hdr));
        area->xstate_hdr.xfeatures = XSTATE_LEGACY;
    }
    return fpu_area_valid(area) ? 0 : -EINVAL;
}

/*
 * Load the FPU from user memory. The process's own area will not do on the way: a switch saves the
 * registers there.
 */
static int pop_fpu(uint64_t address)
{
    struct _xstate *area = kmalloc(fpu_size());
    int error;

    if (!area)
        return -ENOMEM;
    error = fetch_fpu(area, address);
    if (!error)
        fpu_restore(area);
    kfree(area);
    return error;
}

int signal_frame_pop(struct trapframe *frame)
{
    struct signals *signals = current()->signals;
    const struct sigcontext *context;
    struct ucontext popped;
    uint64_t address = frame->rsp - sizeof(uint64_t) + offsetof(struct signal_frame, context);
    int error;

    if (copy_from_user(&popped, address, sizeof(popped)))
        return -EFAULT;
    context = &popped.uc_mcontext;
    if (context->cs != USER_CS || context->ss != USER_SS || context->rip >= USER_END)
        return -EINVAL;
    error = pop_fpu((uint64_t)context->fpstate);
    if (error)
        return error;

    restore_registers(frame, context);
    signals->unfinished &= ~(unsigned)SIGNAL_MASK_SAVED;
    signal_set_blocked(popped.uc_sigmask);
    /* As in Linux, an alternate stack that would be refused is left as it is. */
    (void)!signal_set_alternate_stack(&popped.uc_stack, frame->rsp);
    return 0;
}
