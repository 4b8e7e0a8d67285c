// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// /proc/PID/maps, smaps and pagemap: the formats to the column, and the truth of what they say.
#include <sys/syscall.h>

#include "observe.h"

static int variable = 5;

struct mapping {
    unsigned long start, end;
    char rights[5];
    unsigned long offset, inode;
    unsigned major, minor;
    char name[100];
};

// Reads a line of maps, to the letter; false if its form is wrong.
static bool mapping_read(const char *line, struct mapping *m)
{
    char again[256];
    int n, end = 0;
    m->name[0] = 0;
    sscanf(line, "%lx-%lx %4s %lx %x:%x %lu%n%*[ ]%99[^\n]", &m->start, &m->end, m->rights, &m->offset,
           &m->major, &m->minor, &m->inode, &end, m->name);
    if (end == 0)
        return false;
    n = snprintf(again, sizeof(again), "%08lx-%08lx %s %08lx %02x:%02x %lu ", m->start, m->end, m->rights,
                     m->offset, m->major, m->minor, m->inode);
    if (m->name[0])
        snprintf(again + n, sizeof(again) - n, "%*s%s", n < 73 ? 73 - n : 0, "", m->name);
    size_t size = strlen(again);
    return strncmp(line, again, size) == 0 && line[size] == '\n';
}

// The mapping that holds addr.
static struct mapping mapping_of(const void *addr)
{
    struct mapping m;
    for (char *line = observe_file("/proc/self/maps"); *line; line = strchr(line, '\n') + 1)
        if (mapping_read(line, &m) && (unsigned long)addr >= m.start && (unsigned long)addr < m.end)
            return m;
    return (struct mapping){.rights = "none"};
}

static void lines_check(void)
{
    struct mapping m;
    int wrong = 0, disorder = 0, lines = 0;
    unsigned long last = 0;
    for (char *line = observe_file("/proc/self/maps"); *line; line = strchr(line, '\n') + 1, lines++) {
        wrong += !mapping_read(line, &m);
        disorder += m.start < last || m.end <= m.start;
        last = m.end;
    }
    ok(lines >= 4, "maps has a line for each part of a program");
    is(wrong, 0, "every line has Linux's form, names at column 73");
    is(disorder, 0, "in the order of addresses");
}

static void parts_check(const char *self)
{
    int local = 0;
    struct mapping text = mapping_of((void *)parts_check), data = mapping_of(&variable);
    ok(strcmp(text.rights, "r-xp") == 0 && strcmp(text.name, self) == 0, "text: r-xp and the program's name");
    ok(strcmp(data.rights, "rw-p") == 0, "data: rw-p");
    struct mapping stack = mapping_of(&local);
    ok(strcmp(stack.rights, "rw-p") == 0 && strcmp(stack.name, "[stack]") == 0, "stack: rw-p [stack]");
    char *heap = (char *)syscall(SYS_brk, 0);
    syscall(SYS_brk, heap + 3 * PAGE);
    struct mapping grown = mapping_of(heap + PAGE);
    ok(strcmp(grown.rights, "rw-p") == 0 && strcmp(grown.name, "[heap]") == 0, "heap: rw-p [heap]");
    char *none = region_map(1);
    mprotect(none, PAGE, PROT_NONE);
    ok(strcmp(mapping_of(none).rights, "---p") == 0, "PROT_NONE: ---p");
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ok(strcmp(mapping_of(shared).rights, "rw-s") == 0, "shared memory: rw-s");
    ok(strcmp(mapping_of(shared).name, "/dev/zero (deleted)") == 0, "by the name of /dev/zero (deleted)");
}

static void smaps_form_check(char *region)
{
    static const char *const keys[] = {"Size:", "Rss:", "Shared_Clean:", "Shared_Dirty:", "Private_Clean:",
                                       "Private_Dirty:", "Anonymous:", "VmFlags:"};
    char *at = smaps_entry(0, region);
    int found = 0;
    for (int i = 0; at && i < 8; i++) {
        at = strstr(at, keys[i]);
        found += at != NULL;
    }
    is(found, 8, "smaps has its fields in Linux's order");
    char line[64], *entry = smaps_entry(0, region);
    snprintf(line, sizeof(line), "\nSize:           %8d kB\n", 400);
    ok(entry && strstr(entry, line), "with the numbers right-aligned");
    char *flags = entry ? strstr(entry, "VmFlags: ") : NULL;
    ok(flags && strncmp(flags, "VmFlags: rd wr mr mw me ac ", 27) == 0, "and the flags of writable memory");
}

static void smaps_truth_check(void)
{
    char *region = region_map(100);
    region_write(region, 64, 'p');
    smaps_form_check(region);
    is(smaps(0, region, "\nRss:"), 256, "Rss counts the written pages");
    is(smaps(0, region, "\nAnonymous:"), 256, "as Anonymous");
    is(smaps(0, region, "Private_Dirty:"), 256, "all private");
}

static void pagemap_check(void)
{
    char *region = region_map(8);
    region[3 * PAGE] = 1;
    ok(page_present(region + 3 * PAGE), "pagemap: a written page is present");
    ok(!page_present(region - PAGE), "an unmapped one is not");
    uint64_t words[8];
    int fd = open("/proc/self/pagemap", O_RDONLY);
    lseek(fd, (uintptr_t)region / PAGE * 8, SEEK_SET);
    is(read(fd, words, sizeof(words)), sizeof(words), "eight words are read at once");
    ok(words[3] >> 63 == 1, "each its page's");
    close(fd);
}

int main(int argc, char **argv)
{
    (void)argc;
    tap_begin();
    observe_settle();
    lines_check();
    parts_check(argv[0]);
    smaps_truth_check();
    pagemap_check();
    return tap_end();
}
