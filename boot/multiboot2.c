// SPDX-License-Identifier: MIT
/*
 * multiboot2.c: reads the boot information (Multiboot2 Specification 2.0, section 3.6): a size, then tags,
 * each aligned to 8 bytes, until a tag of type 0.
 */
#include <elf.h>

#include "arch/x86_64/directmap.h"
#include "boot/bootinfo.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

enum tag_type { TAG_END = 0, TAG_COMMAND_LINE = 1, TAG_MODULE = 3, TAG_MEMORY_MAP = 6, TAG_ELF_SECTIONS = 9 };

struct tag {
    uint32_t type, size;
};

struct tag_string {
    struct tag tag;
    char text[];
};

struct tag_module {
    struct tag tag;
    uint32_t start, end;
    char command_line[];
};

#define MEMORY_AVAILABLE 1

struct memory_entry {
    uint64_t start, length;
    uint32_t type, reserved;
};

struct tag_memory_map {
    struct tag tag;
    uint32_t entry_size, entry_version;
    char entries[];
};

struct tag_elf_sections {
    struct tag tag;
    uint32_t count, entry_size, names_index;
    char headers[];
};

static const struct tag *tag_first(paddr_t paddr)
{
    return (const struct tag *)((const char *)direct_address(paddr) + 8);
}

static const struct tag *tag_next(const struct tag *tag)
{
    BUG_ON(tag->size < sizeof(*tag), "boot information: a tag of type %u has size %u", tag->type, tag->size);
    return (const struct tag *)((const char *)tag + align_up(tag->size, 8));
}

/* The first tag of this type, or NULL. */
static const struct tag *tag_find(paddr_t paddr, enum tag_type type)
{
    for (const struct tag *tag = tag_first(paddr); tag->type != TAG_END; tag = tag_next(tag))
        if (tag->type == type)
            return tag;
    return NULL;
}

static const Elf64_Shdr *section_at(const struct tag_elf_sections *sections, uint32_t index)
{
    return (const Elf64_Shdr *)(sections->headers + (size_t)index * sections->entry_size);
}

/*
 * GRUB loads the sections that have no address of their own, too, and writes into the header where they
 * lie.
 */
static void read_symbols(const struct tag_elf_sections *sections, struct bootinfo *info)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        const Elf64_Shdr *header = section_at(sections, i);
        if (header->sh_type != SHT_SYMTAB || header->sh_link >= sections->count || !header->sh_addr)
            continue;
        const Elf64_Shdr *strings = section_at(sections, header->sh_link);
        info->symbols = (struct boot_range){ header->sh_addr, header->sh_size };
        info->strings = (struct boot_range){ strings->sh_addr, strings->sh_size };
        return;
    }
}

void bootinfo_read(paddr_t paddr, struct bootinfo *info)
{
    *info = (struct bootinfo){ .command_line = "" };
    const struct tag *tag = tag_find(paddr, TAG_COMMAND_LINE);
    if (tag)
        info->command_line = ((const struct tag_string *)tag)->text;
    tag = tag_find(paddr, TAG_MODULE);
    if (tag) {
        const struct tag_module *module = (const struct tag_module *)tag;
        info->archive = (struct boot_range){ module->start, module->end - module->start };
    }
    tag = tag_find(paddr, TAG_ELF_SECTIONS);
    if (tag)
        read_symbols((const struct tag_elf_sections *)tag, info);
}

void bootinfo_for_each_ram(paddr_t paddr, void (*ram)(paddr_t start, paddr_t end))
{
    const struct tag_memory_map *map = (const struct tag_memory_map *)tag_find(paddr, TAG_MEMORY_MAP);
    if (!map)
        panic("the boot loader gave no memory map");
    const char *end = (const char *)map + map->tag.size;
    BUG_ON(map->entry_size < sizeof(struct memory_entry), "memory map entries of %u bytes", map->entry_size);
    for (const char *at = map->entries; at + map->entry_size <= end; at += map->entry_size) {
        const struct memory_entry *entry = (const struct memory_entry *)at;
        if (entry->type == MEMORY_AVAILABLE && entry->length)
            ram(entry->start, entry->start + entry->length);
    }
}
