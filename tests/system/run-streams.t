#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 90
"""Input, output and errors of scripts/run are the program's, byte for byte; the kernel's log is in none."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, contains, done, equal, ok, run

PROGRAM = built("tests/system/guest")
EVERY_BYTE = bytes(range(256)) * 40 + b"\x10\x10\x04\x10\x02\x10"      # with all that the framing must escape

status, output, errors = run("scripts/run", PROGRAM, "copy", stdin=EVERY_BYTE)
ok(output == EVERY_BYTE, "binary input comes back unchanged",
   f"{len(output)} bytes of {len(EVERY_BYTE)}\n{errors}")
equal((status, errors), (0, ""), "and the end of input ends the program")
status, output, errors = run("scripts/run", PROGRAM, "copy", stdin=b"")
equal((status, output, errors), (0, b"", ""), "empty input is an end at once")

wanted = bytes((i % 251 + (i // 251) % 5) & 255 for i in range(70001))
status, output, errors = run("scripts/run", PROGRAM, "bytes")
ok(output == wanted, "70,001 bytes of output arrive unchanged", f"{len(output)} bytes\n{errors}")

status, output, errors = run("scripts/run", PROGRAM, "both")
equal((output, errors), (b"to output\n", "to errors\n"), "output and errors are kept apart")
status, output, errors = run("sh", "-c", 'scripts/run "$1" bytes | head -c 5 | wc -c', "sh", PROGRAM)
equal((output.strip(), errors), (b"5", ""), "a reader that goes away is no drama")

words = ["", "two words", "a'quote", 'a"quote', "$HOME", "back\\slash", "new\nline", "--mem", "\xe4"]
status, output, errors = run("scripts/run", "--env", "COLOUR=sky blue", PROGRAM, "arguments", *words)
wanted = "".join(f"[{word}]" for word in words).encode() + b"{PATH=/bin}{HOME=/}{COLOUR=sky blue}"
equal(output, wanted, "arguments and environment arrive as they were given")

with tempfile.TemporaryDirectory(prefix="lazybones run ") as folder:
    data, log = os.path.join(folder, "some data"), os.path.join(folder, "log")
    with open(data, "wb") as file:
        file.write(EVERY_BYTE)
    status, output, errors = run("scripts/run", "--file", data, "--file", f"{data}:/deep/er/copy",
                                 "/bin/busybox", "cat", "/some data", "/deep/er/copy")
    ok(output == EVERY_BYTE * 2, "--file puts files into the guest, under their own name or a given one",
       f"{len(output)} bytes\n{errors}")
    status, output, errors = run("scripts/run", "--log", log, "--stats", PROGRAM, "both")
    with open(log, "rb") as file:
        text = file.read()
    ok(len(text) > 40 and text not in output, "--log keeps the kernel's log", repr(text))
    equal(output, b"to output\n", "which is not in the output")
    lines = errors.splitlines()
    equal(lines[:1], ["to errors"], "--stats leaves the program's errors alone")
    ok(len(lines) > 4 and all(line.split()[-1].replace(",", "").isdigit() for line in lines[1:]),
       "--stats prints the kernel's counters after them", errors)
done()
