#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 60
"""The ISO boots from BIOS and from UEFI, and a program runs in what it boots."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import boot_program, built, contains, done, equal, note, qemu

PROGRAM = built("tests/system/guest")
for firmware in ("bios", "uefi"):
    machine = qemu.Machine(firmware=firmware)
    outcome, console, _ = boot_program(PROGRAM, "exit", "7", machine=machine, iso=True)
    equal((outcome.kind, outcome.status), ("exit", 7), f"{firmware}: the program ran and its status came out")
    if outcome.kind != "exit":
        note(outcome.text)
        note(outcome.log.decode(errors="replace"))
outcome, console, _ = boot_program(PROGRAM, "arguments", "x", machine=qemu.Machine(firmware="uefi"), iso=True)
contains(console, b"[x]", "uefi: the program's output came out")
done()
