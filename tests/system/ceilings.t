#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 2G  time: 240
"""How many instructions the common things and the boot may take, and how large the kernel may be.

user/bench counts under --icount, from the user's instruction before to the user's instruction after, so a figure
is the same on every host. It is the median that is held against the ceiling of scripts/bench_table.py.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, done, equal, note, ok, qemu, run

import bench_linux
import bench_table

IMAGE_BYTES = 512 * 1024
FRAME_BYTES = 16                       # of metadata a frame
BOOT_INSTRUCTIONS, BOOT_INSTRUCTIONS_PER_FRAME = 3_000_000, 20
SHELL_MEBIBYTES = 16
SEGMENT_LOAD = 1


def loaded_bytes(path):
    """What the kernel takes in memory once it is loaded, .bss included."""
    with open(path, "rb") as file:
        image = file.read()
    table, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    headers = [struct.unpack_from("<IIQQQQQ", image, table + size * i) for i in range(count)]
    return sum(header[6] for header in headers if header[0] == SEGMENT_LOAD)


# ---------------------------------------------------------------- instructions

status, output, errors = run("scripts/run", "--icount", "--mem", "2G", "--append", "loglevel=4", "--timeout", "230",
                             built("user/bench"), "--once", limit=240)
equal((status, errors), (0, ""), "the bench runs")
figures, failed = bench_table.parse(output.decode(errors="replace"))
equal(failed, [], "no measure fails")
equal(sorted(figures), sorted(bench_table.NAMES), "the bench measures what the table names")
for measure in bench_table.MEASURES:
    count = figures.get(measure.name, (0, 0))[1]
    if measure.ceiling:
        ok(0 < count <= measure.ceiling, f"{measure.name}: {count} instructions, at most {measure.ceiling}")
    if measure.until and measure.goal and 0 < count <= measure.goal:
        note(f"{measure.name} has reached its goal: take its `until` out of scripts/bench_table.py")

small, large = (figures.get(name, (0, 0))[1] for name in ("fork_1M", "fork_1024M"))
growth = bench_table.FORK_GROWTH
ok(0 < large <= growth * small,
   f"fork call with 1 GiB written: {large} instructions, at most {growth} times the {small} with 1 MiB")

# ---------------------------------------------------------------- boot

for memory in "128M", "2G":
    ceiling = BOOT_INSTRUCTIONS + BOOT_INSTRUCTIONS_PER_FRAME * qemu.memory_bytes(memory) // 4096
    count = bench_linux.boot_lazybones(memory)
    ok(0 < count <= ceiling, f"{memory}: {count} instructions from kernel entry to the first program's first, at most {ceiling}")

iso = qemu.iso_medium(built("release/lazybones.iso"))
ok(bench_linux.shell_answers(iso, SHELL_MEBIBYTES), f"with {SHELL_MEBIBYTES} MiB the shell prompts, and answers")

# ---------------------------------------------------------------- bytes

kernel = built("release/lazybones")
for what, size in (("file", os.path.getsize(kernel)), ("loaded", loaded_bytes(kernel))):
    ok(0 < size < IMAGE_BYTES, f"kernel image, {what}: {size} bytes, less than {IMAGE_BYTES}")
status, output, errors = run("gdb", "-batch", "-nx", "-ex", "print sizeof(struct frame)", built("release/lazybones.elf"))
words = output.decode().split()
ok(len(words) == 3 and 0 < int(words[2]) <= FRAME_BYTES,
   f"a frame costs {' '.join(words[2:])} bytes of metadata, at most {FRAME_BYTES}", errors)
done()
