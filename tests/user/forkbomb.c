// SPDX-License-Identifier: MIT
// ram: 96M  time: 80
// subject: processes
//
// A fork bomb that only memory bounds, and one of processes that take next to none, which kernel.threads-max
// bounds: the shell lives through them, at oom_score_adj 0 like the bomb, and when the bomb's process group is
// killed everything comes back.
#include "oom.h"

#define BOMB_MS 3000
#define SLACK (on_lazybones() ? 32l : 2048l) // frames; object caches keep what thousands of processes needed

static char *region; // what each member of the bomb writes

struct shell {
    pid_t pid;
    int in, out;
};

static struct shell shell_start(void)
{
    int down[2], up[2];
    if (pipe(down) || pipe(up))
        tap_bail("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = {"busybox", "sh", NULL};
        oom_adj_set(0, 0);
        dup2(down[0], 0);
        dup2(up[1], 1);
        close(down[0]);
        close(down[1]);
        close(up[0]);
        close(up[1]);
        execv("/bin/busybox", argv);
        _exit(127);
    }
    close(down[0]);
    close(up[1]);
    return (struct shell){pid, up[0], down[1]};
}

// Says a line to the shell; true if it answers with `want` within 20 s.
static bool shell_answers(struct shell *shell, const char *line, const char *want)
{
    char got[100] = "";
    struct pollfd ready = {.fd = shell->in, .events = POLLIN};
    if (write(shell->out, line, strlen(line)) < 0 || poll(&ready, 1, 20000) != 1)
        return false;
    ssize_t n = read(shell->in, got, sizeof(got) - 1);
    return n > 0 && strcmp(got, want) == 0;
}

static _Noreturn void bomb(long pages)
{
    for (;;) {
        if (fork() < 0)
            sleep_ms(5);
        region_write(region, pages, 'b');
    }
}

// Sets off a bomb whose members write `pages` pages each, lets it rage, and ends it.
static void explode(struct shell *shell, const char *what, long pages)
{
    long frames = frames_free(), kills = observe_number(observe_file("/proc/vmstat"), "\noom_kill ");
    pid_t group = fork();
    if (group < 0)
        tap_bail("fork");
    if (group == 0) {
        setpgid(0, 0);
        oom_adj_set(0, 0);
        bomb(pages);
    }
    setpgid(group, group);
    sleep_ms(BOMB_MS);
    kills = observe_number(observe_file("/proc/vmstat"), "\noom_kill ") - kills;
    tap_note("%s: %ld OOM kills, %ld kB free", what, kills, meminfo("MemFree:"));
    if (pages > 0)
        between(1, kills, 1 << 20, "K1 %s: it is memory that bounds it", what);
    is(kill(-group, SIGKILL), 0, "K1 %s: its process group can be killed", what);
    waitpid(group, NULL, 0);
    for (int i = 0; i < 1000 && kill(-group, SIGKILL) == 0; i++)
        sleep_ms(10);
    fails(kill(-group, 0), ESRCH, "K1 %s: nothing is left of it", what);
    ok(shell_answers(shell, "echo alive\n", "alive\n"), "K1 %s: the shell lives and answers", what);
    long free = frames_await(frames - SLACK, 5000);
    between(-SLACK, frames - free, SLACK, "K4 %s: the memory comes back", what);
}

int main(void)
{
    oom_begin();
    region = region_map(1024);
    struct shell shell = shell_start();
    ok(shell_answers(&shell, "echo here\n", "here\n"), "K1 a shell is there");
    explode(&shell, "a bomb of 2 MiB a member", 512);
    explode(&shell, "a bomb of 4 MiB a member", 1024);
    explode(&shell, "a bomb of mere processes", 0);
    close(shell.out);
    int status = -1;
    waitpid(shell.pid, &status, 0);
    is(status, 0, "K1 the shell ends as it wants to");
    return tap_end();
}
