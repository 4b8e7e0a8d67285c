# SPDX-License-Identifier: MIT
"""The tests of the lab `walk`: from an address to its entry, and what stands there."""
import struct

from grading import verdict
from grading.guest import MASK, NO_EXEC, PRESENT, USER, WRITE
from grading.suite import PAGE, Lab

lab = Lab("walk", boots=False)

LEAF, GIB = 512 * PAGE, 1 << 30
SIZE = {PRESENT: "present", WRITE: "write", USER: "user", NO_EXEC: "no execute"}
RIGHTS = PRESENT | WRITE | USER | NO_EXEC
READ, WRITES, EXEC = 1, 2, 4        # PROT_*


def words(bits):
    """An entry's rights in words."""
    return ", ".join(name for bit, name in SIZE.items() if bits & bit) or "none"


def rights_of(run, entry, expected, what):
    run.true(entry.bits & RIGHTS == expected, f"{what}: {words(expected)}", f"{words(entry.bits)} (0x{entry.bits:x})")


def tables_of(guest, root, places):
    """The tables on the ways to these places, the root not counted."""
    return {step.table for place in places for step in guest.walk(root, place)[1:]}


def same_tables(run, seen, expected, when):
    """Nothing but these tables: which is too many, which is missing?"""
    run.true(not seen - expected, f"no empty table is left, {when}",
             f"{len(seen - expected)} are, the first at {min(seen - expected, default=0):#x}")
    run.true(not expected - seen, f"no other table goes, {when}",
             f"{len(expected - seen)} are gone, the first at {min(expected - seen, default=0):#x}")


def used(guest, table):
    """Entries of a table that are not none."""
    return sum(bits != 0 for bits in struct.unpack("<512Q", guest.physical(table, PAGE)))


class Places:
    """What place() gives in tests/map.c."""
    PAGES, CHOSEN, ROW = 130 << 20, 24, 64

    def __init__(self, run):
        self.at = run.map_address(1)
        self.end = self.at + self.PAGES * PAGE
        self.all = [self.at + run.number(100 + j, 0, self.PAGES - self.ROW - 1) * PAGE for j in range(self.CHOSEN)]
        for shift in (21, 30, 39):
            first = (self.at >> shift) + 1 << shift
            self.all += [first - PAGE, first]

    def tables(self):
        """How many tables they need: one for each span of each level in which there are some."""
        return sum(len({place >> shift for place in self.all}) for shift in (21, 30, 39))

    def beside(self, place):
        """How many of them lie under the same leaf table."""
        return len({other for other in self.all if other // LEAF == place // LEAF})


@lab.test("a page here and there, over more than half a tebibyte", program="map",
          parts={"pages": 8, "tables": 8, "faults": 4, "price": 2}, gdb="hbreak pagetable_own")
def map(run):
    guest, places = run.guest, Places(run)
    start = guest.next("start")
    run.equal(start.values[0], places.at, "the region of this seed")
    tables = guest.tables(start.root)
    written = guest.next("written")
    with run.part("pages"):
        content = {place: run.filled(1, j) for j, place in enumerate(places.all)}
        for place in places.all:
            steps = guest.walk(written.root, place)
            if not run.equal(len(steps), 4, f"levels on the way to {place:#x} at which there is an entry", gdb=f"lz walk {place:#x}"):
                break
            rights_of(run, steps[3], PRESENT | WRITE | USER | NO_EXEC, f"the leaf entry of {place:#x}")
            run.equal(guest.page(written.root, place), content[place], f"the page at {place:#x}")
        frames = {guest.leaf(written.root, place).frame for place in places.all}
        run.equal(len(frames), len(content), "different frames for all of them")
    with run.part("tables"):
        run.equal(len(guest.tables(written.root) - tables), places.tables(), "new tables: as few as the places need")
        for place in places.all:
            steps = guest.walk(written.root, place)
            for step, level in zip(steps[:-1], (4, 3, 2)):
                rights_of(run, step, PRESENT | WRITE | USER, f"the entry of level {level} on the way to {place:#x}")
            run.equal(used(guest, steps[-1].table), places.beside(place), f"entries in the leaf table of {place:#x}")
    with run.part("faults"):
        run.equal(len(guest.faults(start, written, places.at, places.end)), len(content), "faults, one a page")
    row = guest.next("row")
    with run.part("price"):
        run.at_most(row.values[0] // places.ROW, 9_000, f"instructions of a first write, of {places.ROW} side by side")
    guest.end()


@lab.test("rights are what the entry says, and come back with the page", program="rights", needs=("map",),
          parts={"entries": 6, "accesses": 6, "pages": 4}, gdb="lz break-fault SEGV_ACCERR")
def rights(run):
    guest, order = run.guest, [0, READ, READ | WRITES, READ | EXEC, READ | WRITES | EXEC, EXEC]
    turn, count = run.number(3, 0, len(order) - 1), len(order)
    order = order[turn:] + order[:turn]
    at, other = run.map_address(1), run.map_address(2)
    start = guest.next("start")
    before = guest.leaves(start.root, at, count)
    done = guest.next("set")

    def bits(allowed):
        return 0 if not allowed else PRESENT | USER | (WRITE if allowed & WRITES else 0) | (0 if allowed & EXEC else NO_EXEC)

    def mask(needed):
        return sum(bool(allowed & needed) << count - 1 - i for i, allowed in enumerate(order))

    with run.part("entries"):
        for i, allowed in enumerate(order):
            old, new = guest.walk(done.root, at + i * PAGE)[-1], guest.walk(done.root, other + i * PAGE)
            run.true(old.bits & RIGHTS & (bits(allowed) or PRESENT) == bits(allowed) and (allowed or not old.present),
                     f"page {i}, mprotect to {allowed}: {words(bits(allowed))}", f"{words(old.bits)} (0x{old.bits:x})")
            if allowed:
                rights_of(run, old, bits(allowed), f"page {i}, mprotect to {allowed}")
                rights_of(run, new[-1], bits(allowed), f"a fresh page {i}, with {allowed} from the start")
            run.equal(old.bits & MASK, before[i].frame, f"the frame in the entry of page {i}, mprotect to {allowed}")
    back = guest.next("back")
    with run.part("accesses"):
        run.equal(done.values[:2], [mask(READ | WRITES | EXEC), mask(WRITES)], "fresh pages that can be read, and written (bits)")
        run.equal(back.values[:3], [mask(READ | WRITES | EXEC), mask(WRITES), mask(EXEC)],
                  "pages that could be read, written, executed (bits)")
    with run.part("pages"):
        for i, allowed in enumerate(order):
            page = bytearray(run.filled(1, i))
            page[1] = 0xc3
            if allowed & WRITES:
                page[64] = ord("w")
            run.equal(guest.leaf(back.root, at + i * PAGE).frame, before[i].frame, f"the frame of page {i}, all rights back")
            run.equal(guest.page(back.root, at + i * PAGE), bytes(page), f"page {i}")
    guest.end()


@lab.test("what is unmapped is gone, with the tables that it leaves empty, and nothing else is", program="unmap", needs=("map",),
          parts={"entries": 6, "tables": 6, "at once": 4}, gdb="hbreak pagetable_release")
def unmap(run):
    guest, at, pages = run.guest, run.map_address(1), 2048
    first, last = run.number(3, 200, 500), run.number(4, 1500, 1900)
    touched = [at + i * PAGE for i in range(pages) if i in (first - 1, first, last - 1, last) or run.number(2000 + i, 0, 3) == 0]
    inside = [place for place in touched if at + first * PAGE <= place < at + last * PAGE]
    outside = [place for place in touched if place not in inside]
    start = guest.next("start")
    tables = guest.tables(start.root)
    mapped = guest.next("mapped")
    frames = {place: guest.leaf(mapped.root, place).frame for place in touched}
    own = guest.tables(mapped.root)
    empty = tables_of(guest, mapped.root, inside) - tables_of(guest, mapped.root, outside)
    run.equal(None in frames.values(), False, "is a written page not mapped?")
    middle = guest.next("middle")
    with run.part("entries"):
        for place in touched:
            expected = None if place in inside else frames[place]
            if not run.equal(guest.leaf(middle.root, place).frame, expected, f"the frame at {place:#x}", gdb=f"lz walk {place:#x}"):
                break
    with run.part("at once"):
        run.equal(middle.values[0], 11 << 8 | 1, "signal << 8 | si_code of a read there, right after munmap (SIGSEGV, SEGV_MAPERR)")
    with run.part("tables"):
        same_tables(run, guest.tables(middle.root), own - empty, "after the first munmap")
        gone = guest.next("gone")
        same_tables(run, guest.tables(gone.root), tables, "all being unmapped")
    guest.end()


@lab.test("mremap leaves nothing behind", program="move", needs=("map",), parts={"pages": 4, "tables": 4},
          gdb="hbreak pagetable_trim")
def move(run):
    guest, at, to, pages = run.guest, run.map_address(1), run.map_address(2), run.number(1, 600, 1200)
    touched = [i for i in range(pages) if run.number(2000 + i, 0, 7) == 0]
    start = guest.next("start")
    tables = guest.tables(start.root)
    mapped = guest.next("mapped")
    frames = [guest.leaf(mapped.root, at + i * PAGE).frame for i in touched]
    moved = guest.next("moved")
    with run.part("pages"):
        run.equal([entry.frame for entry in guest.leaves(moved.root, at, pages) if entry.frame], [], "frames at the old place")
        run.equal([guest.leaf(moved.root, to + i * PAGE).frame for i in touched], frames, "frames at the new place")
        for i in touched[:20]:
            run.equal(guest.page(moved.root, to + i * PAGE), run.filled(1, i), f"page {i}")
    with run.part("tables"):
        new = tables_of(guest, moved.root, [to + i * PAGE for i in touched])
        same_tables(run, guest.tables(moved.root), tables | new, "those of before and the ways to the new place")
    written = guest.next("written")
    run.equal(len(guest.faults(moved, written, to, to + pages * PAGE)), pages - len(touched), "faults, one for each fresh page")
    guest.end()


@lab.test("whoever only looks finds the entry, or that there is none", program="find", needs=("map",),
          parts={"mincore": 4, "ftruncate": 4}, gdb="hbreak pagetable_find")
def find(run):
    guest, pages = run.guest, 1536
    core = guest.next("core")
    with run.part("mincore"):
        touched = bytes(i // 512 != 1 and run.number(2000 + i, 0, 3) == 0 for i in range(pages))
        run.equal(core.values[0], run.sum(touched), "the sum of what mincore says of a region with pages here and there")
        run.equal(core.values[1], run.sum(bytes(pages)), "the sum of what it says of one that has not been touched")
    file = guest.next("file")
    at, kept = file.values[0], run.number(3, 1, 7)
    frames = [entry.frame for entry in guest.leaves(file.root, at, 8)]
    cut = guest.next("cut")
    with run.part("ftruncate"):
        now = [entry.frame for entry in guest.leaves(cut.root, at, 8)]
        run.equal(now, frames[:kept] + [None] * (8 - kept), f"frames of the file's pages, cut to {kept} of 8")
        for i in range(kept):
            run.equal(guest.page(cut.root, at + i * PAGE), run.filled(2, i), f"the file's page {i}")
    guest.end()


@lab.test("tables that find no memory harm nobody, and leave nothing behind", program="no_memory", needs=("map",),
          parts={"killed": 3, "nothing left": 5}, gdb="lz break-fault OOM", memory="24M", parameters=("vm.overcommit_memory=1",))
def no_memory(run):
    guest, at = run.guest, run.map_address(2)
    before = guest.next("before")
    after = guest.next("after", lost=verdict.LEAK)
    killed = guest.next("killed")
    with run.part("killed"):
        run.equal(killed.values[0], 0x090909, "the signals that the children die of, one a byte")
        for i in range(50):
            run.equal(guest.page(killed.root, at + i * PAGE), run.filled(1, i), f"page {i} of the first process")
    with run.part("nothing left"):
        run.no_leak(before.values[0], after.values[0], "free memory in KiB", slack=16)
        run.no_leak(before.values[1], after.values[1], "promised memory (Committed_AS) in KiB")
    guest.end()


@lab.test("84 rounds of map, write and unmap leave nothing behind", program="rounds", needs=("map",),
          parts={"frames": 4, "ledger": 2}, gdb="lz frames", memory="24M")
def rounds(run):
    run.leaves_nothing(lost=verdict.LEAK)
