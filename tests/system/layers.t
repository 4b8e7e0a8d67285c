#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# time: 30
"""The tree keeps to its floors, and scripts/check-layers notices a tree that does not."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import done, ok, run

SOUND = {
    "boot/main.c": '#include "kernel/start.h"\n',
    "kernel/start.h": '#include "mm/fault.h"\n',
    "kernel/entry.h": "",
    "kernel/process.h": "",
    "mm/fault.h": '#include "arch/x86_64/mmu.h"\n',
    "mm/oom.c": '#include "kernel/process.h"\n',
    "arch/x86_64/mmu.h": '#include "kernel/lib/types.h"\n',
    "arch/x86_64/trap.c": '#include "mm/fault.h"\n#include "kernel/entry.h"\n// a vma is not our business\n',
    "kernel/lib/types.h": "#include <stdint.h>\n",
}
# What is changed in the sound tree, and the part of the check that must fail.
BROKEN = [
    ("mm reaches into kernel", {"mm/fault.c": '#include "kernel/process.h"\n'},
     "mm reaches up to kernel/process.h"),
    ("arch reaches into mm", {"arch/x86_64/tlb.c": '#include "mm/vma.h"\n'}, "arch reaches up to mm/vma.h"),
    ("kernel reaches into boot", {"kernel/a.c": '#include "boot/info.h"\n'},
     "kernel reaches up to boot/info.h"),
    ("the ground reaches into mm", {"kernel/lib/a.c": '#include "mm/fault.h"\n'},
     "kernel/lib reaches up to mm/fault.h"),
    ("an include that is not from the root", {"mm/a.c": '#include "fault.h"\n'}, "not written from the root"),
    ("a circle", {"arch/x86_64/mmu.h": '#include "mm/fault.h"\n'},
     "mm/fault.h -> arch/x86_64/mmu.h -> mm/fault.h"),
    ("assembly in mm", {"mm/a.c": 'void f(void) { asm volatile("hlt"); }\n'}, "names assembly"),
    ("a register in mm", {"mm/a.c": "long f(void) { return read_cr3() + cr3; }\n"}, "names a register: cr3"),
    ("a bit of an entry in mm", {"mm/a.c": "int f(void) { return PTE_WRITE; }\n"},
     "names a page-table entry's bit"),
    ("a VMA in arch", {"arch/x86_64/a.c": "struct vma *v;\n"}, "names a VMA"),
    ("nothing to check", {name: None for name in SOUND}, "none"),
]


def check(changes):
    with tempfile.TemporaryDirectory(prefix="lazybones layers ") as tree:
        for name, text in {**SOUND, **changes}.items():
            if text is None:
                continue
            os.makedirs(os.path.join(tree, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(tree, name), "w") as file:
                file.write(text)
        return run("scripts/check-layers", tree)


status, output, _ = run("scripts/check-layers")
ok(status == 0, "the tree keeps to its floors", output.decode())
status, output, _ = check({})
ok(status == 0, "a sound small tree passes, doors and prose included", output.decode())
for name, changes, complaint in BROKEN:
    status, output, _ = check(changes)
    ok(status == 1 and complaint in output.decode(), f"caught: {name}", output.decode())
done()
