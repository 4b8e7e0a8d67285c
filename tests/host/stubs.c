// SPDX-License-Identifier: MIT
/*
 * stubs.c: what mm/ needs of the rest of the kernel, as far as a single thread without a scheduler can offer
 * it: a panic that ends the test, a log, parameters, and a mutex that is strict because no one else could
 * unlock it.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/interrupts.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"
#include "kernel/wait.h"
#include "mm/oom.h"
#include "tests/host/machine.h"
#include "tests/host/processes.h"

bool host_interrupts = true;

static void (*say_at_panic)(void);

void machine_at_panic(void (*say)(void)) { say_at_panic = say; }

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fflush(stdout);
    fputs("# panic: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    if (say_at_panic)
        say_at_panic();
    if (getenv("ABORT"))
        abort(); /* for a debugger */
    exit(3);
}

/* What has been logged last; lines end in '\n'. When it is full it starts again. */
static char log_text[64 << 10];
static size_t log_length;

void log_forget(void) { log_text[log_length = 0] = '\0'; }

const char *log_line(const char *text)
{
    static char line[512];
    const char *found = strstr(log_text, text);

    if (!found)
        return NULL;
    while (found > log_text && found[-1] != '\n')
        found--;
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(found, "\n"), found);
    return line;
}

/* Silent unless LOG is set: failed allocations and kills are what the tests provoke. */
void log_write(enum log_level level, const char *fmt, ...)
{
    char line[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (log_length + sizeof(line) + 2 > sizeof(log_text))
        log_forget();
    log_length += (size_t)snprintf(log_text + log_length, sizeof(log_text) - log_length, "%s\n", line);
    if (getenv("LOG"))
        fprintf(stderr, "# log %u: %s\n", level, line);
}

static char command_line[256];

void machine_set_params(const char *line) { string_copy(command_line, line, sizeof(command_line)); }

/* The text behind `name=` of the last word of that name; "" for a bare name. Words have no quotes here. */
const char *params_string(const char *name)
{
    static char value[64];
    char line[sizeof(command_line)];
    const char *found = NULL;

    memcpy(line, command_line, sizeof(line));
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        size_t length = strcspn(word, "=");
        if (length == strlen(name) && !strncmp(word, name, length)) {
            string_copy(value, word[length] ? word + length + 1 : "", sizeof(value));
            found = value;
        }
    }
    return found;
}

bool params_bool(const char *name, bool otherwise)
{
    const char *value = params_string(name);
    return value ? strcmp(value, "off") != 0 : otherwise;
}

unsigned long params_ulong(const char *name, unsigned long otherwise)
{
    const char *value = params_string(name);
    return value && *value ? strtoul(value, NULL, 0) : otherwise;
}

size_t string_copy(char *dst, const char *src, size_t size)
{
    snprintf(dst, size, "%s", src);
    return strlen(src);
}

void wait_queue_init(struct wait_queue *queue)
{
    *queue = (struct wait_queue)WAIT_QUEUE_INIT(*queue);
}

void wake_waiters(struct wait_queue *queue) { BUG_ON(queue, "someone waits in the host ring"); }

void wake_first(struct wait_queue *queue) { wake_all(queue); }

bool wait_is_first(struct wait_queue *queue)
{
    (void)queue;
    return false;
}

bool wait_is_wanted(const struct wait_queue *queue) { return !TAILQ_EMPTY(&queue->waiters); }

/*
 * The OOM reaper has no thread of its own here: whoever waits for it lets it work, until it waits itself. It never
 * returns, so it is left by a jump.
 */
static jmp_buf reaper_left;
static bool reaper_works;

static void reaper_run(void)
{
    reaper_works = true;
    if (!setjmp(reaper_left))
        oom_reaper(NULL);
    reaper_works = false;
}

int wait_asleep(struct wait_queue *queue, bool (*condition)(void *arg), void *arg, enum wait_mode mode,
                uint64_t deadline)
{
    (void)queue, (void)mode, (void)deadline;
    if (reaper_works)
        longjmp(reaper_left, 1);
    reaper_run();
    if (!condition(arg))
        panic("mm/ waits for what no one will do");
    return 0;
}

void mutex_init(struct mutex *mutex)
{
    mutex->held = false;
    mutex->owner = NULL;
    wait_queue_init(&mutex->queue);
}

void mutex_lock_contended(struct mutex *mutex)
{
    (void)mutex;
    panic("deadlock: a mutex is taken twice");
}
