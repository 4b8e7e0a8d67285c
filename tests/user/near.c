// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// only-on: lazybones
// subject: log
//
// A signal that nobody catches leaves a line in the log, which says in words what the address was near.
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "child.h"

#define PAGE 4096
#define BROAD 512 // bytes of a line that are looked at

static char lines[1 << 20];

static const char text_of_ours[PAGE] = { 1 };
static char data_of_ours[PAGE] = { 1 };

static char *anonymous(int prot)
{
    return mmap(NULL, 4 * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// The compiler shall not know where, or it knows better.
#define HIDE(place) __asm__("" : "+r"(place))

static void read_at(const volatile char *place)
{
    HIDE(place);
    (void)*place;
}

static void write_at(volatile char *place)
{
    HIDE(place);
    *place = 1;
}

static void run_at(const char *place)
{
    HIDE(place);
    ((void (*)(void))(unsigned long)place)();
}

static void null_pointer(void *arg) { (void)arg; read_at((char *)16); }
static void null_pointer_less(void *arg) { (void)arg; write_at((char *)-8); }
static void kernel_address(void *arg) { (void)arg; read_at((char *)0xffff800000000000); }
static void not_canonical(void *arg) { (void)arg; read_at((char *)0x1234567800000000); }
static void own_text(void *arg) { write_at(arg); }
static void own_constant(void *arg) { (void)arg; write_at((char *)text_of_ours + 5); }
static void run_data(void *arg) { (void)arg; run_at(data_of_ours); }
static void run_stack(void *arg) { char code = 0; (void)arg; run_at(&code); }
static void no_rights(void *arg) { (void)arg; read_at(anonymous(PROT_NONE)); }

static void unmapped(void *arg)
{
    char *memory = anonymous(PROT_READ | PROT_WRITE);
    (void)arg;
    munmap(memory, 4 * PAGE);
    read_at(memory + PAGE);
}

static void freed_heap(void *arg)
{
    char *top = (char *)syscall(SYS_brk, 0);
    (void)arg;
    syscall(SYS_brk, top + 8 * PAGE);
    syscall(SYS_brk, top + 4 * PAGE);
    write_at(top + 4 * PAGE + 100);
}

static void stack_beyond_limit(void *arg)
{
    char here[1];
    struct rlimit limit = { 1 << 20, 1 << 20 };
    (void)arg;
    setrlimit(RLIMIT_STACK, &limit);
    char *place = here;
    HIDE(place);
    write_at(place - (2 << 20));
}

static void beyond_file(void *arg)
{
    char name[] = "/tmp/nearXXXXXX";
    int fd = mkstemp(name);
    (void)arg;
    unlink(name);
    read_at(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
}

// The newest line of the log that speaks of this process; "" if there is none.
static const char *line_of(pid_t pid)
{
    static char line[BROAD];
    char name[32];
    long length = klogctl(3, lines, sizeof(lines) - 1);
    lines[length > 0 ? length : 0] = 0;
    snprintf(name, sizeof(name), "near[%d]: signal ", pid);
    const char *at = NULL;
    for (const char *next = lines; (next = strstr(next, name)); next++)
        at = next;
    snprintf(line, sizeof(line), "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
    return line;
}

static void expect(void (*body)(void *), void *arg, const char *wanted)
{
    pid_t pid = fork();
    if (pid == 0) {
        body(arg);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    const char *line = line_of(pid);
    if (!ok(strstr(line, wanted) != NULL, "%s", wanted))
        tap_note("%s", line);
}

static void catch_it(int number)
{
    (void)number;
    _exit(0);
}

static void caught(void *arg)
{
    signal(SIGSEGV, catch_it);
    null_pointer(arg);
}

int main(void)
{
    tap_begin();
    expect(null_pointer, NULL, ": read at NULL pointer + 16");
    expect(null_pointer_less, NULL, ": write at NULL pointer - 8");
    expect(kernel_address, NULL, ": read at a kernel address");
    expect(not_canonical, NULL, ": an address that is not canonical, or an instruction for the kernel alone");
    expect(own_text, (void *)main, ": write to the program's text, not writable");
    expect(own_constant, NULL, ": write to the program's constants, not writable");
    expect(run_data, NULL, ": jump into the program's data, not executable");
    expect(run_stack, NULL, ": jump into the stack, not executable");
    expect(no_rights, NULL, ": read in an anonymous mapping, which allows nothing (PROT_NONE)");
    expect(unmapped, NULL, ": read in memory that was unmapped, 4096 bytes from its start");
    expect(freed_heap, NULL, ": write in heap that was given back, 100 bytes above its end");
    expect(stack_beyond_limit, NULL, " bytes below the stack, beyond its limit (RLIMIT_STACK)");
    expect(beyond_file, NULL, ": read in a mapped file, beyond its end");

    pid_t pid = fork();
    if (pid == 0) {
        caught(NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    ok(!*line_of(pid), "a signal with a handler leaves no line");
    return tap_end();
}
