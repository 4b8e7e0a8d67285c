#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# time: 240
"""The build: from a path with spaces, with Clang, without warnings, in parallel; doing again only what it must."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, built, done, equal, note, ok, skip

ROOMS = ("arch", "boot", "kernel", "mm", "scripts", "tests", "user")
KERNEL = "build/debug/lazybones.elf"


def make(tree, *arguments):
    inherited = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "BUILD", "CC", "CI", "V")
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    made = subprocess.run(["make", "-j2", *arguments], cwd=tree, env=environment, text=True, timeout=240,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return made.returncode, made.stdout


def steps(text):
    """What was compiled, assembled or linked, from the build's own lines."""
    return [line.split()[1] for line in text.splitlines() if re.match(r"  (CC|NASM|LD) ", line)]


def change(tree, name):
    with open(os.path.join(tree, name), "a") as file:
        file.write("\n")


with tempfile.TemporaryDirectory(prefix="lazy bones' ") as folder:
    tree = os.path.join(folder, "a tree")
    os.mkdir(tree)
    for room in ROOMS:
        shutil.copytree(os.path.join(ROOT, room), os.path.join(tree, room))
    for name in ("Makefile", "linker.ld"):
        shutil.copy(os.path.join(ROOT, name), tree)

    status, text = make(tree, "CI=true", KERNEL)
    ok(status == 0, "it builds in a path with spaces and a quote, warnings being errors", text[-3000:])
    status, text = make(tree, "CI=true", KERNEL)
    equal((status, steps(text)), (0, []), "nothing changed: nothing is done")

    change(tree, "mm/fault.c")
    status, text = make(tree, "CI=true", KERNEL)
    equal(sorted(steps(text)), [KERNEL, "build/debug/mm/fault.c.o"], "a source changed: it alone is compiled")
    change(tree, "mm/commit.h")
    status, text = make(tree, "CI=true", KERNEL)
    users = [step for step in steps(text) if step.startswith("build/debug/")]
    ok("build/debug/mm/commit.c.o" in users and 2 < len(users) < 30,
       "a header changed: its users are compiled", text)
    with open(os.path.join(tree, "mm/added.c"), "w") as file:
        file.write("int added;\n")
    status, text = make(tree, "CI=true", KERNEL)
    equal(sorted(steps(text)), [KERNEL, "build/debug/mm/added.c.o"], "a source came: it is compiled, linked")
    os.remove(os.path.join(tree, "mm/added.c"))
    status, text = make(tree, "CI=true", KERNEL)
    equal(steps(text), [KERNEL], "a source went: the kernel is linked without it")

    objects = [f"build/debug/{name}.o" for name in ("boot/multiboot2.c", "arch/x86_64/trap.asm", "mm/fault.c")]
    status, text = make(tree, *objects)
    equal((status, sorted(steps(text))), (0, sorted(objects)), "other flags (no -Werror): all is compiled again")

    if shutil.which("clang"):
        status, text = make(tree, "CC=clang", "CI=true", "build/release/lazybones.elf")
        ok(status == 0, "it builds with Clang, warnings being errors", text[-3000:])
    else:
        skip("there is no clang here", "it builds with Clang")
    status, text = make(tree, "CI=true", "programs")
    ok(status == 0, "the user programs build, warnings being errors", text[-3000:])

alone = []
for folder in ("arch", "boot", "kernel", "mm"):
    for place, _, names in os.walk(os.path.join(ROOT, folder)):
        for name in (name for name in names if name.endswith(".h")):
            header = os.path.relpath(os.path.join(place, name), ROOT)
            compiler = ["gcc", "-std=gnu11", "-ffreestanding", "-DDEBUG=1", "-I.", "-fsyntax-only", "-x", "c", "-"]
            made = subprocess.run(compiler, cwd=ROOT, input=f'#include "{header}"\n', capture_output=True,
                                  text=True)
            if made.returncode:
                alone.append(header)
                note(made.stderr)
equal(alone, [], "each header compiles alone")

sizes = subprocess.run(["size", built("release/lazybones")], capture_output=True, text=True).stdout
loaded = sum(map(int, sizes.splitlines()[1].split()[:2]))      # text and data
ok(0 < loaded < 512 * 1024, f"the kernel's image is under 512 KiB ({loaded} bytes)")
done()
