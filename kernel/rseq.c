// SPDX-License-Identifier: MIT
/*
 * rseq.c: restartable sequences (rseq(2)): a program says by one pointer in its memory that it is in a critical
 * section, and learns of an interruption by being sent to the section's abort address.
 *
 * A registered process passes rseq_interrupted() each time it goes back to user mode after another one has run, and
 * before each handler of a signal. There it is told its CPU's number, too, which libc reads from its memory.
 *
 * The abort address is believed only if the four bytes before it are the signature that was registered: an
 * attacker who can write the pointer shall not be able to choose where the program goes on.
 */
#include "kernel/rseq.h"

#include <linux/rseq.h>

#include "kernel/lib/errno.h"
#include "kernel/sched.h"
#include "kernel/syscalls.h"
#include "mm/usercopy.h"

/* The structure has grown in later headers; this much of it is the ABI that Linux 6.1 has. */
#define RSEQ_SIZE 32
#define RSEQ_ALIGN 32

/* The first words of the structure: the CPU's number twice. */
struct rseq_cpu {
    uint32_t start, number;
};

static int put_cpu(vaddr_t rseq, uint32_t start, uint32_t number)
{
    const struct rseq_cpu cpu = { start, number };

    return copy_to_user(rseq, &cpu, sizeof(cpu));
}

/* Fetch the section that the program says it is in, checked: 1; 0: it is in none; or a negative errno. */
static int fetch_section(const struct process *process, struct rseq_cs *section)
{
    vaddr_t address;
    uint32_t signature;

    if (copy_from_user(&address, process->rseq + offsetof(struct rseq, rseq_cs), sizeof(address)))
        return -EFAULT;
    if (!address)
        return 0;
    if (copy_from_user(section, address, sizeof(*section)))
        return -EFAULT;
    if (section->version || section->start_ip >= USER_END || section->abort_ip >= USER_END ||
        section->post_commit_offset >= USER_END - section->start_ip ||
        section->abort_ip - section->start_ip < section->post_commit_offset)
        return -EINVAL;
    if (copy_from_user(&signature, section->abort_ip - sizeof(signature), sizeof(signature)))
        return -EFAULT;
    return signature == process->rseq_signature ? 1 : -EINVAL;
}

/* Sections that are not to be aborted are no longer supported: any flag is an error. */
static int check_flags(const struct process *process, const struct rseq_cs *section)
{
    uint32_t flags;

    if (copy_from_user(&flags, process->rseq + offsetof(struct rseq, flags), sizeof(flags)))
        return -EFAULT;
    return flags || section->flags ? -EINVAL : 0;
}

/* A pointer to a section that was there before is no business of this registration. */
static int forget_section(vaddr_t rseq)
{
    static const uint64_t none;
    uint64_t address;

    if (copy_from_user(&address, rseq + offsetof(struct rseq, rseq_cs), sizeof(address)))
        return -EFAULT;
    return address ? copy_to_user(rseq + offsetof(struct rseq, rseq_cs), &none, sizeof(none)) : 0;
}

/* A section that has been left, or is left now, is taken out of the program's structure. */
static int leave_section(struct process *process, struct trapframe *frame)
{
    static const uint64_t none;
    struct rseq_cs section;
    bool is_inside;
    int error = fetch_section(process, &section);

    if (error <= 0)
        return error;
    is_inside = frame->rip - section.start_ip < section.post_commit_offset;
    if (is_inside) {
        error = check_flags(process, &section);
        if (error)
            return error;
    }
    if (copy_to_user(process->rseq + offsetof(struct rseq, rseq_cs), &none, sizeof(none)))
        return -EFAULT;
    if (is_inside)
        frame->rip = section.abort_ip;
    return 0;
}

int rseq_interrupted(struct trapframe *frame)
{
    struct process *process = current();
    int error;

    if (!process->rseq)
        return 0;
    error = leave_section(process, frame);
    return error ? error : put_cpu(process->rseq, this_cpu()->number, this_cpu()->number);
}

static int64_t rseq_unregister(struct process *process, vaddr_t rseq, uint32_t length, uint32_t signature)
{
    if (!process->rseq || process->rseq != rseq || length != RSEQ_SIZE)
        return -EINVAL;
    if (process->rseq_signature != signature)
        return -EPERM;
    if (put_cpu(rseq, 0, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED))
        return -EFAULT;
    process->rseq = 0;
    return 0;
}

/* rseq(2): struct rseq *, length, flags, signature. The CPU's number is told on the way back to user mode. */
int64_t sys_rseq(const struct syscall_args *args)
{
    struct process *process = current();
    vaddr_t rseq = args->arg[0];
    uint32_t length = (uint32_t)args->arg[1], signature = (uint32_t)args->arg[3];
    int flags = (int)args->arg[2];

    if (flags == RSEQ_FLAG_UNREGISTER)
        return rseq_unregister(process, rseq, length, signature);
    if (flags)
        return -EINVAL;
    if (process->rseq) {
        if (process->rseq != rseq || length != RSEQ_SIZE)
            return -EINVAL;
        return process->rseq_signature == signature ? -EBUSY : -EPERM;
    }
    if (!is_aligned(rseq, RSEQ_ALIGN) || length != RSEQ_SIZE)
        return -EINVAL;
    if (rseq >= USER_END || forget_section(rseq))
        return -EFAULT;
    process->rseq = rseq;
    process->rseq_signature = signature;
    __atomic_or_fetch(&this_cpu()->return_work, RETURN_RSEQ, __ATOMIC_RELAXED);
    return 0;
}
