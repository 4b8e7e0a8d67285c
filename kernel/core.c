// SPDX-License-Identifier: MIT
/*
 * core.c: core files (core(5)): the memory and the registers of a process that a signal ends, as an ELF file.
 *
 *      header | program headers: notes, then one a VMA | notes | memory, VMA after VMA
 *
 * Written is what nobody can find elsewhere: private mappings that have been written to (or may have, where a file lies
 * below), shared anonymous memory, and the first pages of ELF files; else nothing (Linux's default coredump_filter).
 * Pages that were never touched are not made for it: they stay holes in the file, and so do those that the program itself
 * could not read. A file larger than RLIMIT_CORE is cut there. Who shares the memory may change it meanwhile; nothing worse
 * than a wrong byte or a hole comes of it.
 */
#include "kernel/core.h"

#include <linux/elf.h>
#include <linux/mman.h>

#include "kernel/fs/file.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define SIGNALS_WITH_CORE                                                                                        \
    (signal_bit(SIGQUIT) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGABRT) | signal_bit(SIGBUS) | \
     signal_bit(SIGFPE) | signal_bit(SIGSEGV) | signal_bit(SIGXCPU) | signal_bit(SIGXFSZ) | signal_bit(SIGSYS))

/* ---- notes: no header tells them, so they are told here, as <sys/procfs.h> has them ---- */

struct prstatus {
    int32_t signo, code, error;
    int16_t cursig;
    uint64_t pending, blocked;
    int32_t pid, ppid, pgrp, sid;
    uint64_t times[8];
    uint64_t regs[27]; /* struct user_regs_struct */
    int32_t fpu_valid;
};
_Static_assert(sizeof(struct prstatus) == 336, "as debuggers know it");

struct prpsinfo {
    char state, sname, zombie, nice;
    uint64_t flags;
    uint32_t uid, gid;
    int32_t pid, ppid, pgrp, sid;
    char name[16];
    char arguments[80];
};
_Static_assert(sizeof(struct prpsinfo) == 136, "as debuggers know it");

#define FPU_LEGACY_SIZE 512 /* of the FXSAVE area (SDM vol. 1, 10.5.1), with which every saved state begins */

struct note_head {
    Elf64_Nhdr head;
    char name[8];
};
_Static_assert(sizeof(struct note_head) == 20, "four bytes aligned");

struct notes {
    struct note_head status_head;
    struct prstatus status;
    struct note_head process_head;
    struct prpsinfo process;
    struct note_head fpu_head;
    uint8_t fpu[FPU_LEGACY_SIZE];
    struct note_head auxv_head; /* what it heads is copied from user memory */
} __attribute__((packed));

static struct note_head head_of(unsigned type, size_t size)
{
    return (struct note_head){ { .n_namesz = 5, .n_descsz = (uint32_t)size, .n_type = type }, "CORE" };
}

static int parent_pid(const struct process *process)
{
    bool irq = spin_lock_irq(&process_lock);
    int pid = process->leader->parent ? process->leader->parent->pid : 0;

    spin_unlock_irq(&process_lock, irq);
    return pid;
}

static struct prstatus status_of(const struct process *process, int signal)
{
    const struct trapframe *r = process->user;

    return (struct prstatus){
        .signo = signal,
        .cursig = (int16_t)signal,
        .pending = process->signals->own.mask,
        .blocked = process->signals->blocked,
        .pid = process->pid,
        .ppid = parent_pid(process),
        .pgrp = process->leader->pgid,
        .sid = process->leader->sid,
        .regs = { r->r15, r->r14, r->r13, r->r12, r->rbp, r->rbx, r->r11, r->r10, r->r9, r->r8, r->rax, r->rcx, r->rdx,
                  r->rsi, r->rdi, r->vector == TRAP_SYSCALL ? r->error : UINT64_MAX, r->rip, r->cs, r->rflags, r->rsp, r->ss,
                  process->fs_base, process->gs_base },
        .fpu_valid = 1,
    };
}

static struct prpsinfo info_of(const struct process *process)
{
    struct prpsinfo info = {
        .sname = 'R',
        .nice = (char)process->nice,
        .uid = process->credentials.user.real,
        .gid = process->credentials.group.real,
        .pid = process->leader->pid,
        .ppid = parent_pid(process),
        .pgrp = process->leader->pgid,
        .sid = process->leader->sid,
    };

    string_copy(info.name, process->name, sizeof(info.name));
    string_copy(info.arguments, process->name, sizeof(info.arguments));
    return info;
}

/* ---- the file ---- */

struct core_vma {
    vaddr_t start, end;
    unsigned prot;
    bool is_file;
    uint64_t written; /* bytes of it that the file has */
};

struct core {
    struct file *file;
    uint64_t limit; /* bytes */
    struct core_vma *vmas;
    unsigned count;
    size_t auxv_size;
    struct notes notes;
};

/* False: the limit is reached, or the file takes no more. */
static bool put(struct core *core, struct buffer from, uint64_t offset)
{
    if (from.length > core->limit || offset > core->limit - from.length)
        return false;
    return file_write_at(core->file, &from, offset) == (ssize_type)from.length;
}

static bool put_kernel(struct core *core, void *from, size_t size, uint64_t offset)
{
    return put(core, buffer_kernel(from, size), offset);
}

static uint64_t notes_offset(const struct core *core)
{
    return sizeof(Elf64_Ehdr) + (core->count + 1) * sizeof(Elf64_Phdr);
}

static uint64_t notes_size(const struct core *core) { return sizeof(core->notes) + core->auxv_size; }

static bool put_header(struct core *core)
{
    Elf64_Ehdr header = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (Elf64_Half)(core->count + 1),
    };

    return put_kernel(core, &header, sizeof(header), 0);
}

static bool put_program_headers(struct core *core)
{
    Elf64_Phdr header = { .p_type = PT_NOTE, .p_offset = notes_offset(core), .p_filesz = notes_size(core) };
    uint64_t at = sizeof(Elf64_Ehdr), data = page_up(notes_offset(core) + notes_size(core));

    for (unsigned i = 0; put_kernel(core, &header, sizeof(header), at); i++) {
        const struct core_vma *vma = &core->vmas[i];

        if (i == core->count)
            return true;
        at += sizeof(header);
        header = (Elf64_Phdr){
            .p_type = PT_LOAD,
            .p_flags = (vma->prot & PROT_READ ? PF_R : 0) | (vma->prot & PROT_WRITE ? PF_W : 0) |
                       (vma->prot & PROT_EXEC ? PF_X : 0),
            .p_offset = data,
            .p_vaddr = vma->start,
            .p_filesz = vma->written,
            .p_memsz = vma->end - vma->start,
            .p_align = PAGE_SIZE,
        };
        data += header.p_filesz;
    }
    return false;
}

static bool put_notes(struct core *core)
{
    uint64_t at = notes_offset(core);

    return put_kernel(core, &core->notes, sizeof(core->notes), at) &&
           put(core, buffer_user(current()->aspace->auxv_start, core->auxv_size), at + sizeof(core->notes));
}

/* One page of user memory. What cannot be read stays a hole. False: the file takes no more. */
static bool put_page(struct core *core, vaddr_t page, uint64_t offset)
{
    struct buffer from = buffer_user(page, PAGE_SIZE);
    ssize_type put = file_write_at(core->file, &from, offset);

    return put == PAGE_SIZE || put == -EFAULT;
}

/* A VMA's pages: those that are there, and all of a file, since its pages can be had. False: the file is full. */
static bool put_pages(struct core *core, const struct core_vma *vma, uint64_t offset)
{
    unsigned char in_core[256];

    for (vaddr_t at = vma->start, end = at + vma->written; at < end;) {
        uint64_t wanted = MIN((end - at) >> PAGE_SHIFT, sizeof(in_core));
        int64_t count = aspace_in_core(current()->aspace, at, wanted, in_core);

        if (count <= 0 || !long_call_goes_on())
            return false;
        for (int64_t i = 0; i < count; i++, at += PAGE_SIZE, offset += PAGE_SIZE) {
            if (offset + PAGE_SIZE > core->limit)
                return false;
            if ((in_core[i] || vma->is_file) && !put_page(core, at, offset))
                return false;
        }
    }
    return true;
}

static void put_memory(struct core *core)
{
    uint64_t offset = page_up(notes_offset(core) + notes_size(core));

    for (unsigned i = 0; i < core->count; i++) {
        const struct core_vma *vma = &core->vmas[i];

        if (!put_pages(core, vma, offset))
            return;
        offset += vma->written;
    }
    if (offset <= core->limit) /* what comes last may be a hole */
        (void)!core->file->inode->ops->truncate(core->file->inode, offset);
}

/* ---- what goes into it ---- */

static bool is_written_locked(struct aspace *aspace, const struct vma *vma)
{
    if (vma->flags & VMA_DONTDUMP)
        return false;
    if (vma->flags & VMA_SHARED)
        return vma->cache->name != NULL; /* it has no path */
    return (vma->cache && vma->prot & PROT_WRITE) || vma_has_private_pages_locked(aspace, vma);
}

/* A program's or a library's first page goes along: by its headers a debugger finds out which one is loaded where. */
static bool has_elf_header(const struct core_vma *vma)
{
    char magic[SELFMAG];

    return !copy_from_user(magic, vma->start, SELFMAG) && !memcmp(magic, ELFMAG, SELFMAG);
}

static void add_vma_locked(struct core *core, struct aspace *aspace, const struct vma *vma)
{
    core->vmas[core->count++] = (struct core_vma){
        .start = vma->start,
        .end = vma->end,
        .prot = vma->prot,
        .is_file = vma->cache && !vma->cache->name,
        .written = is_written_locked(aspace, vma) ? vma->end - vma->start : 0,
    };
}

/* A list of all VMAs, as they are now. False: there are more than the file's header can count, or memory is out. */
static bool list_vmas(struct core *core, struct aspace *aspace)
{
    struct vma *vma;
    unsigned room = aspace->vmas.count;

    core->vmas = room + 1 < PN_XNUM ? kmalloc(room * sizeof(core->vmas[0])) : NULL;
    if (!core->vmas)
        return false;
    mutex_lock(&aspace->lock);
    TAILQ_FOREACH(vma, &aspace->vmas.list, link)
        if (core->count < room)
            add_vma_locked(core, aspace, vma);
    mutex_unlock(&aspace->lock);
    for (unsigned i = 0; i < core->count; i++)
        if (core->vmas[i].is_file && !core->vmas[i].written && has_elf_header(&core->vmas[i]))
            core->vmas[i].written = PAGE_SIZE;
    return true;
}

static void make_notes(struct core *core, struct process *process, int signal)
{
    struct notes *notes = &core->notes;

    core->auxv_size = process->aspace->auxv_end - process->aspace->auxv_start;
    notes->status_head = head_of(NT_PRSTATUS, sizeof(notes->status));
    notes->process_head = head_of(NT_PRPSINFO, sizeof(notes->process));
    notes->fpu_head = head_of(NT_PRFPREG, sizeof(notes->fpu));
    notes->auxv_head = head_of(NT_AUXV, core->auxv_size);
    notes->status = status_of(process, signal);
    notes->process = info_of(process);
    fpu_save(process->fpu);
    memcpy(notes->fpu, process->fpu, sizeof(notes->fpu));
}

/* What has the name already goes, so that nobody who holds it can read along or have it written elsewhere. */
static int open_core(struct core *core)
{
    (void)file_unlink_path(CORE_NAME);
    return file_open_path(CORE_NAME, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_LARGEFILE, 0600, &core->file);
}

/* True: a core was written, or what of it RLIMIT_CORE allows. */
static bool write_core(struct process *process, int signal)
{
    struct core *core = kmalloc(sizeof(*core));
    bool is_written = false;

    if (!core)
        return false;
    *core = (struct core){ .limit = process->leader->limits[RLIMIT_CORE].rlim_cur };
    if (list_vmas(core, process->aspace) && !open_core(core)) {
        is_written = true;
        make_notes(core, process, signal);
        if (put_header(core) && put_program_headers(core) && put_notes(core))
            put_memory(core);
        file_put(core->file);
    }
    kfree(core->vmas);
    kfree(core);
    return is_written;
}

int core_wait_status(int signal)
{
    struct process *process = current();
    bool is_wanted = signal_bit(signal) & SIGNALS_WITH_CORE && process->leader->is_dumpable && process->aspace &&
                     process->leader->limits[RLIMIT_CORE].rlim_cur >= PAGE_SIZE;

    return is_wanted && write_core(process, signal) ? signal | WAIT_STATUS_CORE : signal;
}
