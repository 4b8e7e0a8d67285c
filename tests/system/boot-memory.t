#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 8G  time: 120
"""From 16 MiB to 8 GiB: boots, knows how much there is, runs a program. At 16 MiB it passes its self-tests."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import boot_program, boot_selftests, done, equal, note, ok, qemu

BUSYBOX = "/bin/busybox"
MIB = 1024


def report(outcome):
    note(outcome.text)
    note(outcome.log.decode(errors="replace")[-3000:])


for mebibytes in (16, 128, 3072, 8192):
    # 3 GiB lie below the hole for devices and 8 GiB around it, under SeaBIOS on this machine type.
    outcome, console, _ = boot_program(BUSYBOX, "cat", "/proc/meminfo", kind="release",
                                       machine=qemu.Machine(memory=f"{mebibytes}M"))
    if not equal((outcome.kind, outcome.status), ("exit", 0), f"{mebibytes} MiB: boots and runs a program"):
        report(outcome)
    found = re.search(rb"^MemTotal: +(\d+) kB$", console, re.M)
    total = int(found[1]) if found else 0
    lost = mebibytes * MIB - total
    # What is not in MemTotal: the first MiB's holes, the kernel, and 16 bytes a frame (0.4 %).
    allowed = 4 * MIB + mebibytes * MIB // 100
    ok(0 < lost <= allowed, f"{mebibytes} MiB: MemTotal tells of nearly all of it",
       f"MemTotal {total} kB, {lost} kB less than there is; allowed are {allowed}\n{console[:2000]!r}")

outcome, text = boot_selftests(machine=qemu.Machine(memory="16M"))
if not ok(outcome.kind == "power-off" and outcome.selftest.startswith("pass"), "16 MiB: the self-tests pass",
          outcome.text):
    note(text[-3000:])
done()
