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
FRAME_RBP    equ 32
FRAME_R11    equ 48
FRAME_RCX    equ 56
FRAME_RAX    equ 64
FRAME_RDI    equ 72
FRAME_RSI    equ 80
FRAME_RDX    equ 88
FRAME_R10    equ 96
FRAME_R8     equ 104
FRAME_R9     equ 112
FRAME_RIP    equ 136
FRAME_CS     equ 144
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

MSR_GS_BASE equ 0xc0000101

extern trap, page_fault, trap_fatal, syscall_table, syscall_unknown, user_return
extern cpu_smap

global trap_stubs, trap_iret, trap_exit_user, trap_return, syscall_entry

%macro PUSH_REGISTERS 0
    push r9
    push r8
    push r10
    push rdx
    push rsi
    push rdi
    push rax
    push rcx
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
    pop rcx
    pop rax
    pop rdi
    pop rsi
    pop rdx
    pop r10
    pop r8
    pop r9
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

; void trap_return(struct trapframe *frame): what lies below the frame on the stack is over.
trap_return:
    mov rsp, rdi
; Back to user mode. RSP: the trapframe. Work may come up again until interrupts stay off.
align 16
trap_exit_user:
    cli
    cmp dword [gs:CPU_RETURN_WORK], 0
    jne trap_exit_work
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
; DF, TF, AC and NT have been cleared (cpu.c). The handler's struct syscall_args are the six of the frame.
;
; The way back restores no more than the handler may have changed: RBX and R12 to R15 are as C found them. Nobody has
; changed the frame, for who does that leaves by trap_return(), and what is to be done before user mode by .work.
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
    lea rdi, [rsp + FRAME_RDI]
    xor ebp, ebp
    cmp rax, SYSCALL_NUMBERS
    jae .unknown
    mov rax, [syscall_table + rax * 8]
    test rax, rax
    jz .unknown
    call rax
.done:
    cli
    cmp dword [gs:CPU_RETURN_WORK], 0
    jne .work
    ; SYSRET takes RIP from RCX and RFLAGS from R11. RCX is canonical: no user page ends where such addresses do. A step
    ; (TF) would be taken before the user's next instruction, not after it: IRET for that.
    mov r11, [rsp + FRAME_R11]
    test r11d, RFLAGS_TF
    jnz .work
    mov rcx, [rsp + FRAME_RCX]
    mov rdi, [rsp + FRAME_RDI]
    mov rsi, [rsp + FRAME_RSI]
    mov rdx, [rsp + FRAME_RDX]
    mov r10, [rsp + FRAME_R10]
    mov r8, [rsp + FRAME_R8]
    mov r9, [rsp + FRAME_R9]
    mov rbp, [rsp + FRAME_RBP]
    mov rsp, [rsp + FRAME_RSP]
    swapgs
    o64 sysret
.work:
    mov [rsp + FRAME_RAX], rax
    jmp trap_exit_user

.unknown:
    call syscall_unknown
    jmp .done

section .rodata
align 8
trap_stubs:
%assign vector 0
%rep 48
    dq trap_stub_%+vector
%assign vector vector + 1
%endrep
