// SPDX-License-Identifier: MIT
/*
 * context.c: lays out new kernel stacks so that context_switch() can go on with them.
 */
#include "arch/x86_64/context.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

/* What context_switch() pops, lowest address first. */
struct resting_stack {
    uint64_t r15, r14, r13, r12, rbx, rbp;
    vaddr_t return_address;
};

extern char context_start[], context_start_user[]; /* context.asm */

/* Put a resting stack right below `top`. */
static struct resting_stack *rest_below(struct context *context, vaddr_t top)
{
    struct resting_stack *rest = (struct resting_stack *)top - 1;
    ASSERT(is_aligned(top, 16)); /* at the starts RSP is `top`, as the ABI wants it before a call */
    memset(rest, 0, sizeof(*rest));
    context->rsp = (vaddr_t)rest;
    return rest;
}

void context_init(struct context *context, vaddr_t stack_top, void (*entry)(void *arg), void *arg)
{
    struct resting_stack *rest = rest_below(context, stack_top);
    rest->rbx = (uint64_t)entry;
    rest->r12 = (uint64_t)arg;
    rest->return_address = (vaddr_t)context_start;
}

struct trapframe *context_init_user(struct context *context, vaddr_t stack_top, void (*first)(void))
{
    struct trapframe *frame = (struct trapframe *)stack_top - 1;
    struct resting_stack *rest = rest_below(context, (vaddr_t)frame);
    memset(frame, 0, sizeof(*frame));
    rest->rbx = (uint64_t)first;
    rest->return_address = (vaddr_t)context_start_user;
    return frame;
}
