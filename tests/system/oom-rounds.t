#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 64M  time: 600
"""200 rounds of hogs and OOM kills on 64 MiB: no panic, no hang, and everything back after each round."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import boot_program, built, done, equal, note, ok, qemu

outcome, console, _ = boot_program(built("tests/user/hogs"), "200", machine=qemu.Machine(memory="64M"), timeout=550)
text = console.decode(errors="replace")
checks = [line for line in text.splitlines() if line.startswith(("ok ", "not ok "))]
good = equal((outcome.kind, outcome.status), ("exit", 0), "200 rounds on 64 MiB end in order")
for line in checks:
    ok(line.startswith("ok "), line.split(" - ", 1)[-1])
if not good or len(checks) == 0:
    note(text[-3000:])
    note(outcome.text)
    note(outcome.log.decode(errors="replace")[-3000:])
done()
