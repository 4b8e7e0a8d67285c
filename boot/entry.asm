; SPDX-License-Identifier: MIT
;
; entry.asm: from GRUB's 32-bit protected mode to C in 64-bit mode.
;
; GRUB enters boot_entry with paging off, interrupts off, EAX = multiboot2's magic and EBX = the physical
; address of the boot information (Multiboot2 Specification, section 3.3). The boot tables made here show
; the first 4 GiB three times: at 0 (where this code runs), at DIRECT_MAP_START and, its first 2 GiB, at
; KERNEL_IMAGE_START. They are writable and executable throughout, and live only until kernel_map_load().

KERNEL_BASE equ 0xffffffff80000000
%define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

MULTIBOOT2_MAGIC equ 0x36d76289

PAGE_PRESENT equ 1 << 0
PAGE_WRITE   equ 1 << 1
PAGE_LARGE   equ 1 << 7

CR0_PG   equ 1 << 31
CR0_WP   equ 1 << 16
CR4_PAE  equ 1 << 5
MSR_EFER equ 0xc0000080
EFER_SCE equ 1 << 0
EFER_LME equ 1 << 8
EFER_NXE equ 1 << 11

CPUID_LONG_MODE equ 1 << 29 ; of 0x80000001:EDX
CPUID_NX        equ 1 << 20

BOOT_GIGABYTES  equ 4
BOOT_STACK_SIZE equ 16384

global boot_entry
global boot_stack_guard
extern boot_start

section .boot progbits alloc exec nowrite align=16
bits 32

boot_entry:
    cld
    mov esp, PHYSICAL(boot_stack_top)
    mov ecx, eax
    rdtsc
    mov [PHYSICAL(boot_tsc)], eax
    mov [PHYSICAL(boot_tsc) + 4], edx
    mov eax, ecx
    mov esi, message_magic
    cmp eax, MULTIBOOT2_MAGIC
    jne boot_refuse
    call check_cpu
    call make_tables

    mov eax, PHYSICAL(boot_root)
    mov cr3, eax
    mov eax, cr4
    or eax, CR4_PAE
    mov cr4, eax
    mov ecx, MSR_EFER
    rdmsr
    or eax, EFER_SCE | EFER_LME | EFER_NXE
    wrmsr
    mov eax, cr0
    or eax, CR0_PG | CR0_WP
    mov cr0, eax

    lgdt [boot_gdt_pointer]
    jmp 0x08:enter_long_mode

; The CPU must know long mode and no-execute pages.
check_cpu:
    push ebx
    mov esi, message_cpu
    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000001
    jb boot_refuse
    mov eax, 0x80000001
    cpuid
    test edx, CPUID_LONG_MODE
    jz boot_refuse
    test edx, CPUID_NX
    jz boot_refuse
    pop ebx
    ret

; One directory of 2 MiB pages a gigabyte, and one upper table for all three views.
make_tables:
    mov edi, PHYSICAL(boot_directories)
    mov eax, PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE
    xor edx, edx
    mov ecx, 512 * BOOT_GIGABYTES
.large_page:
    mov [edi], eax
    mov [edi + 4], edx
    add edi, 8
    add eax, 1 << 21
    adc edx, 0
    loop .large_page

    mov edi, PHYSICAL(boot_low)
    mov eax, PHYSICAL(boot_directories) + (PAGE_PRESENT | PAGE_WRITE)
    mov ecx, BOOT_GIGABYTES
.directory:
    mov [edi], eax
    add edi, 8
    add eax, 4096
    loop .directory

    ; The last 2 GiB of the address space are entries 510 and 511 of the table under root entry 511.
    mov eax, PHYSICAL(boot_directories) + (PAGE_PRESENT | PAGE_WRITE)
    mov [PHYSICAL(boot_high) + 510 * 8], eax
    add eax, 4096
    mov [PHYSICAL(boot_high) + 511 * 8], eax

    mov eax, PHYSICAL(boot_low) + (PAGE_PRESENT | PAGE_WRITE)
    mov [PHYSICAL(boot_root)], eax
    mov [PHYSICAL(boot_root) + 256 * 8], eax
    mov eax, PHYSICAL(boot_high) + (PAGE_PRESENT | PAGE_WRITE)
    mov [PHYSICAL(boot_root) + 511 * 8], eax
    ret

; Say on the first serial port why it cannot go on (ESI: text), and stop.
boot_refuse:
    mov edx, 0x3f8 + 5
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    lodsb
    test al, al
    jz .halt
    mov edx, 0x3f8
    out dx, al
    mov edx, 0x3f8 + 5
    jmp .wait
.halt:
    cli
    hlt
    jmp .halt

message_magic: db "Lazybones: not started by a multiboot2 boot loader", 13, 10, 0
message_cpu:   db "Lazybones: this CPU has no long mode or no no-execute pages", 13, 10, 0

align 8
boot_gdt:
    dq 0
    dq 0x00af9a000000ffff ; 0x08: 64-bit code
    dq 0x00cf92000000ffff ; 0x10: data
boot_gdt_end:
boot_gdt_pointer:
    dw boot_gdt_end - boot_gdt - 1
    dd boot_gdt

section .data

; The time-stamp counter when the kernel was entered: scripts/bench_linux.py reads it to tell what a boot takes.
align 8
boot_tsc: dq 0

section .boot
bits 64
enter_long_mode:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rax, enter_high
    jmp rax

section .text
enter_high:
    mov rsp, boot_stack_top
    xor ebp, ebp ; ends backtraces
    mov edi, ebx
    call boot_start
    ud2

section .bss.pages nobits alloc noexec write align=4096
boot_root:        resb 4096
boot_low:         resb 4096
boot_high:        resb 4096
boot_directories: resb 4096 * BOOT_GIGABYTES

boot_stack_guard: resb 4096 ; not mapped by the kernel's own tables
    resb BOOT_STACK_SIZE
boot_stack_top:
