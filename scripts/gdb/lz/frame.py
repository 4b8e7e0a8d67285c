# SPDX-License-Identifier: MIT
"""Page frames (mm/frame.h): their records, and the figures of the allocator."""
import dataclasses

import gdb

from lz import layout, target

KIND_WORDS = {
    "FREE": "free", "RESERVED": "reserved", "KERNEL": "the kernel's", "STACK": "kernel stack", "SLAB": "kernel objects",
    "TABLE": "page table", "ZERO": "the zero page", "ANON": "anonymous", "SHM": "shared memory", "FILE": "page cache",
}


@dataclasses.dataclass(frozen=True)
class Frame:
    pfn: int
    refs: int
    kind: str           # as enum frame_kind, without FRAME_
    order: int
    used: int           # of a table: entries that are not none
    level: int          # of a table
    resident: tuple     # of a leaf table: entries by enum resident_kind

    def __str__(self):
        return f"frame {self.pfn:#x} ({KIND_WORDS[self.kind]}, {target.count(self.refs, 'reference')})"


def from_record(pfn, record):
    kind = target.enum_names("frame_kind")[int(record["kind"])]
    is_table = kind == "TABLE"
    is_leaf = is_table and int(record["level"]) == 1
    resident = tuple(int(record["table"]["leaf"]["resident"][i]) for i in range(3)) if is_leaf else (0, 0, 0)
    return Frame(pfn, int(record["refs"]), kind, int(record["order"]), int(record["used"]) if is_table else 0,
                 int(record["level"]) if is_table else 0, resident)


def count():
    return int(target.value("frame_count"))


def at(pfn):
    """The record of a frame, or None where there is none (an address beyond RAM)."""
    if pfn >= count():
        return None
    record = target.value("frame_array")[pfn]
    record.fetch_lazy()
    return from_record(pfn, record)


def pfn_of(pointer):
    """The number of the frame that a `struct frame *` speaks of."""
    return int(pointer - target.value("frame_array"))


def figures():
    return target.value("'mm/frame.c'::figures")


def free():
    return int(figures()["free"])


def reserve():
    """Frames that user memory leaves free."""
    return int(target.value("'mm/frame.c'::reserve"))


def describe_all():
    """The allocator in lines: `lz frames`."""
    now = figures()
    page = layout.PAGE_SIZE >> 10
    total, free_now = int(now["total"]), int(now["free"])
    least = min(int(target.value("'mm/frame.c'::least_free")), free_now)
    yield f"{total:,} frames of {page} KiB, {free_now:,} free; at most {total - least:,} were taken at one time"
    yield (f"watermark: user memory leaves {reserve():,} frames free, the kernel's own needs {reserve() // 2:,}; "
           f"a process that the OOM killer has chosen may take them all")
    yield ""
    yield f"  {'kind':<16}{'frames':>10}{'peak':>10}"
    for number, kind in target.enum_names("frame_kind").items():
        if kind in ("FREE", "RESERVED", "KINDS"):
            continue
        record = target.value("'mm/frame.c'::of_kind")[number]
        taken, peak = int(record["now"]), int(record["peak"])
        yield f"  {KIND_WORDS[kind]:<16}{taken:>10,}{peak:>10,}"
    yield ""
    yield f"  {'free blocks of':<16}{'blocks':>10}{'frames':>10}"
    free_blocks = target.value("'mm/buddy.c'::free_blocks")
    low, high = free_blocks.type.range()
    for order in range(low, high + 1):
        blocks = int(free_blocks[order])
        yield f"  {(page << order):>9} KiB   {blocks:>10,}{blocks << order:>10,}"
    single = int(target.value("'mm/frame.c'::hot")["count"]) + int(target.value("blank_count"))
    yield f"  {'single, apart':<16}{single:>10,}{single:>10,}"


class Printer:
    """`print *frame`."""

    def __init__(self, record):
        self.record = record

    def to_string(self):
        frame = from_record(0, self.record)
        text = f"{KIND_WORDS[frame.kind]}, {target.count(frame.refs, 'reference')}"
        if frame.kind == "TABLE":
            text += f", level {frame.level}, {frame.used} entries in use"
            if frame.level == 1:
                text += " ({} anonymous, {} of files, {} of shared memory)".format(*frame.resident)
        elif frame.order not in (0, 0xF):
            text += f", first of {1 << frame.order} frames"
        address = self.record.address
        try:
            base = target.value("frame_array")
            if address is not None and int(base) <= int(address) < int(base + count()):
                return f"frame {int(address - base):#x}: {text}"
        except (gdb.error, target.Problem):
            pass                                    # a copy of a record: it has no number
        return text
