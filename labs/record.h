// SPDX-License-Identifier: MIT
//
// How a lab's test program hands figures to the grader: by standing still at lab_stop(), where the grader, from outside of
// the machine, reads the record and looks at registers, page tables and frames. The kernel under test carries no message
// and is not asked for its opinion.
//
// A record has a number and a MAC (SipHash-2-4) under a key that the grader writes into the program for each run. A record
// that is forged, left out, repeated or out of order does not count. What is expected, the grader works out from the seed;
// lab_number() gives program and grader the same numbers.
//
// Run by hand (the key is 0 then), a program prints its records to standard output.
#ifndef LAB_RECORD_H
#define LAB_RECORD_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LAB_VALUES 6
#define PAGE 4096L
#define LEAF_SPAN (512 * PAGE) // what one leaf table maps

// The grader finds this by name and fills it in: key, seed.
__attribute__((used)) volatile uint64_t lab_given[3] = { 0, 0, 1 };

struct lab_record {
    uint64_t stream, number; // who reports (lab_stream()), and their how manieth record this is
    char name[16];
    uint64_t value[LAB_VALUES];
    uint64_t mac; // of all before
};

// The grader stops the machine here. On a page of its own, since the machine is slower on a page where it may stop.
void lab_stop(struct lab_record *record);
__asm__(".pushsection .text.lab_stop, \"ax\"\n"
        ".balign 4096\n"
        ".globl lab_stop\n"
        ".type lab_stop, @function\n"
        "lab_stop: nop\n"
        "ret\n"
        ".balign 4096\n"
        ".popsection");

static uint64_t lab_stream_now, lab_number_next;

static inline uint64_t lab_rotate(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

static inline void lab_sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = lab_rotate(v[1], 13) ^ v[0], v[0] = lab_rotate(v[0], 32);
    v[2] += v[3], v[3] = lab_rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = lab_rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = lab_rotate(v[1], 17) ^ v[2], v[2] = lab_rotate(v[2], 32);
}

// SipHash-2-4 of `count` words (Aumasson and Bernstein, 2012), as if of 8 * count bytes.
static inline uint64_t lab_mac(const uint64_t *words, uint64_t count, uint64_t key0, uint64_t key1)
{
    uint64_t v[4] = { key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261,
                      key1 ^ 0x7465646279746573 };
    for (uint64_t i = 0; i <= count; i++) {
        uint64_t word = i < count ? words[i] : (count * 8) << 56;
        v[3] ^= word;
        lab_sip_round(v), lab_sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        lab_sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

// Hands `name` and values to the grader. Takes no memory, makes no system call.
static inline void lab_report_values(const char *name, const uint64_t *values, int count)
{
    static struct lab_record record;
    *(volatile char *)(uintptr_t)lab_stop; // have its page mapped: a stop comes before the fault, and would come twice
    memset(&record, 0, sizeof(record));
    record.stream = lab_stream_now;
    record.number = lab_number_next++;
    strncpy(record.name, name, sizeof(record.name) - 1);
    for (int i = 0; i < count && i < LAB_VALUES; i++)
        record.value[i] = values[i];
    record.mac = lab_mac((const uint64_t *)&record, sizeof(record) / 8 - 1, lab_given[0], lab_given[1]);
    lab_stop(&record);
    if (!lab_given[0] && !lab_given[1]) {
        printf("%lu.%lu %-15s", record.stream, record.number, record.name);
        for (int i = 0; i < count && i < LAB_VALUES; i++)
            printf(" 0x%lx", record.value[i]);
        putchar('\n');
        fflush(stdout);
    }
}

// lab_report("forked", region, pages): up to LAB_VALUES whole numbers or pointers.
#define lab_report(name, ...)                                                                          \
    do {                                                                                               \
        uint64_t lab_values[] = { __VA_ARGS__ };                                                       \
        lab_report_values(name, lab_values, sizeof(lab_values) / sizeof(*lab_values));                 \
    } while (0)

// From now on this process reports as `stream` (its parent keeps its own; 0 is the first process's).
static inline void lab_stream(uint64_t stream)
{
    lab_stream_now = stream;
    lab_number_next = 0;
}

// The number that the seed gives to `key` (1, 2, 3 …), in [low, high]. splitmix64.
static inline uint64_t lab_number(uint64_t key, uint64_t low, uint64_t high)
{
    uint64_t x = lab_given[2] + key * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    x ^= x >> 31;
    return low + x % (high - low + 1);
}

// Byte `i` of page `page` under pattern `pattern`: never 0, and another one for each seed.
static inline unsigned char lab_byte(uint64_t pattern, uint64_t page, uint64_t i)
{
    return (unsigned char)((lab_given[2] * 31 + pattern * 97 + page * 13 + i * 7) % 255 + 1);
}

static inline void lab_fill(volatile unsigned char *at, uint64_t pattern, uint64_t page)
{
    for (uint64_t i = 0; i < (uint64_t)PAGE; i += 64) // a byte of each cache line
        at[i] = lab_byte(pattern, page, i);
}

// A sum that changes with any of the bytes that lab_fill() writes, or of those between them that are zero. FNV-1a.
static inline uint64_t lab_sum(const volatile unsigned char *at, uint64_t length)
{
    uint64_t sum = 0xcbf29ce484222325;
    for (uint64_t i = 0; i < length; i++)
        sum = (sum ^ at[i]) * 0x100000001b3;
    return sum;
}

// Instructions so far: under the grader the machine counts one tick an instruction.
static inline uint64_t lab_clock(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

// Reports what failed (as record "lost") and ends, where going on makes no sense.
static inline _Noreturn void lab_lost(uint64_t where)
{
    lab_report("lost", where);
    exit(1);
}

// Maps `pages` private pages at an address that the seed decides, 2 MiB away from anything else.
static inline unsigned char *lab_map(uint64_t key, uint64_t pages, int flags)
{
    uint64_t at = 0x100000000000 + lab_number(key, 0, 0xffff) * 0x20000000 + lab_number(key + 1000, 1, 200) * PAGE;
    unsigned char *region = mmap((void *)at, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0);
    if (region == MAP_FAILED)
        lab_lost(key);
    return region;
}

// The same, and lab_fill(…, 1, …) in each page.
static inline unsigned char *lab_map_filled(uint64_t key, uint64_t pages, int flags)
{
    unsigned char *region = lab_map(key, pages, flags);
    for (uint64_t i = 0; i < pages; i++)
        lab_fill(region + i * PAGE, 1, i);
    return region;
}

// Reports what is free (the kernel's slabs count as free) and what is promised, in KiB: run.leaves_nothing() compares.
static inline void lab_report_memory(const char *name)
{
    static const char *const keys[] = { "MemFree:", "Slab:", "Committed_AS:" };
    static char text[4096];
    uint64_t value[3];
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (length < 0)
        lab_lost(70);
    close(fd);
    text[length] = 0;
    for (int i = 0; i < 3; i++) {
        const char *at = strstr(text, keys[i]);
        if (!at)
            lab_lost(71);
        value[i] = strtoul(at + strlen(keys[i]), NULL, 10);
    }
    lab_report(name, value[0] + value[1], value[2]);
}

#endif
