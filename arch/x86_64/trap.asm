; SPDX-License-Identifier: MIT
;
; trap.asm: every way into the kernel and out of it.
;
; Each entry saves the registers as a struct trapframe (trap.h) on the kernel stack and calls C with a
; pointer to it; each way out restores from it. Coming from user mode, SWAPGS makes GS point at this CPU's
; struct cpu; going there, it is undone last. RFLAGS.AC is cleared at once: what SMAP guards is opened by
; usermem.asm alone.
;
; RBP is 0 when C is entered from user mode, which ends backtraces there. When C is entered from the kernel,
; a frame with the interrupted instruction's address stands in for a call, so that a backtrace goes on
; through the trap.

; struct trapframe
FRAME_R11    equ 48
FRAME_RAX    equ 80
FRAME_RCX    equ 88
FRAME_RIP    equ 136
FRAME_CS     equ 144
FRAME_RFLAGS equ 152
FRAME_RSP    equ 160

; struct cpu
CPU_KERNEL_STACK_TOP equ 8
CPU_USER_STACK       equ 16
CPU_RETURN_WORK      equ 24

USER_CS      equ 0x33
USER_SS      equ 0x2b
TRAP_SYSCALL equ 256

SYSCALL_NUMBERS equ 512
TRAP_PAGE_FAULT equ 14

RFLAGS_TF equ 1 << 8
RFLAGS_RF equ 1 << 16

MSR_GS_BASE equ 0xc0000101

extern trap, page_fault, trap_fatal, syscall_table, syscall_unknown, user_return
extern cpu_smap

global trap_stubs, trap_iret, trap_exit_user, syscall_entry

%macro PUSH_REGISTERS 0
    push rdi
    push rsi
    push rdx
    push rcx
    push rax
    push r8
    push r9
    push r10
    push r11
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
%endmacro

%macro POP_REGISTERS 0
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    pop r11
    pop r10
    pop r9
    pop r8
    pop rax
    pop rcx
    pop rdx
    pop rsi
    pop rdi
%endmacro

; A call frame that names the interrupted instruction as the caller. RDI: the trapframe, which is also RSP.
%macro LINK_BACKTRACE 0
    push qword [rdi + FRAME_RIP]
    push rbp
    mov rbp, rsp
%endmacro

section .text

; One stub a vector: make the stack the same whether the CPU pushed an error code or not.
%define IS_BETWEEN(v, low, high) ((v) >= (low) && (v) <= (high))
%define IS_RARE_WITH_CODE(v) ((v) == 21 || (v) == 29 || (v) == 30)
%define HAS_ERROR_CODE(v) ((v) == 8 || (v) == 17 || IS_BETWEEN(v, 10, 14) || IS_RARE_WITH_CODE(v))
%define IS_FATAL(v) ((v) == 2 || (v) == 8 || (v) == 18)

%assign vector 0
%rep 48
trap_stub_%+vector:
%if !HAS_ERROR_CODE(vector)
    push 0
%endif
    push vector
%if IS_FATAL(vector)
    jmp trap_entry_fatal
%elif vector == TRAP_PAGE_FAULT
    jmp trap_entry_page_fault
%else
    jmp trap_entry
%endif
%assign vector vector + 1
%endrep

; From the stub to a function in C. The stack holds vector, error code, RIP, CS, RFLAGS, RSP, SS. Interrupts are off.
%macro ENTER 1
    cld
    cmp byte [rel cpu_smap], 0
    je .no_smap
    clac
.no_smap:
    test byte [rsp + 24], 3 ; CS: the ring we come from
    jz .from_kernel
    swapgs
    PUSH_REGISTERS
    mov rdi, rsp
    xor ebp, ebp
    call %1
    jmp trap_exit_user

.from_kernel:
    PUSH_REGISTERS
    mov rdi, rsp
    lea rax, [rel trap_iret]
    cmp [rdi + FRAME_RIP], rax
    jne .gs_is_ours
    swapgs ; the IRET to user mode itself faulted, and GS was the user's already
.gs_is_ours:
    LINK_BACKTRACE
    call %1
    add rsp, 16
    test byte [rsp + FRAME_CS], 3
    jnz trap_exit_user ; trap() has made a user frame of it (bad IRET)
    POP_REGISTERS
    add rsp, 16 ; vector and error code
    iretq
%endmacro

align 16
trap_entry:
    ENTER trap

align 16
trap_entry_page_fault: ; the commonest, and so without a detour
    ENTER page_fault

; Back to user mode. RSP: the trapframe. Work may come up again until interrupts stay off.
align 16
trap_exit_user:
    cli
    cmp dword [gs:CPU_RETURN_WORK], 0
    jne trap_exit_work
trap_restore_user:
    POP_REGISTERS
    add rsp, 16
    swapgs
trap_iret:
    iretq
trap_exit_work:
    sti
    mov rdi, rsp
    xor ebp, ebp
    call user_return
    jmp trap_exit_user

; NMI, machine check and double fault: they come at any moment, so only the GS base itself tells whose it is
; (the kernel's is negative). They are not returned from.
trap_entry_fatal:
    cld
    PUSH_REGISTERS
    mov ecx, MSR_GS_BASE
    rdmsr
    test edx, edx
    js .gs_is_ours
    swapgs
.gs_is_ours:
    mov rdi, rsp
    LINK_BACKTRACE
    call trap_fatal
    ud2

; The SYSCALL instruction (SDM 2B): RCX holds the user's RIP, R11 its RFLAGS, RSP is still the user's. IF,
; DF, TF, AC and NT have been cleared (cpu.c).
align 16
syscall_entry:
    swapgs
    mov [gs:CPU_USER_STACK], rsp
    mov rsp, [gs:CPU_KERNEL_STACK_TOP]
    push USER_SS
    push qword [gs:CPU_USER_STACK]
    push r11
    push USER_CS
    push rcx
    push rax ; the number stands where traps have their error code
    push TRAP_SYSCALL
    PUSH_REGISTERS
    sti
    mov rbx, rsp
    push rbx ; keeps the stack aligned
    push rbx ; struct syscall_args: the frame; the arguments below it
    push r9
    push r8
    push r10
    push rdx
    push rsi
    push rdi
    mov rdi, rsp
    xor ebp, ebp
    cmp rax, SYSCALL_NUMBERS
    jae .unknown
    mov rax, [syscall_table + rax * 8]
    test rax, rax
    jz .unknown
    call rax
.done:
    mov [rbx + FRAME_RAX], rax
    mov rsp, rbx

syscall_exit:
    cli
    cmp dword [gs:CPU_RETURN_WORK], 0
    jne .work
    ; SYSRET takes RIP from RCX and RFLAGS from R11: the frame must agree. An address that is not canonical
    ; would fault in the kernel on the user's stack (SDM 2B, SYSRET), and RF and TF do not survive: IRET for
    ; all those.
    mov rcx, [rsp + FRAME_RCX]
    cmp rcx, [rsp + FRAME_RIP]
    jne trap_restore_user
    mov r11, [rsp + FRAME_R11]
    cmp r11, [rsp + FRAME_RFLAGS]
    jne trap_restore_user
    test r11d, RFLAGS_RF | RFLAGS_TF
    jnz trap_restore_user
    shr rcx, 47
    jnz trap_restore_user
    POP_REGISTERS
    mov rsp, [rsp + FRAME_RSP - 120]
    swapgs
    o64 sysret
.work:
    sti
    mov rdi, rsp
    xor ebp, ebp
    call user_return
    jmp syscall_exit
syscall_entry.unknown:
    call syscall_unknown
    jmp syscall_entry.done

section .rodata
align 8
trap_stubs:
%assign vector 0
%rep 48
    dq trap_stub_%+vector
%assign vector vector + 1
%endrep
