#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 2G  time: 300
"""The ISO's own menu, as a person at the serial console sees it: self-tests, tour, and init by default."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import contains, done, equal, note, qemu

DOWN, ENTER = b"\x0e", b"\r"        # Ctrl-N, as in Emacs: a single byte, unlike an arrow key


class Screen(qemu.Collector):
    """The console; answers with keys once it has seen a text."""

    def __init__(self, answers):
        super().__init__()
        self.answers, self.guest = list(answers), None

    def take(self, data):
        super().take(data)
        while self.answers and self.answers[0][0] in self.data:
            self.guest.send(self.answers.pop(0)[1])


def boot(answers, timeout=120):
    """(Outcome, all that was on the console) of the ISO with these (text to wait for, keys to press)."""
    qemu.build("build/debug/lazybones.iso")
    screen = Screen(answers)
    guest = qemu.Guest(qemu.Machine(memory="2G"), qemu.iso_medium(qemu.built("debug/lazybones.iso")),
                       console=screen, framed=False, kernel=qemu.built("debug/lazybones.elf"))
    screen.guest = guest
    outcome = guest.run(timeout)
    return outcome, bytes(screen.data).decode(errors="replace")


MENU = b"demo tour"                 # the last line of the menu
for name, keys, wanted in [("self-tests", DOWN + ENTER, "KTAP version 1"),
                           ("demo tour", DOWN + DOWN + ENTER, "A sparse gibibyte")]:
    outcome, text = boot([(MENU, keys)])
    equal(outcome.kind, "power-off", f"{name}: ran and powered off")
    contains(text, wanted, f"{name}: showed what it is for")
    if outcome.kind != "power-off":
        note(outcome.text)
        note(text[-3000:])

# By itself, after a second, the first entry: init greets and waits for a choice. `exit` is the one that ends
# it.
outcome, text = boot([(b"exit", b"exit\r")])
equal(outcome.kind, "power-off", "init: took a line from the console and powered off")
if outcome.kind != "power-off":
    note(outcome.text)
    note(text[-3000:])
done()
