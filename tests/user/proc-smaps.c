// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// not-with: zfod=off cow=off zeropage=off
//
// P1 smaps: the lines of an entry in Linux's order and form, the codes of VmFlags, Locked and LazyFree.
#include "child.h"
#include "observe.h"

#define PAGES 16L

static void form_check(char *region)
{
    static const char *const keys[] = {
        "Size:",          "KernelPageSize:", "MMUPageSize:",     "Rss:",           "Pss:",
        "Pss_Dirty:",     "Shared_Clean:",   "Shared_Dirty:",    "Private_Clean:", "Private_Dirty:",
        "Referenced:",    "Anonymous:",      "LazyFree:",        "AnonHugePages:", "ShmemPmdMapped:",
        "FilePmdMapped:", "Shared_Hugetlb:", "Private_Hugetlb:", "Swap:",          "SwapPss:",
        "Locked:",
    };
    char want[64], *at = smaps_entry(0, region);
    int good = 0, count = sizeof(keys) / sizeof(keys[0]);
    for (int i = 0; i < count && at; i++) {
        at = strchr(at, '\n') + 1;
        snprintf(want, sizeof(want), "%-16s%8ld kB\n", keys[i], observe_number(at, ":"));
        if (strncmp(at, want, strlen(want)) == 0)
            good++;
        else
            tap_note("%.30s is not %s", at, want);
    }
    is(good, count, "P1 an entry has Linux's lines, in their order and form");
    at = at ? strchr(at, '\n') + 1 : "";
    ok(strncmp(at, "THPeligible:    ", 16) == 0, "P1 then THPeligible");
    at = strstr(at, "\nVmFlags: "); // where the CPU has protection keys, Linux tells the key before
    at = at ? at + 1 : "\n";
    ok(strncmp(at, "VmFlags: ", 9) == 0 && strchr(at, '\n')[-1] == ' ',
       "P1 and VmFlags, a blank behind each");
}

// Are these codes, each with a blank behind it, in VmFlags, in this order?
static bool has_codes(const char *region, const char *codes)
{
    char *line = strstr(smaps_entry(0, region), "VmFlags: ");
    char code[4];
    *strchr(line, '\n') = 0;
    for (; *codes; codes += 3) {
        snprintf(code, sizeof(code), "%.3s", codes);
        line = line ? strstr(line, code) : NULL;
    }
    return line;
}

static bool lacks_code(const char *region, const char *code)
{
    char *line = strstr(smaps_entry(0, region), "VmFlags: ");
    *strchr(line, '\n') = 0;
    return !strstr(line, code);
}

static void flags_check(char *region)
{
    static const struct {
        int advice;
        const char *codes, *what;
    } advices[] = {
        {MADV_DONTFORK, "dc ac ", "MADV_DONTFORK is dc"},
        {MADV_WIPEONFORK, "ac wf ", "MADV_WIPEONFORK is wf"},
        {MADV_SEQUENTIAL, "sr ac ", "MADV_SEQUENTIAL is sr"},
        {MADV_RANDOM, "rr ac ", "MADV_RANDOM is rr"},
    };
    ok(has_codes(region, "rd wr mr mw me ac ") && lacks_code(region, "sh "), "P1 private and writable");
    for (int i = 0; i < 4; i++) {
        madvise(region, PAGES * PAGE, advices[i].advice);
        ok(has_codes(region, advices[i].codes), "P1 %s", advices[i].what);
    }
    madvise(region, PAGES * PAGE, MADV_NORMAL);
    madvise(region, PAGES * PAGE, MADV_DOFORK);
    madvise(region, PAGES * PAGE, MADV_KEEPONFORK);
    ok(lacks_code(region, "rr ") && lacks_code(region, "sr ") && lacks_code(region, "dc ") &&
           lacks_code(region, "wf "), "P1 all of which can be taken back");
    char *other = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ok(has_codes(other, "rd wr sh mr mw me ms "), "P1 shared memory is sh and ms");
    munmap(other, PAGES * PAGE);
    other =
        mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ok(has_codes(other, "mr mw me nr ") && lacks_code(other, "ac "), "P1 MAP_NORESERVE is nr and not ac");
    munmap(other, PAGES * PAGE);
    ok(has_codes((char *)&region, "gd ac "), "P1 the stack is gd");
    mprotect(region, PAGES * PAGE, PROT_NONE);
    ok(lacks_code(region, "rd ") && has_codes(region, "mr mw me ac "),
       "P1 PROT_NONE keeps what it may become");
    mprotect(region, PAGES * PAGE, PROT_READ | PROT_WRITE);
}

static void child_waits(struct link *link, void *arg)
{
    (void)arg;
    say(link, 1);
    hear(link);
}

static void locked_check(char *region)
{
    long before = observe_number(observe_file("/proc/self/status"), "\nVmLck:");
    is(mlock(region, PAGES * PAGE), 0, "P4 mlock");
    ok(has_codes(region, "lo ac "), "P4 is lo");
    is(smaps(0, region, "\nLocked:"), PAGES * 4, "P4 Locked is all of it");
    is(observe_number(observe_file("/proc/self/status"), "\nVmLck:") - before, PAGES * 4, "P4 and VmLck");
    struct link link = child_start(child_waits, NULL);
    hear(&link);
    is(smaps(0, region, "\nLocked:"), PAGES * 2, "P4 shared with a child, Locked is its Pss");
    is(smaps(link.pid, region, "\nLocked:"), 0, "P4 the child has locked nothing");
    say(&link, 1);
    child_end(&link);
    munlock(region, PAGES * PAGE);
    is(smaps(0, region, "\nLocked:"), 0, "P4 munlock gives it back");
}

// Linux notes MADV_FREE in batches of 15 pages: LazyFree may lag by one.
static void lazy_free_check(char *region)
{
    long slack = on_lazybones() ? 0 : 15 * 4;
    region_write(region, PAGES, 1);
    is(madvise(region, PAGES * PAGE, MADV_FREE), 0, "P4 MADV_FREE");
    is(smaps(0, region, "\nRss:"), PAGES * 4, "P4 the pages stay");
    between(PAGES * 4 - slack, smaps(0, region, "\nLazyFree:"), PAGES * 4, "P4 as LazyFree");
    is(smaps(0, region, "\nPrivate_Dirty:"), 0, "P4 and are not dirty");
    region_write(region, PAGES / 2, 2);
    is(smaps(0, region, "\nPrivate_Dirty:"), PAGES * 2, "P4 those written again are");
    between(PAGES * 2 - slack, smaps(0, region, "\nLazyFree:"), PAGES * 2, "P4 and are no longer LazyFree");
}

int main(void)
{
    tap_begin();
    observe_settle();
    char *region = region_map(PAGES);
    region_write(region, PAGES, 1);
    form_check(region);
    flags_check(region);
    locked_check(region);
    lazy_free_check(region);
    return tap_end();
}
