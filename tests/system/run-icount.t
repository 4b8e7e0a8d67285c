#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 120
"""--icount makes runs repeatable: two runs of one program count exactly the same."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, done, equal, ok, run

PROGRAM = built("tests/system/guest")
first = run("scripts/run", "--icount", "--stats", "--timeout", "50", PROGRAM, "bytes")
second = run("scripts/run", "--icount", "--stats", "--timeout", "50", PROGRAM, "bytes")
equal(first[0], 0, "a program runs under --icount")
ok(len(first[2].splitlines()) > 4, "and there are counters", first[2])
equal(first[2], second[2], "the second time they are the same")
done()
