#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 32M  time: 120
"""Every allocation of fork, execve, mmap, brk, mprotect, faults, signals, pipes and /proc fails once
(tests/kernel/sweep.c). The kernel's KTAP is this test's output."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import boot_selftests, note, qemu

outcome, text = boot_selftests(machine=qemu.Machine(memory="32M"), parameters=["selftest=sweep"], timeout=60)
_, version, results = text.partition("KTAP version 1")
print(version + results, flush=True)
if outcome.kind == "power-off" and outcome.selftest.startswith("pass") and version:
    sys.exit(0)
note(f"{outcome.kind}: {outcome.text} {outcome.selftest}")
note("" if version else text[-3000:])
sys.exit(1)
