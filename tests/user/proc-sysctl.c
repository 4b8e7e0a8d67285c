// SPDX-License-Identifier: MIT
// ram: 128M  time: 20
// subject: proc
//
// O1 /proc/sys: what may be written to the settings of memory, what is read back, and the names of the
// kernel.
#include <sys/stat.h>
#include <sys/utsname.h>

#include "observe.h"

static char path[96];

static long put(const char *name, const char *text)
{
    snprintf(path, sizeof(path), "/proc/sys/%s", name);
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        return -errno;
    long n = write(fd, text, strlen(text));
    n = n < 0 ? -errno : n;
    close(fd);
    return n;
}

static char *get(const char *name)
{
    snprintf(path, sizeof(path), "/proc/sys/%s", name);
    return observe_file(path);
}

static const struct {
    const char *file, *text;
    int result;
    const char *after;
} writes[] = {
    {"overcommit_memory", "0", 1, "0"},
    {"overcommit_memory", "1", 1, "1"},
    {"overcommit_memory", "2", 1, "2"},
    {"overcommit_memory", "3", -EINVAL, "2"},
    {"overcommit_memory", "-1", -EINVAL, "2"},
    {"overcommit_memory", "1\n", 2, "1"},
    {"overcommit_memory", "", 0, "1"},
    {"overcommit_memory", "\n", -EINVAL, "1"},
    {"overcommit_memory", "abc", -EINVAL, "1"},
    {"overcommit_memory", "1abc", -EINVAL, "1"},
    {"overcommit_memory", " 2", 2, "2"},
    {"overcommit_memory", "2 ", 2, "2"},
    {"overcommit_memory", "1 2", 2, "1"},
    {"overcommit_memory", "0x1", 3, "1"},
    {"overcommit_memory", "01", 2, "1"},
    {"overcommit_memory", "+1", -EINVAL, "1"},
    {"overcommit_memory", "4294967296", -EINVAL, "1"},
    {"overcommit_memory", "0", 1, "0"},
    {"overcommit_ratio", "0", 1, "0"},
    {"overcommit_ratio", "100", 3, "100"},
    {"overcommit_ratio", "150", 3, "150"},
    {"overcommit_ratio", "-1", 2, "-1"},
    {"overcommit_ratio", "abc", -EINVAL, "-1"},
    {"overcommit_ratio", "2147483648", -EINVAL, "-1"},
    {"overcommit_ratio", "50", 2, "50"},
    {"overcommit_kbytes", "0", 1, "0"},
    {"overcommit_kbytes", "1000", 4, "1000"},
    {"overcommit_kbytes", "-1", -EINVAL, "1000"},
    {"overcommit_kbytes", "abc", -EINVAL, "1000"},
    {"overcommit_kbytes", "18446744073709551615", 20, "18446744073709551615"},
    {"overcommit_kbytes", "18446744073709551616", -EINVAL, "18446744073709551615"},
    {"overcommit_kbytes", "184467440737095516150", -EINVAL, "18446744073709551615"},
    {"overcommit_kbytes", "1000", 4, "1000"},
    {"overcommit_ratio", "", 0, "0"},
    {"overcommit_ratio", "50", 2, "50"},
    {"overcommit_kbytes", "", 0, "0"},
    {"max_map_count", "-1", -EINVAL, "65530"},
    {"max_map_count", "70000", 5, "70000"},
    {"max_map_count", "65530", 5, "65530"},
    {"panic_on_oom", "3", -EINVAL, "0"},
    {"panic_on_oom", "-1", -EINVAL, "0"},
    {"panic_on_oom", "2", 1, "2"},
    {"panic_on_oom", "0", 1, "0"},
    {"oom_kill_allocating_task", "7", 1, "7"},
    {"oom_kill_allocating_task", "-1", 2, "-1"},
    {"oom_kill_allocating_task", "abc", -EINVAL, "-1"},
    {"oom_kill_allocating_task", "0", 1, "0"},
    {"oom_dump_tasks", "0", 1, "0"},
    {"oom_dump_tasks", "1", 1, "1"},
    {"mmap_min_addr", "4096", 4, "4096"},
    {"mmap_min_addr", "65536", 5, "65536"},
};

static void writes_check(void)
{
    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        char name[64], want[32], shown[32];
        snprintf(name, sizeof(name), "vm/%s", writes[i].file);
        snprintf(want, sizeof(want), "%s\n", writes[i].after);
        snprintf(shown, sizeof(shown), "%s", writes[i].text);
        shown[strcspn(shown, "\n")] = '$';
        long result = put(name, writes[i].text);
        if (!ok(result == writes[i].result && strcmp(get(name), want) == 0, "O1 \"%s\" to %s: %d, then %s",
                shown, writes[i].file, writes[i].result, writes[i].after))
            tap_note("got %ld, then %s", result, observe_text);
    }
}

// Two writes through one descriptor: the second is not at the start, and sets nothing.
static void position_check(void)
{
    int fd = open("/proc/sys/vm/overcommit_memory", O_RDWR);
    is(write(fd, "1\n", 2), 2, "O1 a write at the start");
    is(write(fd, "2\n", 2), 2, "O1 a second one behind it is taken");
    is(get("vm/overcommit_memory")[0], '1', "O1 and sets nothing");
    is(pwrite(fd, "0", 1, 0), 1, "O1 at position 0 it does");
    is(get("vm/overcommit_memory")[0], '0', "O1 and the value is back");
    close(fd);
}

static void names_check(void)
{
    struct utsname name;
    char want[80];
    uname(&name);
    const struct {
        const char *file, *value;
    } names[] = {{"ostype", name.sysname}, {"osrelease", name.release}, {"version", name.version},
                 {"hostname", name.nodename}};
    for (int i = 0; i < 4; i++) {
        char file[32];
        snprintf(file, sizeof(file), "kernel/%s", names[i].file);
        snprintf(want, sizeof(want), "%s\n", names[i].value);
        ok(strcmp(get(file), want) == 0, "kernel/%s is what uname says", names[i].file);
    }
    is(strtol(get("kernel/ngroups_max"), NULL, 10), 65536, "kernel/ngroups_max");
    ok(strtol(get("kernel/pid_max"), NULL, 10) >= 32768, "kernel/pid_max");
    between(20, strtol(get("kernel/threads-max"), NULL, 10), 1 << 20, "kernel/threads-max");
    char kept[80];
    snprintf(kept, sizeof(kept), "%s", name.nodename);
    is(put("kernel/hostname", "sloth\nx"), 7, "kernel/hostname can be written");
    uname(&name);
    ok(!strcmp(name.nodename, "sloth") && !strcmp(get("kernel/hostname"), "sloth\n"), "up to the end of the line");
    put("kernel/hostname", kept);
    snprintf(kept, sizeof(kept), "%s", get("kernel/domainname"));
    put("kernel/domainname", "tree.example");
    ok(!strcmp(get("kernel/domainname"), "tree.example\n"), "kernel/domainname as well");
    put("kernel/domainname", kept);
    ok(get("kernel/core_pattern") && *get("kernel/core_uses_pid"), "kernel/core_pattern can be read");
    is(put("kernel/ostype", "x"), -EACCES, "what cannot be set is not opened for writing, by root either");
}

// xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx
static bool is_uuid(const char *text)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
            return false;
    }
    return text[14] == '4' && strchr("89ab", text[19]) && text[36] == '\n' && !text[37];
}

static void random_check(void)
{
    char first[64];
    ok(is_uuid(get("kernel/random/uuid")), "kernel/random/uuid is a random UUID");
    strcpy(first, observe_text);
    ok(strcmp(first, get("kernel/random/uuid")) != 0, "and another one each time");
    ok(is_uuid(get("kernel/random/boot_id")), "kernel/random/boot_id is one too");
    strcpy(first, observe_text);
    ok(strcmp(first, get("kernel/random/boot_id")) == 0, "that stays");
}

static void limit_check(void)
{
    long total = meminfo("MemTotal:");
    put("vm/overcommit_ratio", "80");
    between(total * 80 / 100 - 4, meminfo("CommitLimit:"), total * 80 / 100, "O4 CommitLimit is RAM x ratio");
    put("vm/overcommit_kbytes", "40000");
    is(meminfo("CommitLimit:"), 40000, "O4 or overcommit_kbytes");
    put("vm/overcommit_ratio", "50");
    between(total / 2 - 4, meminfo("CommitLimit:"), total / 2, "O4 what was set last counts");
}

int main(void)
{
    struct stat stat;
    tap_begin();
    writes_check();
    position_check();
    names_check();
    random_check();
    limit_check();
    ok(!lstat("/proc/sys/vm/overcommit_memory", &stat) && stat.st_mode == (S_IFREG | 0644) &&
           stat.st_size == 0,
       "a setting is a file of 0644 and no size");
    ok(!lstat("/proc/sys/kernel", &stat) && stat.st_mode == (S_IFDIR | 0555), "in a directory of 0555");
    return tap_end();
}
