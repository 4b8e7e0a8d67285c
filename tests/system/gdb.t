#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 60
"""`make debug`'s session: gdb stops at the page fault's entry and sees lines, arguments and callers."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, contains, done, equal, ok, run

kernel, iso = built("debug/lazybones.elf"), built("debug/lazybones.iso")
status, output, errors = run("scripts/qemu.py", "debug", kernel, iso, "-batch", "-ex", "info line page_fault",
                             "-ex", "continue", "-ex", "backtrace", "-ex", "info source", limit=60)
text = output.decode(errors="replace")
equal(status, 0, "gdb's session ends well")
contains(text, "QEMU waits", "the user is told what to do")
ok(re.search(r'Line \d+ of "arch/x86_64/\w+\.c"', text), "the arch's entry page_fault is known", text)
ok(re.search(r"Breakpoint 1, mm_fault \(.+\)", text), "it stops at mm_fault", text + errors)
ok(re.search(r"#1 .* page_fault \(", text), "page_fault called it", text)
contains(text, "mm/fault.c", "in the source that it names")
ok(not os.path.exists("build/gdb.sock"), "no socket stays behind")
done()
