// SPDX-License-Identifier: MIT
/*
 * exec_stack.c: the stack that a new program finds (System V ABI for x86-64, 3.4.1), as Linux lays it out.
 *
 *      STACK_TOP       8 zero bytes
 *                      the path that was executed (AT_EXECFN)
 *                      environment strings
 *                      argument strings
 *                      16 random bytes (AT_RANDOM), "x86_64" (AT_PLATFORM)
 *                      auxiliary vector, ending with AT_NULL
 *                      environment pointers, NULL
 *                      argument pointers, NULL
 *      rsp -->         argc; 16-byte aligned
 *
 * All of it is written into the new address space while the old one still runs.
 */
#include <elf.h>
#include <linux/auxvec.h>
#include <linux/mman.h>

#include "arch/x86_64/machine.h"
#include "kernel/exec.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/process.h"
#include "kernel/signal_frame.h"
#include "mm/slab.h"

#define STACK_TOP USER_END
/* Mapped below the strings from the start, as in Linux: 132 kB in all where the strings fit into a page. */
#define STACK_SPARE (128 << 10)
/* Strings and pointers may take a quarter of the stack's limit, but this much always (execve(2)). */
#define STRINGS_ALWAYS (128ul << 10)

#define CLOCK_TICKS 100 /* AT_CLKTCK: what times(2) counts in */
#define AUX_COUNT 19    /* with AT_NULL */

static const char platform[] = "x86_64";

/* What lies between the strings and the auxiliary vector. */
struct extras {
    uint64_t random[2];
    char platform[sizeof(platform)];
};

struct stack_plan {
    const struct elf_image *image;
    const struct exec_identity *identity;
    const struct exec_strings *strings;
    vaddr_t execfn, strings_start, extras, rsp;
    uint64_t words; /* from rsp to the end of the auxiliary vector */
};

static struct stack_plan plan_stack(const struct elf_image *image, const struct exec_identity *identity,
                                    const struct exec_strings *strings, const char *path)
{
    struct stack_plan plan = { .image = image, .identity = identity, .strings = strings };

    plan.execfn = STACK_TOP - 8 - (strlen(path) + 1);
    plan.strings_start = plan.execfn - strings->used;
    plan.extras = align_down(plan.strings_start - sizeof(struct extras), 16);
    plan.words = 1 + strings->argc + 1 + strings->envc + 1 + 2 * AUX_COUNT;
    plan.rsp = align_down(plan.extras - plan.words * sizeof(uint64_t), 16);
    return plan;
}

/* The auxiliary vector (getauxval(3)), in Linux's order; there is no vDSO. */
static void fill_auxv(Elf64_auxv_t auxv[AUX_COUNT], const struct stack_plan *plan)
{
    const struct identity *user = &plan->identity->credentials.user, *group = &plan->identity->credentials.group;
    const Elf64_auxv_t vector[AUX_COUNT] = {
        { AT_MINSIGSTKSZ, { signal_frame_size() } },
        { AT_HWCAP, { cpu_hwcap() } },
        { AT_PAGESZ, { PAGE_SIZE } },
        { AT_CLKTCK, { CLOCK_TICKS } },
        { AT_PHDR, { plan->image->phdr } },
        { AT_PHENT, { sizeof(Elf64_Phdr) } },
        { AT_PHNUM, { plan->image->phnum } },
        { AT_BASE, { plan->image->base } },
        { AT_FLAGS, { 0 } },
        { AT_ENTRY, { plan->image->entry } },
        { AT_UID, { user->real } },
        { AT_EUID, { user->effective } },
        { AT_GID, { group->real } },
        { AT_EGID, { group->effective } },
        { AT_SECURE, { plan->identity->is_secure } },
        { AT_RANDOM, { plan->extras + offsetof(struct extras, random) } },
        { AT_EXECFN, { plan->execfn } },
        { AT_PLATFORM, { plan->extras + offsetof(struct extras, platform) } },
        { AT_NULL, { 0 } },
    };
    memcpy(auxv, vector, sizeof(vector));
}

/*
 * Pointers to `count` strings that begin at `text`, and NULL. Returns the slot behind them; *text moves
 * along.
 */
static uint64_t *fill_pointers(uint64_t *slot, unsigned count, const struct stack_plan *plan,
                               const char **text)
{
    for (unsigned i = 0; i < count; i++) {
        *slot++ = plan->strings_start + (uint64_t)(*text - plan->strings->text);
        *text += strlen(*text) + 1;
    }
    *slot++ = 0;
    return slot;
}

static int write_pointers(struct aspace *aspace, const struct stack_plan *plan)
{
    const struct exec_strings *strings = plan->strings;
    const char *text = strings->text;
    size_t size = plan->words * sizeof(uint64_t);
    uint64_t *words = kmalloc(size), *slot = words;
    int error;

    if (!words)
        return -ENOMEM;
    *slot++ = strings->argc;
    aspace->arg_start = plan->strings_start;
    slot = fill_pointers(slot, strings->argc, plan, &text);
    aspace->arg_end = aspace->env_start = plan->strings_start + (uint64_t)(text - strings->text);
    slot = fill_pointers(slot, strings->envc, plan, &text);
    aspace->env_end = plan->execfn;
    fill_auxv((Elf64_auxv_t *)slot, plan);
    aspace->auxv_start = plan->rsp + (uint64_t)(slot - words) * sizeof(*slot);
    aspace->auxv_end = aspace->auxv_start + AUX_COUNT * sizeof(Elf64_auxv_t);
    error = aspace_write(aspace, plan->rsp, words, size);
    kfree(words);
    return error;
}

static int write_stack(struct aspace *aspace, const struct stack_plan *plan, const char *path)
{
    struct extras extras = { .random = { machine_random(), machine_random() } };

    memcpy(extras.platform, platform, sizeof(platform));
    if (aspace_write(aspace, plan->execfn, path, strlen(path) + 1) ||
        aspace_write(aspace, plan->strings_start, plan->strings->text, plan->strings->used) ||
        aspace_write(aspace, plan->extras, &extras, sizeof(extras)) || write_pointers(aspace, plan))
        return -ENOMEM; /* the stack is mapped, so only memory can be lacking */
    return 0;
}

/*
 * How much stack is mapped from the start: the strings and STACK_SPARE, but the limit is kept where it can
 * be.
 */
static uint64_t initial_length(const struct stack_plan *plan, uint64_t limit)
{
    uint64_t length = page_up(STACK_TOP - plan->strings_start) + STACK_SPARE;

    return MAX(MIN(length, page_down(limit)), page_up(STACK_TOP - plan->rsp));
}

int exec_stack_build(struct aspace *aspace, const struct elf_image *image,
                     const struct exec_identity *identity, const struct exec_strings *strings,
                     const char *path, vaddr_t *rsp)
{
    struct stack_plan plan = plan_stack(image, identity, strings, path);
    uint64_t limit = current()->leader->limits[RLIMIT_STACK].rlim_cur, length = initial_length(&plan, limit);
    uint64_t pointers = (uint64_t)(strings->argc + strings->envc) * sizeof(uint64_t);
    int error;

    if (strings->used + pointers > MAX(limit / 4, STRINGS_ALWAYS))
        return -E2BIG;
    error = aspace_map_stack(aspace, STACK_TOP, length, limit);
    if (!error && image->stack_executable)
        error = aspace_protect(aspace, STACK_TOP - length, length, PROT_READ | PROT_WRITE | PROT_EXEC);
    if (!error)
        error = write_stack(aspace, &plan, path);
    aspace->stack_start = *rsp = plan.rsp;
    return error;
}
