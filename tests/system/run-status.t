#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 90
"""scripts/run ends as its program does, and with statuses of its own where the program cannot."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, contains, done, equal, note, run

PROGRAM = built("tests/system/guest")


def expect(wanted, name, *arguments):
    status, output, errors = run("scripts/run", *arguments)
    if not equal(status, wanted, name):
        note(errors)
    return output, errors


expect(0, "exit 0", PROGRAM, "exit", "0")
_, errors = expect(42, "exit 42", PROGRAM, "exit", "42")
equal(errors, "", "and nothing is said about it")
expect(255, "exit 255", PROGRAM, "exit", "255")
expect(128 + 11, "killed by SIGSEGV", PROGRAM, "signal", "11")
expect(128 + 9, "killed by SIGKILL", PROGRAM, "signal", "9")

_, errors = expect(125, "a panic", "--append", "panic=test", PROGRAM, "exit", "0")
contains(errors, "scripts/run: kernel panic: ", "a panic is told")
contains(errors, "kernel log: ", "and where the log is")
_, errors = expect(122, "a program that never ends", "--timeout", "4", PROGRAM, "spin")
contains(errors, "scripts/run: time-out: still running", "a time-out is told")
_, errors = expect(123, "a program that sleeps for ever", "--timeout", "6", PROGRAM, "sleep")
contains(errors, "scripts/run: hang: ", "a hang is told")
_, errors = expect(121, "a machine that QEMU does not know", "--cpu", "abacus", PROGRAM, "exit", "0")
contains(errors, "abacus", "QEMU's own words are passed on")
done()
