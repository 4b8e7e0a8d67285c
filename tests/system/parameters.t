#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 40
"""The boot parameters vm.* set what /proc/sys/vm shows, and what cannot be set is told in the log."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import contains, done, equal, note, run

BUSYBOX = next(filter(os.path.exists, ["/bin/busybox", "/usr/bin/busybox"]))
SCRIPT = ("cd /proc/sys/vm; cat overcommit_memory overcommit_kbytes overcommit_ratio max_map_count panic_on_oom; "
          "dmesg | grep 'not a value'")

status, output, errors = run(
    "scripts/run", "--append",
    "vm.overcommit_memory=2 vm.overcommit_kbytes=0x8000 vm.max_map_count=1000 vm.panic_on_oom=9 vm.min_free_kbytes=1",
    BUSYBOX, "sh", "-c", SCRIPT)
if not equal(status, 0, "the machine boots and the settings are read"):
    note(errors)
lines = output.decode().splitlines() if isinstance(output, bytes) else output.splitlines()
equal(lines[:5], ["2", "32768", "0", "1000", "0"], "they hold what the parameters say; a bad value changes nothing")
told = "\n".join(lines[5:])
contains(told, "vm.panic_on_oom=9: not a value", "a value out of range is told")
contains(told, "vm.min_free_kbytes=1: not a value", "and one for what cannot be set")
done()
