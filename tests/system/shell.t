#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 256M  time: 120
"""busybox sh on the serial terminal, typed at as a person does: editing, Ctrl-C, job control."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import done, note, ok, qemu

PROMPT = "lazybones:"       # and the working directory
CTRL = {name: chr(ord(name) - 64) for name in "CDQSUVWZ"}

# What to wait for, and what to type then. A row with a name is a test point: its text has come before the next row's
# keys were typed. What the shell echoes is never what is waited for: that would come in any case. GO says "g0", which
# comes when the shell has left its own line editing and given the terminal back its cooked mode.
GO = "echo g$((0)); "


def job(program):
    """A foreground job that says "g0" itself: keys typed from then on reach it, and not the shell between two commands."""
    return f"sh -c 'echo g$((0)); exec {program}'"


DIALOG = [
    ("life forkvars", "", "the banner names the demos"),
    (PROMPT, "echo $((6 * 7)) is right\r", "the shell prompts"),
    ("42 is right", "", "a line is run"),
    (PROMPT, GO + "cat\r", ""),
    ("g0\r\n", f"one word{CTRL['W']}more\r{CTRL['D']}", ""),
    ("\r\none more\r\n", "", "Ctrl-W takes a word away, Ctrl-D ends the file"),
    (PROMPT, job("cat") + "; echo after cat $?\r", ""),
    ("g0\r\n", CTRL["C"], ""),
    ("^C", "", "Ctrl-C is shown"),
    (PROMPT, job("cat") + "\r", "and ends the program, and the shell's line"),
    ("g0\r\n", CTRL["Z"], ""),
    ("Stopped", "", "Ctrl-Z stops a program"),
    (PROMPT, "jobs\r", "the shell has the terminal again"),
    ("Stopped", "", "jobs shows it"),
    (PROMPT, "fg\r", ""),
    ("exec cat\"\r\n", "still here\r", ""),
    ("still here\r\nstill here\r\n", CTRL["D"], "fg lets it go on"),
    (PROMPT, "sleep 1000 &\r", ""),
    (PROMPT, "jobs\r", ""),
    ("Running", "", "a background job runs"),
    (PROMPT, "kill %1; wait; echo $((7 * 7)) gone\r", ""),
    ("49 gone", "", "and can be ended"),
    (PROMPT, "cat &\r", ""),
    (PROMPT, "sleep 0.3; jobs\r", ""),
    ("Stopped (tty input)", "", "a background job that reads is stopped"),
    (PROMPT, "kill %1; kill -CONT %1; wait; echo $((8 * 8)) gone\r", ""),
    ("64 gone", "", "and can be ended"),
    (PROMPT, "stty tostop; echo hidden &\r", ""),
    (PROMPT, "sleep 0.3; jobs\r", ""),
    ("Stopped (tty output)", "", "with tostop one that writes is, too"),
    (PROMPT, "stty -tostop; fg\r", ""),
    ("hidden\r\n", "", "and goes on in the foreground"),
    (PROMPT, "stty rows 30 cols 90; stty size\r", ""),
    ("30 90", "", "the window's size is kept"),
    (PROMPT, GO + "cat\r", ""),
    ("g0\r\n", f"{CTRL['V']}{CTRL['C']}quoted\r{CTRL['D']}", ""),
    ("quoted\r\n", "", "Ctrl-V takes the meaning of a key away"),
    (PROMPT, f"{GO}sleep 0.2; echo $((9 * 9)) flows\r", ""),
    ("g0\r\n", CTRL["S"], ""),
    ("", CTRL["Q"], ""),
    ("81 flows", "", "Ctrl-S holds output back, Ctrl-Q lets it go"),
    (PROMPT, f"stty -icanon -echo; {GO}sleep 0.5; mkpasswd >f; stty sane; echo $((5 * 5)) flushed\r", ""),
    ("g0\r\n", "x" * 6000 + "\r", ""),
    ("25 flushed", "", "after a flush of a terminal that was full it takes input again"),
    (PROMPT, "true | false | cat; echo $((3 * 3)) > /tmp/f; cat /tmp/f\r", ""),
    ("\r\n9\r\n", "", "a pipeline and a redirection"),
    (PROMPT, "echo '#!/bin/sh' >f; echo 'echo script in $PWD' >>f; chmod +x f; ./f\r", ""),
    ("script in /root\r\n", "", "a script finds its shell"),
    (PROMPT, "thirty\r", ""),
    ("The 70 pages", "", "a demo is run by its name"),
    (PROMPT, "kill -9 $$\r", ""),
    ("another.", "", "a shell that is killed is followed by another"),
    (PROMPT, "poweroff\r", ""),
]


class Typist(qemu.Collector):
    """The terminal: goes through the dialog, each row's text looked for behind the one before."""

    def __init__(self):
        super().__init__()
        self.guest, self.row, self.at = None, 0, 0

    def take(self, data):
        super().take(data)
        while self.row < len(DIALOG) and self.step(*DIALOG[self.row][:2]):
            self.row += 1

    def step(self, text, keys):
        found = self.data.find(text.encode(), self.at)
        if found < 0:
            return False
        self.at = found + len(text)
        self.guest.send(keys.encode())
        return True


qemu.build("build/release/lazybones.iso")
typist = Typist()
guest = qemu.Guest(qemu.Machine(memory="256M"), qemu.iso_medium(qemu.built("release/lazybones.iso")),
                   console=typist, framed=False, kernel=qemu.built("release/lazybones.elf"))
typist.guest = guest
outcome = guest.run(60)
for row, (_, _, name) in enumerate(DIALOG):
    if name:
        ok(typist.row > row, name)
if not ok(outcome.kind == "power-off", "the machine is switched off"):
    note(outcome.text)
if typist.row < len(DIALOG):
    note(f"waited for {DIALOG[typist.row][0]!r} after:")
    note(bytes(typist.data[-1500:]).decode(errors="replace"))
done()
