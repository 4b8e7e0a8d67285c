// SPDX-License-Identifier: MIT
// ram: 256M  time: 60
// subject: files
//
// busybox's file tools and the shell's redirections, as a person uses them: a row is a line of shell and what it
// prints. The rows build on each other, in one directory.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static const struct row {
    const char *line, *prints;
} rows[] = {
    {"echo one > a; echo two >> a; cat a", "one\ntwo\n"},
    {"cat < a | wc -l", "2\n"},
    {"mkdir -p d/e/f && find d | sort", "d\nd/e\nd/e/f\n"},
    {"cp a d/e/b; cp -r d g; find g -type f; cat g/e/b", "g/e/b\none\ntwo\n"},
    {"mv g/e/b g/c; ls g", "c\ne\n"},
    {"mv g h; ls -d g h 2>/dev/null", "h\n"},
    {"ln a l; ln -s a s; ls -l | grep -c '^-.* 2 '; readlink s; cat s", "2\na\none\ntwo\n"},
    {"rm a; cat l; cat s 2>/dev/null || echo dangling", "one\ntwo\ndangling\n"},
    {"mv l a; echo three >> s; tail -n 1 a", "three\n"},
    {"grep -n t a", "2:two\n3:three\n"},
    {"sed -i 's/two/2/' a; cat a", "one\n2\nthree\n"},
    {"touch -d '2001-02-03 04:05:06' t; stat -c '%Y %s' t", "981173106 0\n"},
    {"chmod 640 t; stat -c %a t; chown 5:6 t; stat -c %u:%g t", "640\n5:6\n"},
    {"test t -ot a && echo older", "older\n"},
    {"dd if=/dev/zero of=z bs=4096 count=100 2>/dev/null; stat -c '%s %b' z", "409600 800\n"},
    {"dd if=/dev/zero of=z bs=1 count=1 seek=1000000 conv=notrunc 2>/dev/null; stat -c '%s' z", "1000001\n"},
    {"truncate -s 10 z; wc -c < z", "10\n"},
    {"seq 1 20000 > n; md5sum < n; cp n m; cmp n m && echo same", "e071f707df7bbeee2a6a1eb48011ddd0  -\nsame\n"},
    {"sort -rn n | head -n 2", "20000\n19999\n"},
    {"tar -cf x.tar d h a && mkdir y && tar -xf x.tar -C y && diff -r h y/h && cat y/a", "one\n2\nthree\n"},
    {"gzip -c n > n.gz; gunzip -c n.gz | cmp - n && echo same", "same\n"},
    {"cat <<END > here\nof $((6 * 7))\nEND\ncat here", "of 42\n"},
    {"exec 3> three; echo to three >&3; exec 3>&-; cat three", "to three\n"},
    {"(echo out; echo err >&2) > both 2>&1; cat both", "out\nerr\n"},
    {"set -C; (echo x > a) 2>/dev/null || echo kept; set +C", "kept\n"},
    {"mkfifo p; (echo through > p) & cat p; wait", "through\n"},
    {"mktemp -d ./tmp.XXXXXX | wc -c", "13\n"},
    {"cd d/e; pwd | sed 's/.*fs-shell//'; cd ../..; rmdir d/e/f; ls d/e", "/d/e\nb\n"},
    {"umask 077; > private; stat -c %a private", "600\n"},
    {"find . -name '*.gz' -o -type l | sort", "./n.gz\n./s\n"},
    {"du -k y/a", "4\ty/a\n"},
    {"printf '#!/bin/busybox sh\\necho script $1\\n' > run; chmod +x run; ./run it", "script it\n"},
    {"cp /bin/busybox busybox && ./busybox echo a copy runs", "a copy runs\n"},
    {"rm -rf *; ls -A | wc -l", "0\n"},
};

// Runs the line in busybox sh; its output goes to `got`.
static void run(const char *line, char *got, size_t size)
{
    int ends[2];
    if (pipe(ends))
        tap_bail("pipe");
    if (!fork()) {
        dup2(ends[1], 1);
        close(ends[0]), close(ends[1]);
        execl("/bin/busybox", "busybox", "sh", "-c", line, NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t have = 0;
    ssize_t n;
    while (have < size - 1 && (n = read(ends[0], got + have, size - 1 - have)) > 0)
        have += n;
    got[have] = 0;
    close(ends[0]);
    wait(NULL);
}

// A directory of links, so that the shell finds every tool by its name.
static void tools_install(void)
{
    char got[64];
    mkdir("/tmp/fs-tools", 0755);
    run("/bin/busybox --install -s /tmp/fs-tools", got, sizeof got);
    setenv("PATH", "/tmp/fs-tools", 1);
    setenv("TZ", "UTC", 1);
}

int main(void)
{
    char got[1024];
    tap_begin();
    tools_install();
    mkdir("/tmp/fs-shell", 0755);
    if (chdir("/tmp/fs-shell"))
        tap_bail("chdir");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run(rows[i].line, got, sizeof got);
        if (!ok(!strcmp(got, rows[i].prints), "%.*s", (int)strcspn(rows[i].line, "\n"), rows[i].line))
            tap_note("printed [%s]", got);
    }
    chdir("/");
    run("rm -rf /tmp/fs-shell /tmp/fs-tools", got, sizeof got);
    return tap_end();
}
