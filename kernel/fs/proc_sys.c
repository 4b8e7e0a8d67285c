// SPDX-License-Identifier: MIT
/*
 * proc_sys.c: /proc/sys: one row a setting: its file, its variable, and the values that it may have.
 *
 * Numbers are read as Linux reads them (proc(5), sysctl(8)): blanks before, a minus sign, base by prefix;
 * then a blank or the end must follow. What is out of range or no number is EINVAL and changes nothing; a
 * text without any byte is taken and changes nothing; of several numbers the first one counts. Only a write
 * at position 0 sets anything. The permissions bind root as well.
 */
#include "kernel/fs/proc_sys.h"

#include "arch/x86_64/machine.h"
#include "kernel/core.h"
#include "kernel/fs/file.h"
#include "kernel/fs/lease.h"
#include "kernel/fs/path.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"
#include "kernel/lib/version.h"
#include "kernel/sched.h"
#include "kernel/segment.h"
#include "kernel/system.h"
#include "mm/aspace.h"
#include "mm/commit.h"
#include "mm/oom.h"
#include "mm/reserve.h"

#define VALUE_MAX 128    /* bytes of any value with its newline and NUL */
#define DIGITS_MAX 20    /* characters of a number, its prefix included; longer ones are EINVAL */

struct sysctl {
    int *number;           /* one of these five: a number from min to max, */
    unsigned long *word;   /* an unsigned one, */
    const char *text;      /* a text, */
    unsigned long value;   /* a number that never changes, */
    void (*make)(char *text, size_t size); /* or a text made for each reader, */
    void (*take)(const char *text);        /* and what becomes of a text that is written; NULL: it takes none */
    unsigned long min, max; /* of a number with its sign, of a word without */
    void (*changed)(void); /* called after a new value was set; may be NULL */
};

static void setting_text(const struct sysctl *setting, char *text, size_t size)
{
    if (setting->make)
        setting->make(text, size);
    else if (setting->text)
        snprintf(text, size, "%s\n", setting->text);
    else if (setting->number)
        snprintf(text, size, "%d\n", *setting->number);
    else
        snprintf(text, size, "%lu\n", setting->word ? *setting->word : setting->value);
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number and its sign at *text, which moves behind it and the blanks that follow. 0 or -EINVAL. */
static int number_read(const char **text, bool *negative, unsigned long *value)
{
    const char *start = *text, *end;
    while (is_blank(*start))
        start++;
    *negative = *start == '-';
    if (!is_digit(start[*negative]))
        return -EINVAL;
    *value = string_to_ulong(start + *negative, &end, 0);
    bool too_large = *value == ULONG_MAX && strncmp(start, "18446744073709551615", DIGITS_MAX);
    if (end - start > DIGITS_MAX || too_large)
        return -EINVAL;
    if (*end && *end != ' ' && *end != '\t' && *end != '\n')
        return -EINVAL;
    while (is_blank(*end))
        end++;
    *text = end;
    return 0;
}

static bool number_is_allowed(const struct sysctl *setting, bool negative, unsigned long value)
{
    if (!setting->number)
        return !negative && value >= setting->min && value <= setting->max;
    if (value > (unsigned long)INT_MAX + negative)
        return false;
    long number = negative ? -(long)value : (long)value;
    return number >= (long)setting->min && number <= (long)setting->max;
}

/* Set from a text that is not empty; *text moves behind what was read. 0 or -EINVAL. */
static int setting_set(const struct sysctl *setting, const char **text)
{
    unsigned long value;
    bool negative;
    int error = number_read(text, &negative, &value);
    if (error)
        return error;
    if (!number_is_allowed(setting, negative, value))
        return -EINVAL;
    if (setting->number)
        *setting->number = (int)(negative ? -(long)value : (long)value);
    else
        *setting->word = value;
    if (setting->changed)
        setting->changed();
    return 0;
}

static int sysctl_open(struct file *file)
{
    if ((file_is_readable(file) && !(file->inode->mode & 0400)) ||
        (file_is_writable(file) && !(file->inode->mode & 0200)))
        return -EACCES;
    return 0;
}

/* A number is told at position 0 only: behind that is the end, even if the reader took a part of it. */
static ssize_type sysctl_read(struct file *file, const struct buffer *to, uint64_t offset)
{
    char text[VALUE_MAX];
    const struct sysctl *setting = proc_entry_of(file->inode)->setting;
    if (offset && !setting->text && !setting->make)
        return 0;
    setting_text(setting, text, sizeof text);
    size_t length = strlen(text);
    return offset < length ? buffer_put(to, 0, text + offset, MIN(to->length, length - offset)) : 0;
}

static ssize_type sysctl_write(struct file *file, const struct buffer *from, uint64_t offset)
{
    char text[VALUE_MAX];
    const struct sysctl *setting = proc_entry_of(file->inode)->setting;
    const char *rest = text;
    size_t n = MIN(from->length, sizeof text - 1);
    if (!n || offset)
        return (ssize_type)from->length;
    if (buffer_get(from, 0, text, n) < (ssize_type)n)
        return -EFAULT;
    text[n] = '\0';
    if (setting->take) {
        setting->take(text);
        return (ssize_type)from->length;
    }
    int error = setting_set(setting, &rest);
    return error ? error : rest - text;
}

static const struct inode_ops sysctl_ops = {
    .open = sysctl_open,
    .read = sysctl_read,
    .write = sysctl_write,
    .destroy = proc_destroy,
};

/* ---- the settings ---- */

/* The two ways to say how much may be promised: the one that was written last counts. */
static void ratio_changed(void) { commit_policy.overcommit_kbytes = 0; }
static void kbytes_changed(void) { commit_policy.overcommit_ratio = 0; }

/* Version 4, variant 1 (RFC 4122): 122 random bits. */
static void uuid_format(char *text, size_t size, const uint64_t random[2])
{
    uint64_t high = (random[0] & ~0xf000ul) | 0x4000, low = (random[1] & ~(3ul << 62)) | 2ul << 62;
    snprintf(text, size, "%08lx-%04lx-%04lx-%04lx-%012lx\n", high >> 32, high >> 16 & 0xffff, high & 0xffff,
             low >> 48, low & 0xffffffffffff);
}

static void uuid_make(char *text, size_t size)
{
    uuid_format(text, size, (uint64_t[]){ machine_random(), machine_random() });
}

static void boot_id_make(char *text, size_t size)
{
    static uint64_t random[2];
    if (!random[0])
        random[0] = machine_random(), random[1] = machine_random();
    uuid_format(text, size, random);
}

/* Four numbers (syslog(2)): console level, level of what names none, lowest and first console level. */
static void printk_make(char *text, size_t size)
{
    snprintf(text, size, "%d\t%d\t%d\t%d\n", log_console_level(), LOG_WARN, LOG_EMERG + 1, LOG_DEBUG);
}

static void host_name_make(char *text, size_t size) { snprintf(text, size, "%s\n", system_host_name()); }
static void domain_name_make(char *text, size_t size) { snprintf(text, size, "%s\n", system_domain_name()); }

#define ROW(name_, mode_, ...) \
    { .name = (name_), .mode = S_IFREG | (mode_), .ops = &sysctl_ops, \
      .setting = &(const struct sysctl){ __VA_ARGS__ } }
#define NUMBER(name_, variable_, min_, max_, changed_)                                                       \
    ROW(name_, 0644, .number = &(variable_), .min = (unsigned long)(min_), .max = (max_),                    \
        .changed = (changed_))
#define WORD(name_, variable_, max_, changed_) \
    ROW(name_, 0644, .word = &(variable_), .max = (max_), .changed = (changed_))
#define TEXT(name_, text_) ROW(name_, 0444, .text = (text_))
#define CONSTANT(name_, value_) ROW(name_, 0444, .value = (value_))
#define NAME(name_, make_, take_) ROW(name_, 0644, .make = (make_), .take = (take_))
#define MADE(name_, make_) ROW(name_, 0444, .make = (make_))

static const struct proc_entry vm_entries[] = {
    WORD("admin_reserve_kbytes", commit_policy.admin_reserve_kbytes, ULONG_MAX, NULL),
    WORD("max_map_count", vm_max_map_count, INT_MAX, NULL),
    NUMBER("min_free_kbytes", vm_min_free_kbytes, 0, INT_MAX, reserve_changed),
    WORD("mmap_min_addr", vm_mmap_min_addr, ULONG_MAX, NULL),
    NUMBER("oom_dump_tasks", oom_policy.oom_dump_tasks, INT_MIN, INT_MAX, NULL),
    NUMBER("oom_kill_allocating_task", oom_policy.oom_kill_allocating_task, INT_MIN, INT_MAX, NULL),
    WORD("overcommit_kbytes", commit_policy.overcommit_kbytes, ULONG_MAX, kbytes_changed),
    NUMBER("overcommit_memory", commit_policy.overcommit_memory, COMMIT_HEURISTIC, COMMIT_NEVER, NULL),
    NUMBER("overcommit_ratio", commit_policy.overcommit_ratio, INT_MIN, INT_MAX, ratio_changed),
    NUMBER("panic_on_oom", oom_policy.panic_on_oom, 0, 2, NULL),
    WORD("user_reserve_kbytes", commit_policy.user_reserve_kbytes, ULONG_MAX, NULL),
    PROC_END,
};

static const struct proc_entry fs_entries[] = {
    NUMBER("lease-break-time", lease_break_seconds, INT_MIN, INT_MAX, NULL),
    NUMBER("leases-enable", leases_enabled, INT_MIN, INT_MAX, NULL),
    CONSTANT("nr_open", FILES_MAX),
    ROW("pipe-max-size", 0644, .word = &pipe_max_size, .min = PAGE_SIZE, .max = 1ul << 31,
        .changed = pipe_max_size_changed),
    WORD("pipe-user-pages-hard", pipe_user_pages_hard, ULONG_MAX, NULL),
    WORD("pipe-user-pages-soft", pipe_user_pages_soft, ULONG_MAX, NULL),
    NUMBER("protected_fifos", path_policy.protected_fifos, 0, 2, NULL),
    NUMBER("protected_hardlinks", path_policy.protected_hardlinks, 0, 1, NULL),
    NUMBER("protected_regular", path_policy.protected_regular, 0, 2, NULL),
    NUMBER("protected_symlinks", path_policy.protected_symlinks, 0, 1, NULL),
    PROC_END,
};

static const struct proc_entry random_entries[] = {
    MADE("boot_id", boot_id_make),
    MADE("uuid", uuid_make),
    PROC_END,
};

static const struct proc_entry kernel_entries[] = {
    TEXT("core_pattern", CORE_NAME),
    CONSTANT("core_uses_pid", 0),
    NAME("domainname", domain_name_make, system_set_domain_name),
    NAME("hostname", host_name_make, system_set_host_name),
    CONSTANT("ngroups_max", 65536),
    TEXT("osrelease", KERNEL_RELEASE),
    TEXT("ostype", "Linux"),
    CONSTANT("pid_max", PID_MAX),
    MADE("printk", printk_make),
    PROC_DIRECTORY("random", random_entries),
    CONSTANT("randomize_va_space", 0),
    NUMBER("shm_rmid_forced", segment_policy.removes_forgotten, 0, 1, segments_policy_changed),
    WORD("shmall", segment_policy.pages_max, ULONG_MAX, NULL),
    WORD("shmmax", segment_policy.size_max, ULONG_MAX, NULL),
    NUMBER("shmmni", segment_policy.count_max, 0, SEGMENT_PLACES, NULL),
    NUMBER("sched_rr_timeslice_ms", sched_rr_milliseconds, INT_MIN, INT_MAX, sched_rr_changed),
    CONSTANT("tainted", 0),
    NUMBER("threads-max", process_limit, 1, 0x3fffffff, NULL),
    TEXT("version", KERNEL_VERSION),
    PROC_END,
};

const struct proc_entry proc_sys_entries[] = {
    PROC_DIRECTORY("fs", fs_entries),
    PROC_DIRECTORY("kernel", kernel_entries),
    PROC_DIRECTORY("vm", vm_entries),
    PROC_END,
};

void proc_sys_init(void)
{
    char name[VALUE_MAX];
    for (const struct proc_entry *entry = vm_entries; entry->name; entry++) {
        snprintf(name, sizeof name, "vm.%s", entry->name);
        const char *value = params_string(name), *rest = value;
        if (value && (!(entry->mode & 0200) || setting_set(entry->setting, &rest) || *rest))
            log_warn("%s=%s: not a value that this can have", name, value);
    }
}
