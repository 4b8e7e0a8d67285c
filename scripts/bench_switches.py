# SPDX-License-Identifier: MIT
"""What work ahead of need costs and saves: the tables of prezero= and faultahead= in docs/performance.md.

Each column is one boot; figures are instructions (--icount).
"""
import os
import re
import subprocess

import bench_report
import bench_table
import qemu
from bench_linux import busybox

MEMORY = "2G"
FAULTS = "cat /proc/lazy/faults"
number = bench_report.number


def output_of(parameters, script):
    """What a shell's script prints, the bench being /bin/bench, and what the kernel reports at the end. Raises CannotRun."""
    command = [os.path.join(qemu.ROOT, "scripts", "run"), "--icount", "--mem", MEMORY, "--stats", "--timeout", "600",
               "--append", f"loglevel=4 {parameters}", "--file", f"{qemu.built('user/bench')}:/bin/bench", busybox(), "sh", "-c", script]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if run.returncode:
        raise qemu.CannotRun(f"{run.stdout}{run.stderr}the run with {parameters or 'no parameter'} ended with status {run.returncode}")
    return run.stdout, {name: int(count.replace(",", "")) for name, count in re.findall(r"^([\w.]+) +([0-9,]+)$", run.stderr, re.M)}


def columns_of(switches, script):
    return [output_of(switch, script) for switch in switches]


def prezero():
    """After a rest of 0.2 s, in which the idle process clears frames; the minimum is of the first time, when it has."""
    switches = "", "prezero=20000"
    columns = columns_of(switches, "sleep 0.2; /bin/bench --once zero_fill touch_1M touch_64M")
    figures = [bench_table.parse(output)[0] for output, _ in columns]
    stats = [stats for _, stats in columns]
    cost = [stat["blank.ticks"] // stat["blank.made"] if stat["blank.made"] else None for stat in stats]
    return bench_report.markdown([
        ["", "off", *(f"`{switch}`" for switch in switches[1:])],
        ["`zero_fill`, a fault", *(number(figure["zero_fill"][1]) for figure in figures)],
        ["`touch_1M`", *(number(figure["touch_1M"][0]) for figure in figures)],
        ["`touch_64M`, the first time (later ones come without a rest)", *(number(figure["touch_64M"][0]) for figure in figures)],
        ["a frame that the idle process clears (512 of it the clearing)", *map(number, cost)],
        ["cleared in all, frames", *(number(stat["blank.made"]) for stat in stats)],
        ["taken as zeroes, frames", *(number(stat["blank.taken"]) for stat in stats)],
    ])


def counted(output, kind):
    """What `FAULTS` said of a kind, time after time."""
    return [int(count) for count in re.findall(rf"^{kind} +(\d+)$", output, re.M)]


def faultahead():
    """Memory touched from end to end; and a small program, which touches little, and not in a row."""
    switches, names = ("", "faultahead=4", "faultahead=16"), ("touch_1M", "touch_64M", "touch_1024M", "vfork_exec")
    outputs = [output for output, _ in columns_of(
        switches, f"{FAULTS}; busybox true; {FAULTS}; /bin/bench --once {' '.join(names)}")]
    figures = [bench_table.parse(output)[0] for output in outputs]
    fills, ahead = ([counts[1] - counts[0] for counts in (counted(output, kind) for output in outputs)] for kind in ("ZERO_FILL", "ahead"))
    return bench_report.markdown([
        ["", "off", *(f"`{switch}`" for switch in switches[1:])],
        *([f"`{name}`", *(number(figure[name][1]) for figure in figures)] for name in names),
        ["`busybox true`: zero-fill faults", *map(number, fills)],
        ["`busybox true`: pages that came along", *map(number, ahead)],
    ])


def tables_write():
    """Both tables into the page. Raises CannotRun."""
    bench_report.page_write(prezero(), "prezero")
    bench_report.page_write(faultahead(), "faultahead")
