; SPDX-License-Identifier: MIT
;
; A multiboot2 kernel that does nothing but come to an end: the word after `end=` on its command line says to
; which. The tests of scripts/qemu.py boot it to see that each end is recognised, however well our own kernel
; behaves.
bits 32

CONSOLE equ 0x3f8
REPORT equ 0x2e8
DEBUG_EXIT equ 0xf4
MAGIC equ 0xe85250d6

section .text
header:
    dd MAGIC, 0, header_end - header, -(MAGIC + (header_end - header))
    dw 0, 0
    dd 8
header_end:

global _start
_start:
    cld
    mov esp, stack_top
    mov al, 0xff                ; all interrupts masked: after `sti` nothing comes
    out 0x21, al
    out 0xa1, al
    lea edi, [ebx + 8]
.tag:                           ; the boot information's tags, until that of the command line (type 1)
    cmp dword [edi], 1
    je .command_line
    cmp dword [edi], 0
    je powered_off
    mov eax, [edi + 4]
    add eax, 7
    and eax, -8
    add edi, eax
    jmp .tag
.command_line:
    lea esi, [edi + 8]
.word:
    cmp dword [esi], 'end='
    je .found
    inc esi
    cmp byte [esi], 0
    jne .word
    jmp powered_off
.found:
    mov eax, [esi + 4]          ; four letters tell them apart
    cmp eax, 'exit'
    je exited
    cmp eax, 'pani'
    je panicked
    cmp eax, 'test'
    je selftests_failed
    cmp eax, 'trip'
    je triple_fault
    cmp eax, 'dead'
    je dead
    cmp eax, 'idle'
    je idle
    cmp eax, 'stuc'
    je stuck
    cmp eax, 'busy'
    je busy
    cmp eax, 'acpi'
    je acpi
powered_off:
    mov al, 0x10
    out DEBUG_EXIT, al
exited:
    mov esi, exit_text
    call report
    jmp powered_off
panicked:
    mov esi, panic_text
    call report
    mov al, 0x20
    out DEBUG_EXIT, al
selftests_failed:
    mov esi, selftest_text
    call report
    mov al, 0x30
    out DEBUG_EXIT, al
triple_fault:
    lidt [no_table]
    int3
dead:
    cli
    hlt
    jmp dead
idle:
    sti
    hlt
    jmp idle
stuck:
    cli
    jmp $
busy:
    sti
    jmp $
acpi:
    mov esi, exit_text
    call report
    mov dx, 0x604               ; PM1a control: sleep type 0, sleep enable
    mov ax, 0x2000
    out dx, ax
    jmp idle

report:
    mov dx, REPORT
    lodsb
    test al, al
    jz .done
    out dx, al
    jmp report
.done:
    ret

section .rodata
exit_text: db "stat faults 12", 10, "exit 42", 10, 0
panic_text: db "panic all is lost", 10, 0
selftest_text: db "selftest fail 3 4", 10, 0
no_table: dw 0
    dd 0

section .bss
    resb 1024
stack_top:
