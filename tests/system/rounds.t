#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 120
"""No leak: 10,000 rounds of fork, exec and exit in one guest leave MemFree and Committed_AS exactly as before.

tests/user/rounds.c looks from within, and its checks are passed on. Its own slabs are still in use then; here a
shell looks before it starts and after it has gone, so that not one frame may be missing.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, done, equal, note, ok, run

ROUNDS = 10000
# Two short runs first, in the same way: what they read of the programs stays in the page cache, and the long run
# then reads nothing more.
SCRIPT = f"""
for rounds in 50 50 {ROUNDS}; do
    /rounds $rounds
    cat /proc/meminfo
done
"""

status, output, errors = run("scripts/run", "--timeout", "110",
                             "--file", built("tests/user/rounds") + ":/rounds",
                             "/bin/busybox", "sh", "-c", SCRIPT)
text = output.decode(errors="replace")
if not equal((status, errors), (0, ""), "the guest runs to its end"):
    note(text[-3000:])
checks = re.findall(r"^(not )?ok \d+ - (.*)$", text, re.M)
equal(re.findall(r"^1\.\.(\d+)$", text, re.M), [str(len(checks) // 3)] * 3, "each run made all its checks")
for failed, name in checks:
    ok(not failed, f"from within: {name}")
for field in "MemFree", "Committed_AS":
    figures = re.findall(rf"^{field}: +(\d+) kB$", text, re.M)
    ok(len(figures) == 3 and figures[1] == figures[2], f"{field} after {ROUNDS} rounds equals {field} before",
       f"kB after each run: {figures}\n{text}")
done()
