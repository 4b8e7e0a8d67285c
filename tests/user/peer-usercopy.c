// SPDX-License-Identifier: MIT
// ram: 256M  time: 20
//
// A peers' bug: system calls that copy from or to memory nobody has touched yet. The kernel must
// fault the pages in as the program's own access would: one lazy page, two, and a copy-on-write page.
#include <alloca.h>

#include "child.h"
#include "observe.h"

static int ends[2];

static void from_lazy_pages(void)
{
    char *region = region_map(4), back[300];
    memset(back, 'b', sizeof(back));
    is(write(ends[1], region + 100, 50), 50, "write() from a lazy page");
    is(read(ends[0], back, 50), 50, "its bytes arrive");
    ok(all_bytes(back, 50, 0), "they are zero");
    is(write(ends[1], region + 2 * PAGE - 100, 200), 200, "write() from two lazy pages");
    is(read(ends[0], back, 200), 200, "their bytes arrive");
    ok(all_bytes(back, 200, 0), "they are zero");
}

static void to_lazy_pages(void)
{
    char *region = region_map(8);
    memset(region, 's', PAGE); // the source; the rest is lazy
    is(write(ends[1], region, 300), 300, "300 bytes go into a pipe");
    is(read(ends[0], region + 2 * PAGE + 10, 100), 100, "read() into a lazy page");
    is(read(ends[0], region + 4 * PAGE - 100, 200), 200, "read() into two lazy pages");
    ok(all_bytes(region + 2 * PAGE + 10, 100, 's') && all_bytes(region + 4 * PAGE - 100, 200, 's'),
       "the bytes are there");
    ok(all_bytes(region + 2 * PAGE, 10, 0) && all_bytes(region + 2 * PAGE + 110, PAGE - 110, 0) &&
           all_bytes(region + 3 * PAGE, PAGE - 100, 0) && all_bytes(region + 4 * PAGE + 100, PAGE - 100, 0),
       "around them all is zero");

    int fd = open("/dev/zero", O_RDONLY);
    is(read(fd, region + 5 * PAGE, 3 * PAGE), 3 * PAGE, "read() of three pages into three lazy pages");
    ok(all_bytes(region + 5 * PAGE, 3 * PAGE, 0), "all zero");
    close(fd);
}

static void child_reads(struct link *link, void *arg)
{
    char *page = arg;
    say(link, read(ends[0], page + 10, 5));
    say(link, memcmp(page, "pppppppppphellopppp", 19) == 0);
    say(link, memcmp(page + PAGE, "pp", 2) == 0);
}

static void to_cow_pages(void)
{
    char *page = region_map(2);
    memset(page, 'p', 2 * PAGE);
    if (write(ends[1], "hello", 5) != 5)
        tap_bail("write");
    struct link link = child_start(child_reads, page);
    is(hear(&link), 5, "a child's read() into a copy-on-write page");
    is(hear(&link), 1, "the bytes are in the child's page");
    is(hear(&link), 1, "the page after it is as before");
    is(child_end(&link), 0, "the child ends well");
    ok(all_bytes(page, 2 * PAGE, 'p'), "the parent's page is unharmed");
}

int main(void)
{
    tap_begin();
    if (pipe(ends))
        tap_bail("pipe");
    from_lazy_pages();
    to_lazy_pages();
    to_cow_pages();

    char *stack_pages = alloca(40 * PAGE); // below what the stack has ever used
    is(write(ends[1], stack_pages, 1000), 1000, "write() from stack that is still to grow");
    is(read(ends[0], stack_pages + PAGE, 1000), 1000, "read() into it");
    return tap_end();
}
