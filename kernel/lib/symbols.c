// SPDX-License-Identifier: MIT
/*
 * symbols.c: a linear search through the symbol table: only a panic asks.
 */
#include "kernel/lib/symbols.h"

#include <elf.h>

static const Elf64_Sym *symbols;
static size_t symbol_count;
static const char *names;
static size_t names_size;

extern char text_start[], text_end[]; /* linker.ld */

void symbols_init(const void *table, size_t table_size, const char *strings, size_t strings_size)
{
    /* Names are used as C strings, so the last one must end. */
    if (!strings_size || strings[strings_size - 1])
        return;
    symbols = table;
    symbol_count = table_size / sizeof(*symbols);
    names = strings;
    names_size = strings_size;
}

/* A function, or a label of assembly code that is not local to a function. */
static bool is_function(const Elf64_Sym *symbol)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (symbol->st_name >= names_size || symbol->st_value < (uint64_t)text_start)
        return false;
    const char *name = names + symbol->st_name;
    for (const char *c = name; *c; c++)
        if (type == STT_NOTYPE && *c == '.')
            return false;
    return *name && (type == STT_FUNC || type == STT_NOTYPE);
}

const char *symbols_find(uint64_t address, uint64_t *offset)
{
    const Elf64_Sym *best = NULL;
    if (address < (uint64_t)text_start || address >= (uint64_t)text_end)
        return NULL;
    for (const Elf64_Sym *symbol = symbols; symbol < symbols + symbol_count; symbol++) {
        bool nearer = symbol->st_value <= address && (!best || symbol->st_value > best->st_value);
        if (nearer && is_function(symbol))
            best = symbol;
    }
    if (!best)
        return NULL;
    *offset = address - best->st_value;
    return names + best->st_name;
}
