; SPDX-License-Identifier: MIT
;
; header.asm: what tells GRUB that this is a multiboot2 kernel (Multiboot2 Specification 2.0, section 3.1).

MAGIC        equ 0xe85250d6
ARCHITECTURE equ 0 ; 32-bit protected mode of i386

TAG_END              equ 0
TAG_INFORMATION      equ 1
TAG_MODULE_ALIGNMENT equ 6

INFO_COMMAND_LINE equ 1
INFO_MODULE       equ 3
INFO_MEMORY_MAP   equ 6
INFO_ELF_SECTIONS equ 9

section .multiboot2 progbits alloc noexec nowrite align=8

header:
    dd MAGIC
    dd ARCHITECTURE
    dd header_end - header
    dd 0x100000000 - (MAGIC + ARCHITECTURE + (header_end - header))

    ; GRUB refuses to boot us when it cannot tell these.
    align 8
information:
    dw TAG_INFORMATION, 0
    dd information_end - information
    dd INFO_COMMAND_LINE, INFO_MODULE, INFO_MEMORY_MAP, INFO_ELF_SECTIONS
information_end:

    ; Modules start on page borders.
    align 8
    dw TAG_MODULE_ALIGNMENT, 0
    dd 8

    align 8
    dw TAG_END, 0
    dd 8
header_end:
