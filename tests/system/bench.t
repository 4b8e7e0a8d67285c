#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 2G  time: 120
"""The bench's tools: a failed measure fails, and a profile accounts for all that the bench counts."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, contains, done, equal, ok, run

import bench_table

CALL_AND_RETURN = 12    # of the user's instructions around an operation, those that the bench leaves out

status, output, errors = run("scripts/run", "--mem", "64M", built("user/bench"), "null_call", "fork_64M")
figures, failed = bench_table.parse(output.decode())
equal((status, errors, list(figures), failed), (1, "", ["null_call"], ["fork_64M failed: too little memory"]),
      "a measure that cannot be made says so")
alone = bench_table.parse(run("scripts/run", "--icount", built("user/bench"), "fork_exit")[1].decode())[0]
together = bench_table.parse(run("scripts/run", "--icount", built("user/bench"), "fork_64M", "fork_exit")[1].decode())[0]
equal(list(together), ["fork_exit", "fork_64M"], "a small process is measured before a large one, whatever the order of names")
ok(alone and abs(together["fork_exit"][1] - alone["fork_exit"][1]) < alone["fork_exit"][1] / 50,
   "and costs what it costs alone", f"{alone} {together}")
status, output, errors = run("scripts/bench", "no_such_measure")
equal((status, output), (2, b""), "an unknown measure is refused")
contains(errors, "no measure is called no_such_measure", "and named")

for name, function in ("null_call", "syscall_entry"), ("zero_read", "mm_fault"):
    status, output, errors = run("scripts/bench", name)
    counted = bench_table.table_figures(output.decode()).get(name, (0, 0))
    equal((status, errors), (0, ""), f"make bench BENCH={name} runs")
    status, output, errors = run("scripts/profile", "--share", "0", name)
    text = output.decode()
    equal((status, errors), (0, ""), f"make profile BENCH={name} runs")
    total = int(re.match(rf"{name}: ([0-9,]+) instructions", text)[1].replace(",", ""))
    tree, _, flat = text.partition("share\n")
    ok(counted[0] <= total <= counted[1] + CALL_AND_RETURN, f"{name}: profile and bench count the same",
       f"profile {total}, bench {counted}")
    selves = [int(count.replace(",", "")) for count in re.findall(r"^ *[0-9,]+ +([0-9,]+)  ", tree, re.M)]
    shares = [int(count.replace(",", "")) for count in re.findall(r"^ *([0-9,]+) +[0-9.]+%", flat, re.M)]
    equal((sum(selves), sum(shares)), (total, total), f"{name}: tree and list add up")
    contains(tree, function, f"{name}: the tree names {function}")
done()
