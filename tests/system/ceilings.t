#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 2G  time: 120
"""How many instructions the common things may take, and how large the kernel may be.

user/probe counts under --icount, from the user's instruction before to the user's instruction after, so a figure
is the same on every host. It is the median that is held against the ceiling.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, done, equal, ok, run

CEILINGS = {
    "getppid": 120,
    "zero_page_read_fault": 450,
    "zero_fill_write_fault": 1100,     # 512 of them clear the page
    "cow_copy_fault": 1400,
    "cow_reuse_fault": 450,
    "fork_exit_wait": 45000,
    "segv_caught": 1600,
}
FORK_GROWTH = 1.5                      # fork with 1 GiB written against fork with 1 MiB written
IMAGE_BYTES = 512 * 1024
SEGMENT_LOAD = 1


def medians(text):
    """{name: median} of the probe's lines `name minimum median`."""
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: int(row[2]) for row in rows if len(row) == 3 and row[2].isdigit()}


def loaded_bytes(path):
    """What the kernel takes in memory once it is loaded, .bss included."""
    with open(path, "rb") as file:
        image = file.read()
    table, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    headers = [struct.unpack_from("<IIQQQQQ", image, table + size * i) for i in range(count)]
    return sum(header[6] for header in headers if header[0] == SEGMENT_LOAD)


status, output, errors = run("scripts/run", "--icount", "--mem", "2G", "--timeout", "110",
                             built("user/probe"))
equal((status, errors), (0, ""), "the probe runs")
measured = medians(output.decode(errors="replace"))
for name, ceiling in CEILINGS.items():
    count = measured.get(name)
    ok(count is not None and 0 < count <= ceiling, f"{name}: {count} instructions, at most {ceiling}")

small, large = measured.get("fork_call_1M", 0), measured.get("fork_call_1G", 0)
ok(0 < large <= FORK_GROWTH * small,
   f"fork call with 1 GiB written: {large} instructions, at most {FORK_GROWTH} times the {small} with 1 MiB")

kernel = built("release/lazybones")
for what, size in (("file", os.path.getsize(kernel)), ("loaded", loaded_bytes(kernel))):
    ok(0 < size < IMAGE_BYTES, f"kernel image, {what}: {size} bytes, less than {IMAGE_BYTES}")
done()
