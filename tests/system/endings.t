#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 32M  time: 60
"""Each way in which a guest can end is recognised by scripts/qemu.py, and none is taken for another."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, contains, done, equal, qemu

KERNEL = built("tests/system/endings")
qemu.build("build/grub.iso")


def end(word, timeout=4, act=None):
    guest = qemu.Guest(qemu.Machine(memory="32M", tcg=True), qemu.run_medium(KERNEL, [f"end={word}"], b""),
                       kernel=KERNEL)
    if act:
        act(guest)
    return guest.run(timeout)


for word, kind, text in [
        ("exit", "exit", "status 42"), ("acpi", "exit", "status 42"),
        ("nothing", "power-off", "without an exit status"),
        ("panic", "panic", "all is lost"), ("test", "selftest-failed", "fail 3 4"),
        ("triple", "triple-fault", "triple_fault+"),
        ("dead", "hang", "interrupts off, in the kernel at dead+"),
        ("idle", "hang", "all CPUs idle"), ("stuck", "hang", "stuck with interrupts off"),
        ("busy", "timeout", "still running")]:
    outcome = end(word)
    equal(outcome.kind, kind, f"end={word} is {kind}")
    contains(outcome.text, text, f"end={word} is told in words")
    if word == "exit":
        equal((outcome.status, outcome.stats), (42, {"faults": 12}), "status and counters come from the report")

outcome = end("busy", act=lambda guest: os.kill(guest.process.pid, signal.SIGKILL))
equal(outcome.kind, "killed", "a killed QEMU is none of these")
contains(outcome.text, "SIGKILL", "and its signal is named")
done()
