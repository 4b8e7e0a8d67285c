// SPDX-License-Identifier: MIT
/*
 * elf.c: maps the segments of a program.
 *
 * A segment is a promise like any other mapping: pages come from the file's page cache at the first touch.
 * Only one page may have to be made at once: the last file page of .data, whose rest is the beginning of
 * .bss and must read as zeroes (System V ABI, Program Loading). What follows of .bss is anonymous memory.
 */
#include "kernel/elf.h"

#include <elf.h>
#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"
#include "mm/zero.h"

#define DYN_BASE 0x555555554000ul    /* where a position-independent program is loaded */
#define PROGRAM_HEADERS_MAX 1024     /* as in Linux, they fit into 64 KiB */

struct program {
    struct aspace *aspace;
    struct pagecache *cache;
    Elf64_Ehdr header;
    Elf64_Phdr *segments;
    vaddr_t bias; /* added to every address in the file */
};

/* Fill `buffer` with n bytes of the file. 0, or an error: a file that is too short is -ENOEXEC. */
static int read_exactly(struct pagecache *cache, uint64_t offset, void *buffer, size_t n)
{
    ssize_type got = pagecache_read(cache, offset, buffer, n);

    if (got < 0)
        return (int)got;
    return (size_t)got == n ? 0 : -ENOEXEC;
}

static bool header_is_good(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS64 &&
           header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_machine == EM_X86_64 &&
           (header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
           header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum > 0 &&
           header->e_phnum <= PROGRAM_HEADERS_MAX;
}

/* Does the segment lie inside the file, and below the room kept for the stack? */
static bool segment_is_good(const struct program *program, const Elf64_Phdr *segment)
{
    uint64_t limit = program->aspace->mmap_top - program->bias;

    return segment->p_filesz <= segment->p_memsz && segment->p_offset <= program->cache->size &&
           segment->p_filesz <= program->cache->size - segment->p_offset &&
           page_offset(segment->p_offset) == page_offset(segment->p_vaddr) && segment->p_vaddr < limit &&
           segment->p_memsz < limit - segment->p_vaddr;
}

/* Read the program headers; the caller frees them. */
static int read_segments(struct program *program)
{
    size_t size = program->header.e_phnum * sizeof(Elf64_Phdr);
    int error;

    program->segments = kmalloc(size);
    if (!program->segments)
        return -ENOMEM;
    error = read_exactly(program->cache, program->header.e_phoff, program->segments, size);
    if (error)
        kfree(program->segments);
    return error;
}

/*
 * The load address of a position-independent program keeps to the largest alignment that a segment asks
 * for.
 */
static vaddr_t choose_bias(const struct program *program)
{
    uint64_t align = PAGE_SIZE;

    if (program->header.e_type == ET_EXEC)
        return 0;
    for (unsigned i = 0; i < program->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &program->segments[i];
        uint64_t wanted = segment->p_type == PT_LOAD ? segment->p_align : 0;

        if ((wanted & (wanted - 1)) == 0 && wanted <= DYN_BASE)
            align = MAX(align, wanted);
    }
    return align_down(DYN_BASE, align);
}

static unsigned segment_prot(const Elf64_Phdr *segment)
{
    return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
           (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

/* A private mapping of [start, end), of the file from `offset` on, or anonymous. */
static int map_range(const struct program *program, vaddr_t start, vaddr_t end, unsigned prot,
                     struct pagecache *cache, uint64_t offset)
{
    struct map_request request = {
        .addr = start,
        .length = end - start,
        .prot = prot,
        .flags = MAP_PRIVATE | MAP_FIXED | (cache ? 0 : MAP_ANONYMOUS),
        .cache = cache,
        .offset = offset,
    };
    int64_t mapped;

    if (start == end)
        return 0;
    mapped = aspace_map(program->aspace, &request);
    if (mapped < 0)
        return mapped == -ENOMEM ? -ENOMEM : -ENOEXEC; /* -EPERM: a segment in page 0 */
    return 0;
}

static int map_segment(const struct program *program, const Elf64_Phdr *segment)
{
    vaddr_t start = program->bias + segment->p_vaddr, file_end = start + segment->p_filesz;
    vaddr_t file_pages_end = segment->p_filesz ? page_up(file_end) : page_down(start);
    vaddr_t end = start + segment->p_memsz;
    unsigned prot = segment_prot(segment);
    int error;

    error = map_range(program, page_down(start), file_pages_end, prot, program->cache,
                      page_down(segment->p_offset));
    if (error)
        return error;
    if (segment->p_filesz && end > file_end && file_pages_end > file_end && (prot & PROT_WRITE)) {
        const void *zeroes = frame_address(zero_frame());

        if (aspace_write(program->aspace, file_end, zeroes, file_pages_end - file_end))
            return -ENOMEM; /* the segment lies in the file, so only memory can be lacking */
    }
    return end > file_pages_end ? map_range(program, file_pages_end, page_up(end), prot, NULL, 0) : 0;
}

/* Extend the layout that /proc/PID/stat shows by this segment; returns where its memory ends. */
static vaddr_t note_layout(const struct program *program, const Elf64_Phdr *segment)
{
    struct aspace *aspace = program->aspace;
    vaddr_t start = program->bias + segment->p_vaddr, file_end = start + segment->p_filesz;

    if (!aspace->code_start || start < aspace->code_start)
        aspace->code_start = start;
    if (segment->p_flags & PF_X)
        aspace->code_end = MAX(aspace->code_end, file_end);
    aspace->data_start = MAX(aspace->data_start, start);
    aspace->data_end = MAX(aspace->data_end, file_end);
    return start + segment->p_memsz;
}

/* Where the program headers lie in memory: in the segment that holds their place in the file. */
static vaddr_t find_phdr(const struct program *program)
{
    uint64_t offset = program->header.e_phoff;

    for (unsigned i = 0; i < program->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &program->segments[i];

        if (segment->p_type == PT_LOAD && segment->p_offset <= offset &&
            offset - segment->p_offset < segment->p_filesz)
            return program->bias + segment->p_vaddr + (offset - segment->p_offset);
    }
    return 0;
}

/* Map every PT_LOAD, then place the break behind them. */
static int map_segments(struct program *program, struct elf_image *image)
{
    vaddr_t end = 0;

    program->bias = choose_bias(program);
    for (unsigned i = 0; i < program->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &program->segments[i];
        int error = 0;

        if (segment->p_type == PT_INTERP) {
            log_info("exec: the program wants a dynamic linker: not built");
            return -ENOENT;
        }
        if (segment->p_type == PT_GNU_STACK)
            image->stack_executable = segment->p_flags & PF_X;
        if (segment->p_type != PT_LOAD || !segment->p_memsz)
            continue;
        error = segment_is_good(program, segment) ? map_segment(program, segment) : -ENOEXEC;
        if (error)
            return error;
        end = MAX(end, note_layout(program, segment));
    }
    if (!end)
        return -ENOEXEC;
    aspace_set_brk(program->aspace, page_up(end));
    return 0;
}

int elf_map(struct aspace *aspace, struct pagecache *cache, struct elf_image *image)
{
    struct program program = { .aspace = aspace, .cache = cache };
    int error = read_exactly(cache, 0, &program.header, sizeof(program.header));

    if (error)
        return error;
    if (!header_is_good(&program.header))
        return -ENOEXEC;
    error = read_segments(&program);
    if (error)
        return error;
    *image = (struct elf_image){ .phnum = program.header.e_phnum };
    error = map_segments(&program, image);
    image->entry = program.bias + program.header.e_entry;
    image->phdr = find_phdr(&program);
    kfree(program.segments);
    return error;
}
