// SPDX-License-Identifier: MIT
/*
 * elf.c: maps the segments of a program, and of the dynamic linker that it asks for.
 *
 * A segment is a promise like any other mapping: pages come from the file's page cache at the first touch.
 * Only one page may have to be made at once: the last file page of .data, whose rest is the beginning of
 * .bss and must read as zeroes (System V ABI, Program Loading). What follows of .bss is anonymous memory.
 */
#include "kernel/elf.h"

#include <elf.h>
#include <linux/limits.h>
#include <linux/mman.h>

#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"
#include "mm/zero.h"

#define DYN_BASE 0x555555554000ul    /* where a position-independent program is loaded */
#define PROGRAM_HEADERS_MAX 1024     /* as in Linux, they fit into 64 KiB */

/* A file being mapped: the program, or its dynamic linker. */
struct object {
    struct aspace *aspace;
    struct pagecache *cache;
    Elf64_Ehdr header;
    Elf64_Phdr *segments;
    vaddr_t bias; /* added to every address in the file */
};

/* Fill `buffer` with n bytes of the file. 0, or an error: a file that is too short is -EIO. */
static int read_exactly(struct pagecache *cache, uint64_t offset, void *buffer, size_t n)
{
    ssize_type got = pagecache_read(cache, offset, buffer, n);

    if (got < 0)
        return (int)got;
    return (size_t)got == n ? 0 : -EIO;
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
static bool segment_is_good(const struct object *object, const Elf64_Phdr *segment)
{
    uint64_t limit = object->aspace->mmap_top - object->bias;

    return segment->p_filesz <= segment->p_memsz && segment->p_offset <= object->cache->size &&
           segment->p_filesz <= object->cache->size - segment->p_offset &&
           page_offset(segment->p_offset) == page_offset(segment->p_vaddr) && segment->p_vaddr < limit &&
           segment->p_memsz <= limit - segment->p_vaddr;
}

/*
 * Read ELF header and program headers; the caller frees the latter. -EIO: the file ends within the ELF
 * header.
 */
static int read_headers(struct object *object)
{
    int error = read_exactly(object->cache, 0, &object->header, sizeof(object->header));
    size_t size;

    if (error)
        return error;
    if (!header_is_good(&object->header))
        return -ENOEXEC;
    size = object->header.e_phnum * sizeof(Elf64_Phdr);
    object->segments = kmalloc(size);
    if (!object->segments)
        return -ENOMEM;
    error = read_exactly(object->cache, object->header.e_phoff, object->segments, size);
    if (error)
        kfree(object->segments);
    return error == -EIO ? -ENOEXEC : error;
}

/*
 * The load address of a position-independent program keeps to the largest alignment that a segment asks
 * for.
 */
static vaddr_t choose_bias(const struct object *object)
{
    uint64_t align = PAGE_SIZE;

    if (object->header.e_type == ET_EXEC)
        return 0;
    for (unsigned i = 0; i < object->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &object->segments[i];
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
static int map_range(const struct object *object, vaddr_t start, vaddr_t end, unsigned prot,
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
    mapped = aspace_map(object->aspace, &request);
    if (mapped < 0)
        return mapped == -ENOMEM ? -ENOMEM : -ENOEXEC; /* -EPERM: a segment in page 0 */
    return 0;
}

static int map_segment(const struct object *object, const Elf64_Phdr *segment)
{
    vaddr_t start = object->bias + segment->p_vaddr, file_end = start + segment->p_filesz;
    vaddr_t file_pages_end = segment->p_filesz ? page_up(file_end) : page_down(start);
    vaddr_t end = start + segment->p_memsz;
    unsigned prot = segment_prot(segment);
    int error;

    error = map_range(object, page_down(start), file_pages_end, prot, object->cache,
                      page_down(segment->p_offset));
    if (error)
        return error;
    if (segment->p_filesz && end > file_end && file_pages_end > file_end && (prot & PROT_WRITE)) {
        const void *zeroes = frame_address(zero_frame());

        if (aspace_write(object->aspace, file_end, zeroes, file_pages_end - file_end))
            return -ENOMEM; /* the segment lies in the file, so only memory can be lacking */
    }
    return end > file_pages_end ? map_range(object, file_pages_end, page_up(end), prot, NULL, 0) : 0;
}

static bool is_loaded(const Elf64_Phdr *segment) { return segment->p_type == PT_LOAD && segment->p_memsz; }

/* Map every PT_LOAD. 0, -ENOEXEC (one is not good, or there is none), -ENOMEM, -EIO. */
static int map_segments(const struct object *object)
{
    unsigned count = 0;

    for (unsigned i = 0; i < object->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &object->segments[i];
        int error;

        if (!is_loaded(segment))
            continue;
        error = segment_is_good(object, segment) ? map_segment(object, segment) : -ENOEXEC;
        if (error)
            return error;
        count++;
    }
    return count ? 0 : -ENOEXEC;
}

/* Extend the layout that /proc/PID/stat shows by this segment; returns where its memory ends. */
static vaddr_t note_segment(const struct object *object, const Elf64_Phdr *segment)
{
    struct aspace *aspace = object->aspace;
    vaddr_t start = object->bias + segment->p_vaddr, file_end = start + segment->p_filesz;

    if (!aspace->code_start || start < aspace->code_start)
        aspace->code_start = start;
    if (segment->p_flags & PF_X)
        aspace->code_end = MAX(aspace->code_end, file_end);
    aspace->data_start = MAX(aspace->data_start, start);
    aspace->data_end = MAX(aspace->data_end, file_end);
    return start + segment->p_memsz;
}

/* The program's layout; the break comes behind its segments. */
static void note_layout(const struct object *program)
{
    vaddr_t end = 0;

    for (unsigned i = 0; i < program->header.e_phnum; i++)
        if (is_loaded(&program->segments[i]))
            end = MAX(end, note_segment(program, &program->segments[i]));
    aspace_set_brk(program->aspace, page_up(end));
}

/* Where the program headers lie in memory: in the segment that holds their place in the file. */
static vaddr_t find_phdr(const struct object *object)
{
    uint64_t offset = object->header.e_phoff;

    for (unsigned i = 0; i < object->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &object->segments[i];

        if (segment->p_type == PT_LOAD && segment->p_offset <= offset &&
            offset - segment->p_offset < segment->p_filesz)
            return object->bias + segment->p_vaddr + (offset - segment->p_offset);
    }
    return 0;
}

/* The path in a PT_INTERP, allocated. 0, -ENOEXEC, -ENOMEM, -EIO. */
static int read_linker_path(const struct object *program, const Elf64_Phdr *segment, char **path)
{
    size_t size = segment->p_filesz;
    int error;

    if (size < 2 || size > PATH_MAX)
        return -ENOEXEC;
    *path = kmalloc(size);
    if (!*path)
        return -ENOMEM;
    error = read_exactly(program->cache, segment->p_offset, *path, size);
    if (!error && (*path)[size - 1])
        error = -ENOEXEC;
    if (error) {
        kfree(*path);
        *path = NULL;
    }
    return error;
}

/* What the program asks for besides memory: a stack that code may run on, a dynamic linker (the first). */
static int read_wishes(const struct object *program, struct elf_image *image)
{
    for (unsigned i = 0; i < program->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &program->segments[i];
        int error = 0;

        if (segment->p_type == PT_GNU_STACK)
            image->stack_executable = segment->p_flags & PF_X;
        if (segment->p_type == PT_INTERP && !image->linker)
            error = read_linker_path(program, segment, &image->linker);
        if (error)
            return error;
    }
    return 0;
}

int elf_map(struct aspace *aspace, struct pagecache *cache, struct elf_image *image)
{
    struct object program = { .aspace = aspace, .cache = cache };
    int error = read_headers(&program);

    if (error)
        return error == -EIO ? -ENOEXEC : error;
    *image = (struct elf_image){ .phnum = program.header.e_phnum };
    program.bias = choose_bias(&program);
    error = map_segments(&program);
    if (!error)
        error = read_wishes(&program, image);
    if (!error)
        note_layout(&program);
    image->start = image->entry = program.bias + program.header.e_entry;
    image->phdr = find_phdr(&program);
    kfree(program.segments);
    return error;
}

/*
 * Where the dynamic linker goes: into the highest gap that holds it whole, as mmap would choose. The gap is
 * found by a mapping that is given back at once. A linker with addresses of its own keeps them. 0, -ENOEXEC,
 * -ENOMEM.
 */
static int place_linker(struct object *linker)
{
    vaddr_t low = ~0ul, high = 0;
    int64_t place;

    for (unsigned i = 0; i < linker->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &linker->segments[i];

        if (is_loaded(segment) && !segment_is_good(linker, segment))
            return -ENOEXEC;
        if (is_loaded(segment)) {
            low = MIN(low, page_down(segment->p_vaddr));
            high = MAX(high, page_up(segment->p_vaddr + segment->p_memsz));
        }
    }
    if (linker->header.e_type == ET_EXEC || low >= high)
        return 0;
    place = aspace_map(linker->aspace, &(struct map_request){
        .length = high - low, .prot = PROT_NONE, .flags = MAP_PRIVATE | MAP_ANONYMOUS });
    if (place < 0)
        return -ENOMEM;
    linker->bias = (vaddr_t)place - low;
    return aspace_unmap(linker->aspace, (vaddr_t)place, high - low);
}

int elf_map_linker(struct aspace *aspace, struct pagecache *cache, struct elf_image *image)
{
    struct object linker = { .aspace = aspace, .cache = cache };
    int error = read_headers(&linker);

    if (error)
        return error == -ENOEXEC ? -ELIBBAD : error;
    error = place_linker(&linker);
    if (!error)
        error = map_segments(&linker);
    image->base = linker.bias;
    image->start = linker.bias + linker.header.e_entry;
    kfree(linker.segments);
    return error == -ENOEXEC ? -ELIBBAD : error;
}
