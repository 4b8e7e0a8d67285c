# SPDX-License-Identifier: MIT
"""The tests of the lab `zero`: zero-fill on demand and the shared zero page."""
from grading import verdict
from grading.suite import PAGE, Lab

lab = Lab("zero", parameters=["vm.overcommit_memory=1"])
LEAF_SPAN = 512 * PAGE


def chosen_of(run, pages):
    """The pages that the seed chooses for a touch."""
    return [i for i in range(pages) if run.number(2000 + i, 0, 2) == 0]


@lab.test("a promise takes neither frames nor page tables", program="promise",
          parts={"mmap": 8, "brk": 3, "mmap's price": 4}, gdb="hbreak aspace_map")
def promise(run):
    guest = run.guest
    start = guest.next("start")
    tables = guest.tables(start.root)
    promised = guest.next("promised")
    region, size, instructions = promised.values[:3]
    with run.part("mmap"):
        run.equal(size, run.number(1, 64, 512) << 30, "the size of this seed")
        run.equal(guest.tables(start.root), tables, "the page tables")
        for at in (0, size // 2 & -PAGE, size - PAGE):
            run.true(not guest.leaf(start.root, region + at).present, f"nothing at byte {at:#x} of the promise", "a page")
    heap = guest.next("heap")
    with run.part("brk"):
        run.true(not guest.leaf(start.root, (heap.values[0] & -PAGE) + 8 * PAGE).present, "nothing in the new heap", "a page")
    with run.part("mmap's price"):
        run.at_most(instructions, 20_000, "instructions of mmap, however much it promises")
    guest.end()


@lab.test("pages that are only read are all the zero page", program="read", parts={"one frame": 10, "contents": 4, "faults": 6},
          gdb="lz break-fault ZERO_READ")
def read(run):
    guest, pages, at = run.guest, run.number(1, 40, 120), run.map_address(1)
    chosen = chosen_of(run, pages)
    start, seen = guest.next("start"), guest.next("read")
    entries = guest.leaves(start.root, at, pages)
    zero = entries[chosen[0]].frame
    with run.part("one frame"):
        for i, entry in enumerate(entries):
            if i in chosen:
                run.equal(entry.frame, zero, f"the frame of page {i}, the same as page {chosen[0]}'s")
                run.true(not entry.writable, f"the entry of page {i} is read-only", "it is writable")
            else:
                run.true(not entry.present, f"no entry for page {i}, which nobody touched", f"{entry.bits:#x}")
        run.true(zero is not None, "a frame", "none")
    with run.part("contents"):
        run.equal(seen.values[0], 0, "the sum of the bytes")
        run.equal(guest.page(start.root, at + chosen[0] * PAGE), bytes(PAGE), "the zero page")
    again = guest.next("again")
    with run.part("faults"):
        end = at + pages * PAGE
        run.equal([(fault.address - at) // PAGE for fault in guest.faults(start, seen, at, end)], chosen,
                  "pages that fault at the first read, once each")
        run.equal(len(guest.faults(seen, again, at, end)), 0, "faults at the second read")
    guest.end()


def written_page(run, i):
    """Page i with the one byte that the program has written."""
    data = bytearray(PAGE)
    data[run.number(3000 + i, 0, PAGE - 1)] = run.byte(1, i, 0)
    return bytes(data)


def check_written(run, root, at, chosen, others):
    """The chosen pages have frames of their own, as written; the frames of the others are in `others` (None: no entry)."""
    entries = run.guest.leaves(root, at, len(others))
    for i, entry in enumerate(entries):
        if i in chosen:
            run.equal(run.guest.page(root, at + i * PAGE), written_page(run, i), f"page {i}: zeroes and one byte")
            run.true(entry.writable and entry.frame not in others, f"page {i}: a new frame, writable", f"entry {entry.bits:#x}")
        else:
            run.equal(entry.frame, others[i], f"the frame of page {i}, which was not written")
    frames = [entries[i].frame for i in chosen]
    run.equal(len(set(frames)), len(frames), "different frames among those that were written")


@lab.test("a first write takes a frame full of zeroes, for that page alone", program="write",
          parts={"pages": 10, "faults": 5}, gdb="lz break-fault ZERO_FILL")
def write(run):
    guest, pages, at = run.guest, run.number(1, 40, 120), run.map_address(1)
    chosen = chosen_of(run, pages)
    start, written = guest.next("start"), guest.next("written")
    with run.part("pages"):
        check_written(run, start.root, at, chosen, [None] * pages)
    again = guest.next("again")
    with run.part("faults"):
        end = at + pages * PAGE
        run.equal([(fault.address - at) // PAGE for fault in guest.faults(start, written, at, end)], chosen,
                  "pages that fault at the first write, once each")
        run.equal(len(guest.faults(written, again, at, end)), 0, "faults at the second write")
    guest.end()


@lab.test("a write to what was read takes a frame; the zero page stays as it is", program="upgrade",
          parts={"pages": 8, "zero page": 6, "faults": 6}, gdb="lz break-fault ZERO_UPGRADE")
def upgrade(run):
    guest, pages, at = run.guest, run.number(1, 40, 120), run.map_address(1)
    chosen = chosen_of(run, pages)
    guest.next("start")
    seen = guest.next("read")
    zero = guest.leaf(seen.root, at).frame
    written = guest.next("written")
    with run.part("pages"):
        check_written(run, seen.root, at, chosen, [zero] * pages)
    again = guest.next("again")
    with run.part("zero page"):
        run.true(zero is not None and guest.physical(zero, PAGE) == bytes(PAGE), "the zero page full of zeroes", "something else")
        run.equal(len({guest.leaf(seen.root, at + i * PAGE).frame for i in range(pages)} - {zero}), len(chosen),
                  "frames besides the zero page")
    with run.part("faults"):
        end = at + pages * PAGE
        run.equal([((fault.address - at) // PAGE, fault.present) for fault in guest.faults(seen, written, at, end)],
                  [(i, True) for i in chosen], "pages that fault, and is there an entry")
        run.equal(len(guest.faults(written, again, at, end)), 0, "faults at the second write")
    guest.end()


@lab.test("system calls that read and write lazy pages", program="kernel_hand", parts={"contents": 4, "faults": 4},
          gdb="lz break-fault ZERO_READ")
def kernel_hand(run):
    guest, at = run.guest, run.map_address(1)
    length = run.number(2, 100, 900)
    offset = PAGE - run.number(3, 20, length - 20)
    start, written, between = guest.next("start"), guest.next("written"), guest.next("between")
    zero = guest.leaf(start.root, at).frame
    done = guest.next("read")
    with run.part("contents"):
        run.equal(between.values[0], 0, "the sum of what write(2) has read from fresh memory")
        memory = bytearray(2 * PAGE)
        memory[offset:offset + length] = bytes(run.byte(5, 0, i) for i in range(length))
        for i in range(2):
            run.equal(guest.page(start.root, at + (2 + i) * PAGE), bytes(memory[i * PAGE:(i + 1) * PAGE]), f"page {2 + i}")
        run.true(zero is not None and guest.physical(zero, PAGE) == bytes(PAGE), "the zero page full of zeroes", "something else")
    with run.part("faults"):
        run.equal([(fault.address & -PAGE, fault.write, fault.level) for fault in
                   guest.faults(start, written, at, at + 4 * PAGE)], [(at, False, 0), (at + PAGE, False, 0)],
                  "faults (page, write, privilege level) of write(2)")
        run.equal([(fault.address & -PAGE, fault.write, fault.level) for fault in
                   guest.faults(between, done, at, at + 4 * PAGE)],
                  [(at + 2 * PAGE, True, 0), (at + 3 * PAGE, True, 0)], "faults (page, write, privilege level) of read(2)")
    guest.end()


@lab.test("parent and child each get their own of what both have read", program="forked", needs=("read", "upgrade"),
          parts={"contents": 6}, gdb="lz break-fault ZERO_UPGRADE")
def forked(run):
    guest, pages, at = run.guest, run.number(1, 20, 60), run.map_address(1)
    seen = guest.next("read")
    zero = guest.leaf(seen.root, at).frame
    child = guest.next("child", stream=1)
    pages_of_child = [guest.page(child.root, at + i * PAGE) for i in range(pages)]
    parent = guest.next("parent")
    with run.part("contents"):
        for who, bit, contents in (("child", 1, pages_of_child),
                                   ("parent", 2, [guest.page(parent.root, at + i * PAGE) for i in range(pages)])):
            for i in range(pages):
                first = run.byte(bit, i, 0) if run.number(2000 + i, 0, 3) & bit else 0
                run.equal(contents[i], bytes([first]) + bytes(PAGE - 1), f"the {who}'s page {i}")
        run.equal(guest.physical(zero, PAGE), bytes(PAGE), "the zero page")
    guest.end()


@lab.test("what was in a frame before is never seen", program="stale", needs=("write",), parts={"zeroes": 6},
          gdb="lz break-fault ZERO_FILL", memory="24M")
def stale(run):
    looked = run.guest.next("looked")
    with run.part("zeroes"):
        run.equal(looked.values[0], 0, "words that were not zero in fresh memory")
    run.guest.end()


@lab.test("touching few pages of a large promise takes few page tables", program="sparse", needs=("promise", "write"),
          parts={"page tables": 5}, gdb="lz walk")
def sparse(run):
    guest, touched = run.guest, run.number(1, 8, 40)
    start = guest.next("start")
    before = len(guest.tables(start.root))
    guest.next("touched")
    stretches = {i * 97 + run.number(100 + i, 0, 50) for i in range(touched)}
    upper = {(start.values[0] // LEAF_SPAN + stretch) // 512 for stretch in stretches}
    with run.part("page tables"):
        run.at_most(len(guest.tables(start.root)) - before, len(stretches) + len(upper) + 1,
                    f"page tables more for pages in {len(stretches)} stretches of 2 MiB")
    guest.end()


@lab.test("150 rounds of map, read, write and unmap leave nothing behind", program="rounds", needs=("read", "upgrade"),
          parts={"frames": 4, "ledger": 1}, gdb="lz frames", memory="24M")
def rounds(run):
    run.leaves_nothing(lost=verdict.LEAK)      # a fork or a write that found no memory
