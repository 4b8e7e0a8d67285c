; SPDX-License-Identifier: MIT
;
; context.asm: one kernel stack goes to rest and another goes on.
;
; A stack at rest holds, from its RSP up: R15 R14 R13 R12 RBX RBP and the address to return to. New stacks
; are laid out the same way by context.c and return to one of the two starts below.

extern trap_exit_user
global context_switch, context_start, context_start_user

section .text

; void context_switch(struct context *from, struct context *to)
align 16
context_switch:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi], rsp
    mov rsp, [rsi]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

; A kernel thread: RBX holds its function, R12 the argument.
context_start:
    sti
    mov rdi, r12
    call rbx
    ud2

; A process's first way to user mode: RBX holds what is to be called before; the trapframe lies at RSP.
context_start_user:
    call rbx
    jmp trap_exit_user
