; SPDX-License-Identifier: MIT
;
; A boot sector that proves that the machine under it runs 64-bit code: it enters long mode, computes with a
; register wider than 32 bits, touches memory through a page table entry that it has just changed, and ends
; QEMU through isa-debug-exit with value 0x2a (QEMU's status 85). Some hosts offer /dev/kvm and yet fail at
; this.
bits 16
org 0x7c00

PML4 equ 0x1000
PDPT equ 0x2000
PD equ 0x3000

start:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00

    cld
    mov di, PML4                ; clear the three tables
    mov cx, 0x3000 / 2
    rep stosw
    mov dword [PML4], PDPT | 3
    mov dword [PDPT], PD | 3
    mov dword [PD], 0x83        ; 0 to 2 MiB, one large page

    mov eax, PML4
    mov cr3, eax
    mov eax, 1 << 5             ; PAE
    mov cr4, eax
    mov ecx, 0xc0000080         ; EFER
    rdmsr
    or eax, 1 << 8              ; long mode
    wrmsr
    lgdt [gdt_pointer]
    mov eax, cr0
    or eax, 1 << 31 | 1         ; paging and protection at once
    mov cr0, eax
    jmp 8:long_mode

bits 64
long_mode:
    mov rax, 0x123456789abcdef0
    ror rax, 36                 ; rax = 0x89abcdef01234567
    mov rcx, 0x89abcdef01234567
    cmp rax, rcx
    jne failed
    mov qword [PD + 8], 0x83    ; 2 to 4 MiB now shows the first 2 MiB as well
    mov qword [0x8000], rax
    cmp qword [0x208000], rax
    jne failed
    mov al, 0x2a
    out 0xf4, al
failed:
    hlt
    jmp failed

align 8
gdt:
    dq 0
    dq 0x00209a0000000000       ; 64-bit code
gdt_pointer:
    dw $ - gdt - 1
    dd gdt

    times 510 - ($ - $$) db 0
    dw 0xaa55
    times 65536 - ($ - $$) db 0 ; SeaBIOS boots from no disk of a single sector
