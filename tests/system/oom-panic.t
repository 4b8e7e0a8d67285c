#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 64M  time: 120
"""What only a kernel of its own can show of memory running out: the panics, and the boot parameters."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import boot_program, built, contains, done, equal, note, ok, qemu

BUSYBOX = "/bin/busybox"
SMALL = qemu.Machine(memory="64M")


def log_of(outcome):
    return outcome.log.decode(errors="replace")


# panic_on_oom: the log as far as the task table, then no victim but a panic in Linux's words.
outcome, console, _ = boot_program(built("tests/user/hogs"), "1", machine=SMALL, parameters=["vm.panic_on_oom=1"])
if not equal(outcome.kind, "panic", "vm.panic_on_oom=1: the machine panics when memory is out"):
    note(outcome.text)
    note(console.decode(errors="replace")[-2000:])
contains(log_of(outcome), "Out of memory: system-wide panic_on_oom is enabled", "it says why")
contains(log_of(outcome), "invoked oom-killer", "after the report")
ok("Killed process" not in log_of(outcome), "nobody is killed")

# Nobody is left to kill: init itself is the hog.
script = "echo -1000 >/proc/self/oom_score_adj; x=0123456789abcdef; while :; do x=$x$x; done"
outcome, _, _ = boot_program(BUSYBOX, "sh", "-c", script, machine=SMALL)
if not equal(outcome.kind, "panic", "a hog that may not be killed, and nobody else: the machine panics"):
    note(outcome.text)
contains(log_of(outcome), "Out of memory and no killable processes...", "it says so")
contains(log_of(outcome), "System is deadlocked on memory", "in Linux's words")

# The knobs as boot parameters.
wanted = {"overcommit_memory": 2, "overcommit_ratio": 75, "panic_on_oom": 1, "oom_kill_allocating_task": 1,
          "oom_dump_tasks": 0}
outcome, console, _ = boot_program(BUSYBOX, "cat", *[f"/proc/sys/vm/{name}" for name in wanted], machine=SMALL,
                                   parameters=[f"vm.{name}={value}" for name, value in wanted.items()])
equal([int(word) for word in console.split()], list(wanted.values()), "each knob can be set as a boot parameter")
done()
