; SPDX-License-Identifier: MIT
;
; usermem.asm: the only instructions of the kernel that touch user memory.
;
; Each has an entry in the fix-up table: where to go on when the access cannot be served (trap.c). SMAP is
; opened by STAC and closed by CLAC, where the CPU has it. The registers of a REP instruction say how far it
; has come.

extern cpu_smap
global usermem_copy, usermem_clear, usermem_copy_string

%macro USER_OPEN 0
    cmp byte [rel cpu_smap], 0
    je %%without
    stac
%%without:
%endmacro

%macro USER_CLOSE 0
    cmp byte [rel cpu_smap], 0
    je %%without
    clac
%%without:
%endmacro

; FIXUP instruction, target
%macro FIXUP 2
[section .fixups progbits alloc noexec nowrite align=16]
    dq %1, %2
__?SECT?__
%endmacro

section .fixups progbits alloc noexec nowrite align=16

section .text

; size_t usermem_copy(void *dst, const void *src, size_t n): bytes not copied
align 16
usermem_copy:
    USER_OPEN
    mov rcx, rdx
    shr rcx, 3
.words:
    rep movsq
    mov ecx, edx
    and ecx, 7
.bytes:
    rep movsb
.end:
    USER_CLOSE
    mov rax, rcx
    ret
; A word may straddle the border to a page that is not there: copy up to it byte by byte.
.words_stopped:
    and edx, 7
    lea rcx, [rdx + rcx * 8]
    jmp .bytes
FIXUP .words, .words_stopped
FIXUP .bytes, .end

; size_t usermem_clear(void *dst, size_t n): bytes not cleared
align 16
usermem_clear:
    USER_OPEN
    xor eax, eax
    mov rcx, rsi
    shr rcx, 3
.words:
    rep stosq
    mov ecx, esi
    and ecx, 7
.bytes:
    rep stosb
.end:
    USER_CLOSE
    mov rax, rcx
    ret
.words_stopped:
    and esi, 7
    lea rcx, [rsi + rcx * 8]
    jmp .bytes
FIXUP .words, .words_stopped
FIXUP .bytes, .end

; ssize_type usermem_copy_string(char *dst, const char *src, size_t n): length, n, or -1
align 16
usermem_copy_string:
    USER_OPEN
    xor eax, eax
.next:
    cmp rax, rdx
    je .end
.load:
    mov cl, [rsi + rax]
    mov [rdi + rax], cl
    test cl, cl
    jz .end
    inc rax
    jmp .next
.end:
    USER_CLOSE
    ret
.stopped:
    mov rax, -1
    jmp .end
FIXUP .load, .stopped
