// SPDX-License-Identifier: MIT
/*
 * The lab's tests in the kernel: they take and give blocks as the seed says, and stand still at lab_stop(). What is in the
 * frames' records there, the grader reads from outside (lab/lab.py), and knows itself what should be. Run by hand
 * (make debug APPEND=selftest=lab_blocks), they check little.
 */
#include "arch/x86_64/cpu.h"
#include "kernel/lib/params.h"
#include "kernel/lib/spinlock.h"
#include "kernel/lib/string.h"
#include "kernel/selftest.h"
#include "mm/buddy.h"
#include "mm/frame.h"

#define VALUES 6
#define LIVE_MAX 64

/* As struct lab_record of lab/record.h; the nonce stands where its MAC does. */
struct record {
    uint64_t stream, number;
    char name[16];
    uint64_t value[VALUES];
    uint64_t nonce;
};

/* A block that the test holds. */
struct live {
    uint64_t pfn, order, refs;
};

static struct live lab_live[LIVE_MAX];
static unsigned live_count;
static uint64_t next_number;

void lab_stop(struct record *record);
__asm__(".pushsection .text.lab_stop, \"ax\"\n"
        ".globl lab_stop\n"
        ".type lab_stop, @function\n"
        "lab_stop: nop\n"
        "ret\n"
        ".popsection");

/* All single frames have joined their blocks: what the records say is the whole truth. */
static void report(const char *name, uint64_t value)
{
    static struct record record;

    frame_join();
    memset(&record, 0, sizeof(record));
    record.number = next_number++;
    string_copy(record.name, name, sizeof(record.name));
    record.value[0] = (uint64_t)lab_live;
    record.value[1] = live_count;
    record.value[2] = value;
    record.nonce = params_ulong("lab_nonce", 0);
    lab_stop(&record);
}

/* lab_number() of lab/record.h. */
static uint64_t number(uint64_t key, uint64_t low, uint64_t high)
{
    uint64_t x = params_ulong("lab_seed", 1) + key * 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    x ^= x >> 31;
    return low + x % (high - low + 1);
}

static bool live_take(unsigned order)
{
    struct frame *frame = frame_alloc_order(FRAME_KERNEL, order);

    if (!EXPECT(frame))
        return false;
    lab_live[live_count++] = (struct live){ frame_pfn(frame), order, 1 };
    return true;
}

static void live_give(unsigned i)
{
    struct frame *frame = frame_at(lab_live[i].pfn);

    lab_live[i] = lab_live[--live_count];
    frame_put(frame);
}

KTEST(lab_blocks, taken_and_given)
{
    unsigned count = (unsigned)number(1, 20, 28);

    report("start", 0);
    for (unsigned i = 0; i < count; i++) {
        REQUIRE(live_take((unsigned)number(100 + i, 0, 7)));
        report("taken", 0);
    }
    for (unsigned i = 0; live_count; i++) {
        live_give((unsigned)number(200 + i, 0, live_count - 1));
        if (live_count % 4 == 0)
            report("given", 0);
    }
    report("end", 0);
}

KTEST(lab_references, counted)
{
    report("start", 0);
    for (unsigned i = 0; i < 4; i++) {
        REQUIRE(live_take((unsigned)number(100 + i, 0, 4)));
        for (uint64_t more = number(200 + i, 1, 9); more--; lab_live[i].refs++)
            frame_get(frame_at(lab_live[i].pfn));
    }
    report("more", 0);
    for (unsigned i = 0; i < 4; i++)
        for (; lab_live[i].refs > 1; lab_live[i].refs--)
            frame_put(frame_at(lab_live[i].pfn));
    report("one", 0);
    while (live_count)
        live_give(0);
    report("none", 0);
}

/* All that there is, each frame linked to the one before through its first word. */
static uint64_t take_everything(struct frame **list)
{
    uint64_t count = 0;
    struct frame *frame;

    for (*list = NULL; (frame = frame_alloc(FRAME_KERNEL)); count++) {
        *(struct frame **)frame_address(frame) = *list;
        *list = frame;
    }
    return count;
}

KTEST(lab_everything, taken_and_given)
{
    struct frame *list, *next, *kept = NULL;

    report("start", 0);
    uint64_t count = take_everything(&list);
    report("taken", count);
    report("refused", frame_alloc_order(FRAME_KERNEL, (unsigned)number(1, 1, 10)) != NULL);
    for (; list; list = next) { /* those with an even number: none of them is another's buddy */
        next = *(struct frame **)frame_address(list);
        if (frame_pfn(list) % 2) {
            *(struct frame **)frame_address(list) = kept;
            kept = list;
        } else {
            frame_put(list);
        }
    }
    report("half", 0);
    for (; kept; kept = next) {
        next = *(struct frame **)frame_address(kept);
        frame_put(kept);
    }
    report("end", 0);
}

#define PRICED 64

/* So many single frames. What is behind the stack of them is asked, as mm/frame.c does. Under the grader a tick is an instruction. */
KTEST(lab_price, of_a_block)
{
    pfn_t pfn[PRICED];
    uint64_t took, gave;

    frame_join();
    spin_lock(&frame_lock);
    took = cpu_tsc();
    for (unsigned i = 0; i < PRICED; i++)
        pfn[i] = frame_pfn(block_alloc(0));
    took = cpu_tsc() - took;
    for (unsigned i = 0; i < PRICED; i++)
        *frame_at(pfn[i]) = (struct frame){ .kind = FRAME_FREE, .order = FRAME_INNER };
    gave = cpu_tsc();
    for (unsigned i = 0; i < PRICED; i++)
        block_free(pfn[i], 0);
    gave = cpu_tsc() - gave;
    spin_unlock(&frame_lock);
    report("taken", took);
    report("given", gave);
}

/* A reference is dropped that nobody has. The machine must not go on. */
KTEST(lab_twice, dropped)
{
    if (!params_string("lab_nonce"))
        SKIP("it ends the machine");
    struct frame *frame = frame_alloc_order(FRAME_KERNEL, 0);
    REQUIRE(frame);
    frame_put(frame);
    report("once", 0);
    frame_put(frame);
    report("twice", 0);
}
