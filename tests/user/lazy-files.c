// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// only-on: lazybones
// not-with: cow=off sharedtables=off zfod=off zeropage=off
//
// /proc/lazy: the faults by kind, the page tables and how they are shared, the frames.
#include "child.h"
#include "observe.h"

static long total(const char *kind)
{
    char key[32];
    snprintf(key, sizeof(key), "%-13s ", kind);
    return observe_number(observe_file("/proc/lazy/faults"), key);
}

// This process's figure under a heading of /proc/lazy/processes.
static long own(const char *kind)
{
    char *text = observe_file("/proc/lazy/processes"), *word = strtok(text, " "), start[16];
    int column = 0;
    while (word && strcmp(word, kind) && word[0] != '\n') {
        word = strtok(NULL, " ");
        column++;
    }
    text = observe_file("/proc/lazy/processes");
    snprintf(start, sizeof(start), "\n%5d ", (int)getpid());
    char *at = strstr(text, start);
    long value = -1;
    for (int i = 0; at && i <= column; i++)
        value = strtol(at, &at, 10);
    return value;
}

// A figure of /proc/lazy/tables: 0 tables, 1 shared, 2 entries, of a level.
static long tables(const char *level, int column)
{
    char key[16];
    snprintf(key, sizeof(key), "\n%-10s ", level);
    char *at = strstr(observe_file("/proc/lazy/tables"), key);
    long value = -1;
    at = at ? at + strlen(key) : NULL;
    for (int i = 0; at && i <= column; i++)
        value = strtol(at, &at, 10);
    return value;
}

static void faults_check(void)
{
    char *region = region_map(64);
    long reads = total("ZERO_READ"), fills = total("ZERO_FILL"), upgrades = total("ZERO_UPGRADE");
    long own_reads = own("ZERO_READ"), own_fills = own("ZERO_FILL");
    region_read(region, 16);
    region_write(region, 40, 1);
    is(total("ZERO_READ") - reads, 16, "16 reads are 16 ZERO_READ");
    is(total("ZERO_UPGRADE") - upgrades, 16, "written after: 16 ZERO_UPGRADE");
    is(total("ZERO_FILL") - fills, 24, "24 more written: ZERO_FILL");
    is(own("ZERO_READ") - own_reads, 16, "all counted for this process");
    is(own("ZERO_FILL") - own_fills, 24, "too");
    region_unmap(region, 64);
}

static void child_writes(struct link *link, void *region)
{
    hear(link);
    region_write(region, 10, 'c');
    say(link, 1);
    hear(link);
}

// Fork shares a tree from the top. Both sides have written to their stacks by now, for which they have copied the table of
// pointers; the directory above the region, where no stack is, still serves both.
static void sharing_check(void)
{
    char *region = region_map(64);
    region_write(region, 64, 1);
    struct link link = child_start(child_writes, region);
    long shared = tables("directory", 1), copies = total("COW_COPY");
    long copied = observe_number(observe_file("/proc/lazy/tables"), "\ncopied ");
    ok(shared > 0, "after fork tables are shared");
    ok(tables("directory", 2) > tables("directory", 0), "more entries point at them than there are tables");
    say(&link, 1);
    hear(&link);
    is(tables("directory", 1), shared - 1, "a child's write takes one out of that");
    ok(observe_number(observe_file("/proc/lazy/tables"), "\ncopied ") > copied, "by a copy");
    between(10, total("COW_COPY") - copies, 20, "its 10 pages are 10 COW_COPY (and what it ran on)");
    say(&link, 1);
    child_end(&link);
    region_unmap(region, 64);
}

static void frames_check(void)
{
    char *text = observe_file("/proc/lazy/frames");
    long free_frames = observe_number(text, "\nfree "), in_blocks = 0;
    long all = observe_number(text, "\ntotal ");
    is(all * 4, meminfo("MemTotal:"), "total is MemTotal");
    text = observe_file("/proc/lazy/frames");
    char *at = strstr(text, "BLOCK");
    for (long size = 4; at && size <= 4096; size *= 2) {
        char key[16];
        snprintf(key, sizeof(key), "%5ld kB ", size);
        in_blocks += observe_number(at, key) * (size / 4);
    }
    free_frames = observe_number(text, "\nfree ");
    is(in_blocks, free_frames, "the free blocks add up to what is free");
    long anonymous = observe_number(text, "\nanonymous  ");
    is(meminfo("AnonPages:") / 4, anonymous, "anonymous is AnonPages");
}

int main(void)
{
    tap_begin();
    observe_settle();
    total("OOM"), own("OOM"), tables("leaf", 0), image_settle();
    faults_check();
    sharing_check();
    frames_check();
    return tap_end();
}
