#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 2G  time: 300
"""The ISO's own menu, as a person at the serial console sees it: self-tests, tour, and a shell by default."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, contains, done, equal, note, ok, qemu, run

DOWN, ENTER = b"\x0e", b"\r"        # Ctrl-N, as in Emacs: a single byte, unlike an arrow key
PROMPT = b"lazybones:"


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
DEMOS = [line.split()[0] for line in run(built("user/tour"), "-l")[1].decode().splitlines()]
NEXT = [(f"[Enter: on to {name},".encode(), ENTER) for name in DEMOS[1:]]
for name, answers, wanted in [("self-tests", [(MENU, DOWN + ENTER)], "KTAP version 1"),
                              ("demo tour", [(MENU, DOWN + DOWN + ENTER), *NEXT], "A sparse gibibyte")]:
    outcome, text = boot(answers)
    equal(outcome.kind, "power-off", f"{name}: ran and powered off")
    contains(text, wanted, f"{name}: showed what it is for")
    if outcome.kind != "power-off":
        note(outcome.text)
        note(text[-3000:])

ok(all(f"on to {name}," in text for name in DEMOS[1:]), "demo tour: went through all of them", text[-2000:])

# By itself, after a second, the first entry: a shell. `exit` ends it, and the machine.
outcome, text = boot([(PROMPT, b"exit\r")])
equal(outcome.kind, "power-off", "a shell by itself; when it ends the machine is off")
banner = text.split("Booting")[-1]
ok(DEMOS and all(re.search(rf"\b{name}\b", banner) for name in DEMOS), "its banner names each demo", banner)
ok(all(len(line) <= 80 for line in banner.splitlines()), "on lines of at most 80 columns", banner)
if outcome.kind != "power-off":
    note(outcome.text)
    note(text[-3000:])
done()
