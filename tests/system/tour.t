#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 60
"""The gdb sessions in docs/tour.md and README.md are real: each command is given again, and must answer as the page says.

    tests/system/tour.t --record     write the answers of today into the pages

A line `<!-- machine: OPTIONS -->` starts a machine; the ```gdb blocks behind it are its session. What depends on the
build (addresses, frame and line numbers, offsets, instructions) is compared by its place alone.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, built, done, note, ok, qemu, run

PAGES = ("README.md", "docs/tour.md")
PROMPT, MARK = "(gdb) ", "@command@ "
BLOCK = re.compile(r"(?<=^```gdb\n).*?(?=^```$)", re.M | re.S)
MACHINE = re.compile(r"^<!-- machine: (.*) -->$", re.M)

# Run inside gdb: each command as if it were typed, with a mark before its answer.
DRIVER = """
gdb.execute("set pagination off")
gdb.execute("set width 0")
for number, command in enumerate({commands!r}):
    print("{mark}%d" % number, flush=True)
    try:
        gdb.execute(command, from_tty=True)
    except gdb.error as error:
        print(error)
print("{mark}end", flush=True)
"""


def commands_of(block):
    return [line[len(PROMPT):] for line in block.splitlines() if line.startswith(PROMPT)]


def answers(options, commands):
    """What gdb says to each command on a fresh machine."""
    driver = os.path.join(qemu.BUILD, "tour.py")
    with open(driver, "w") as file:
        file.write(DRIVER.format(commands=commands, mark=MARK))
    _, output, errors = run("scripts/qemu.py", "debug", "--session", "tour", *options, "build/debug/lazybones.elf",
                            "build/debug/lazybones.iso", "-batch", "-x", driver, limit=50)
    parts = re.split(rf"^{MARK}(?:\d+|end)\n", output.decode(errors="replace"), flags=re.M)
    if len(parts) != len(commands) + 2:
        note(output.decode(errors="replace")[-3000:] + errors[-1000:])
        raise SystemExit("Bail out! gdb did not answer every command")
    return ["\n".join(line.rstrip() for line in part.strip("\n").splitlines()) for part in parts[1:-1]]


def essence(text):
    """Without what another compiler, or another function above, would change."""
    text = re.sub(r"^((?:=>|  ) 0x[0-9a-f]+ <\w+\+\d+>:).*", r"\1 …", text, flags=re.M)
    text = re.sub(r"([\d,]+) → ([\d,]+)", lambda change: f"{int(change[2].replace(',', '')) - int(change[1].replace(',', '')):+d}",
                  text)
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    text = re.sub(r"\+\d+>", "+…>", text)
    text = re.sub(r"\[ *\d+\]", "[…]", text)
    text = re.sub(r"(\.(?:c|h|asm)):\d+|^\d+\t", r"\1:…", text, flags=re.M)
    return re.sub(r"\b\d{1,3}(?:,\d{3})+\b|\b\d{3,}\b", "…", text)


def sessions(page):
    """[(options, [(start, end, block)])]: the machines of the page and their blocks."""
    machines = list(MACHINE.finditer(page))
    ends = [each.start() for each in machines[1:]] + [len(page)]
    return [(machine[1].split(), [(match.start(), match.end(), match[0])
                                  for match in BLOCK.finditer(page, machine.end(), end)])
            for machine, end in zip(machines, ends)]


def transcript(commands, replies):
    return "".join(PROMPT + command + "\n" + (reply + "\n" if reply else "") for command, reply in zip(commands, replies))


def compare(name, was, now):
    first = commands_of(was)[0]
    ok(essence(now) == essence(was), f"{name}: {first}",
       f"the page says\n{essence(was)}\ngdb says\n{essence(now)}\n(tests/system/tour.t --record rewrites the page)")


def replay(name, page):
    """Each session of a page once more; the page with the answers of today."""
    fresh, taken = "", 0
    for options, blocks in sessions(page):
        replies = iter(answers(options, [command for *_, block in blocks for command in commands_of(block)]))
        for start, end, block in blocks:
            commands = commands_of(block)
            now = transcript(commands, [next(replies) for _ in commands])
            fresh += page[taken:start] + now
            taken = end
            if "--record" not in sys.argv:
                compare(name, block, now)
    return fresh + page[taken:]


def main():
    built("debug/lazybones")
    built("user/forkvars")
    for name in PAGES:
        path = os.path.join(ROOT, name)
        with open(path) as file:
            fresh = replay(name, file.read())
        if "--record" in sys.argv:
            with open(path, "w") as file:
                file.write(fresh)
    if "--record" not in sys.argv:
        done()


main()
