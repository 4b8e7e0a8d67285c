#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 48M  time: 300
"""The random stress of tests/user/stress.c for 60 seconds of guest time on 48 MiB: every byte right."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import boot_program, built, done, equal, note, ok, qemu

outcome, console, _ = boot_program(built("tests/user/stress"), "60", machine=qemu.Machine(memory="48M"), timeout=280)
text = console.decode(errors="replace")
checks = [line for line in text.splitlines() if line.startswith(("ok ", "not ok "))]
good = equal((outcome.kind, outcome.status), ("exit", 0), "60 seconds on 48 MiB end in order")
for line in checks:
    ok(line.startswith("ok "), line.split(" - ", 1)[-1])
if not good or len(checks) == 0:
    note(text[-3000:])
    note(outcome.text)
    note(outcome.log.decode(errors="replace")[-3000:])
done()
