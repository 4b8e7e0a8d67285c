#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 40
"""Boot parameters: vm.* set what /proc/sys/vm shows, and what is no value is told in the log; prezero= and faultahead=."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import contains, done, equal, note, ok, run

BUSYBOX = next(filter(os.path.exists, ["/bin/busybox", "/usr/bin/busybox"]))
SCRIPT = ("cd /proc/sys/vm; cat overcommit_memory overcommit_kbytes overcommit_ratio max_map_count panic_on_oom; "
          "dmesg | grep 'not a value'")

status, output, errors = run(
    "scripts/run", "--append",
    "vm.overcommit_memory=2 vm.overcommit_kbytes=0x8000 vm.max_map_count=1000 vm.panic_on_oom=9 vm.min_free_kbytes=-1",
    BUSYBOX, "sh", "-c", SCRIPT)
if not equal(status, 0, "the machine boots and the settings are read"):
    note(errors)
lines = output.decode().splitlines() if isinstance(output, bytes) else output.splitlines()
equal(lines[:5], ["2", "32768", "0", "1000", "0"], "they hold what the parameters say; a bad value changes nothing")
told = "\n".join(lines[5:])
contains(told, "vm.panic_on_oom=9: not a value", "a value out of range is told")
contains(told, "vm.min_free_kbytes=-1: not a value", "and so is a negative number of kilobytes")


# ---------------------------------------------------------------- frames cleared ahead of need

def frames_with(parameters):
    """/proc/lazy/frames after a moment in which nobody ran: the free frames; those blank, made and taken; ticks."""
    _, output, _ = run("scripts/run", "--icount", "--append", parameters, BUSYBOX, "sh", "-c", "sleep 0.1; cat /proc/lazy/frames")
    found = [re.search(rf"^{name} (\d+)", output.decode(), re.M) for name in ("free", "blank", "blank.made", "blank.taken", "blank.ticks")]
    return [int(each[1]) if each else -1 for each in found]


free, blank, made, taken, _ = frames_with("")
ok(0 <= blank <= 64 and made == 0 <= taken, "no frame is cleared ahead of need unless prezero= asks for it", f"{blank} {made} {taken}")
free_then, blank, made, taken, ticks = frames_with("prezero=500")
ok(0 < taken and made >= 500 and blank > 400, "with prezero=500 so many frames are cleared, and then taken", f"{blank} {made} {taken}")
equal(free_then, free, "they are free memory")
ok(512 * made < ticks < 600 * made, f"clearing one takes the idle process {ticks // max(made, 1)} instructions")


# ---------------------------------------------------------------- pages mapped ahead of need

def faults_with(parameters):
    """Zero-fill faults, and the pages that came with them, of a program that fills 4 MiB from end to end."""
    script = "cat /proc/lazy/faults; dd if=/dev/zero of=/dev/null bs=4M count=1; cat /proc/lazy/faults"
    _, output, _ = run("scripts/run", "--append", parameters, BUSYBOX, "sh", "-c", script)
    fills, ahead = ([int(count) for count in re.findall(rf"^{name} +(\d+)", output.decode(), re.M)] for name in ("ZERO_FILL", "ahead"))
    return (fills[1] - fills[0], ahead[1] - ahead[0]) if len(fills) == len(ahead) == 2 else (-1, -1)


fills, ahead = faults_with("")
ok(fills >= 1024 and ahead == 0, "a fault for each page, and no page without one, unless faultahead= asks for it", f"{fills} {ahead}")
fills, ahead = faults_with("faultahead=16")
ok(0 < fills < 200 and 850 < ahead < 1300, "with faultahead=16 most pages come with another's fault", f"{fills} {ahead}")
done()
