# SPDX-License-Identifier: MIT
"""The tests of the lab `vma`: promises found, placed, cut, joined, ended and changed."""
from grading.suite import PAGE, Lab

lab = Lab("vma")

MAPERR, ACCERR = 11 << 8 | 1, 11 << 8 | 2      # what probe_read() and probe_write() report
ENOMEM, EFAULT, EEXIST = 12, 14, 17
GUARD = 256 * PAGE


def frames(run, root, at, pages):
    return [entry.frame for entry in run.guest.leaves(root, at, pages)]


def stays(run, seen, expected, at, what):
    """Entries outside of the range that was changed are as before."""
    for i, (now, before) in enumerate(zip(seen, expected)):
        run.equal(now, before, f"the frame at {at + i * PAGE:#x}, {what}")


@lab.test("a thousand mappings and more: finding one, and finding room, takes no longer", program="many",
          parts={"finding": 8, "room": 8}, gdb="hbreak vma_find_first")
def many(run):
    count = run.number(1, 1500, 2500)
    mapped = run.guest.next("mapped")
    run.equal(mapped.values[1], count, "mappings of this seed")
    costs = run.guest.next("costs")
    with run.part("finding"):
        run.at_most(costs.values[0], 64 * 3_000, f"instructions of 64 first writes among {count} mappings")
    with run.part("room"):
        run.equal(costs.values[2], mapped.values[0] - 2 * PAGE, "where the next two pages are mapped")
        run.equal(costs.values[3], mapped.values[0] - 128 * PAGE, "and the two of the 64th time")
        run.at_most(costs.values[1], 64 * 12_000, f"instructions of 64 times mmap among {count} mappings", gdb="hbreak vma_find_gap")
    run.guest.end()


@lab.test("a mapping goes where it is wished, if there is room, else into the highest gap", program="place",
          parts={"wishes": 6, "no room there": 4, "gaps": 4, "guard": 4}, gdb="hbreak map_find_gap")
def place(run):
    gap, size, guest = run.number(1, 4, 60), run.number(2, 2, 50), run.guest
    top, below, hinted, unaligned = guest.next("hints").values[:4]
    with run.part("wishes"):
        run.equal(below, top - size * PAGE, "the second mapping, right below the first")
        run.equal(hinted, below - (gap + size) * PAGE, "a mapping at its hint")
        run.equal(unaligned, 0x200000000000 + gap * PAGE, "a mapping at its hint, rounded down to a page")
    taken, beyond = guest.next("no hints").values[:2]
    with run.part("no room there"):
        run.equal(taken, hinted - (gap + 1) * PAGE, f"{gap + 1} pages wished where something is: below all, as the gap has {gap}")
        run.equal(beyond, taken - (gap + 2) * PAGE, f"{gap + 2} pages wished where only one fits below the end of user space")
    fits, stack, under, in_guard = guest.next("gaps").values[:4]
    with run.part("gaps"):
        run.equal(fits, below - gap * PAGE, f"{gap} pages, in the gap of {gap}")
        run.equal(stack, beyond - size * PAGE, "the next, below all")
    with run.part("guard"):
        run.equal(under, stack - GUARD - PAGE, "a page below a mapping that grows down, beyond its guard of 256 pages")
        run.equal(in_guard, under - PAGE, "a page wished within the guard")
    guest.end()


@lab.test("neighbours that are alike are one mapping, others stay two", program="merge",
          parts={"one": 6, "price": 4, "rights": 4, "kinds": 3, "files": 5}, gdb="hbreak vma_merge")
def merge(run):
    pages, guest = run.number(1, 600, 1000), run.guest
    grown, alone, many_cost, _ = guest.next("alike").values[:4]
    with run.part("one"):
        run.equal(grown, 0, f"what mremap says of {pages} pages that were mapped one by one")
    with run.part("price"):
        run.at_most(many_cost, alone + 8_000, f"instructions of fork with {pages} mappings, all alike, as with none")
    refused, read_only, writable = guest.next("rights").values[:3]
    with run.part("rights"):
        run.equal(refused, EFAULT, "what mremap says of a read-only and a writable mapping")
        run.equal(read_only, ACCERR, "a write to the read-only one")
        run.equal(writable, 0, "a write to the other")
    refused, private, first, last = guest.next("kinds").values[:4]
    with run.part("kinds"):
        run.equal(refused, EFAULT, "what mremap says of a private and a shared mapping")
        run.equal([private, first, last], [0, ord("c"), ord("c")], "what the parent sees of the child's writes: private, shared")
    record = guest.next("file")
    others, goes_on, file, same = record.values[:4]
    with run.part("files"):
        run.equal(others, EFAULT, "what mremap says of pages 2 and 0 of a file")
        run.equal(goes_on, 0, "what it says of pages 1 and 2")
        two, zero = (guest.page(record.root, file + i * PAGE) for i in range(2))
        one, next_two = (guest.page(record.root, same + i * PAGE) for i in range(2))
        run.equal(zero and zero[:4], b"\x7fELF", "the first bytes of page 0 of the file")
        run.true(two and two == next_two, "page 2 of the file in both", "they differ")
        run.true(one and one not in (zero, two), "page 1 is another one", "it is not")
    guest.end()


@lab.test("munmap in the middle leaves both sides as they were", program="split",
          parts={"gone": 4, "stays": 6, "file": 6}, gdb="hbreak vma_split")
def split(run):
    pages = run.number(1, 40, 120)
    first, count = run.number(2, 3, pages // 2), run.number(3, 1, pages // 2 - 3)
    removed, at, guest = run.number(4, 1, 4), run.map_address(1), run.guest
    start = guest.next("start")
    run.equal(start.values[:2], [at, pages], "the region of this seed")
    before = frames(run, start.root, at, pages)
    cut = guest.next("cut")
    after = frames(run, start.root, at, pages)
    probed = guest.next("probed")
    with run.part("gone"):
        run.equal(cut.values[0], 0, "what munmap returns")
        run.equal(after[first:first + count], [None] * count, "frames of the pages that are unmapped")
        run.equal(probed.values[:2], [MAPERR, MAPERR], "accesses to the first and the last of them")
    with run.part("stays"):
        stays(run, after[:first], before[:first], at, "below the hole")
        stays(run, after[first + count:], before[first + count:], at + (first + count) * PAGE, "above the hole")
        run.equal(len(guest.faults(cut, probed, at, at + pages * PAGE)), 2, "faults in the region: those two")
    file = guest.next("file")
    _, mapped, whole = file.values[:3]
    with run.part("file"):
        run.equal(mapped, at + (pages + 8) * PAGE, "where the file is mapped")
        for i in range(6):
            expected = None if i == removed else guest.page(file.root, whole + i * PAGE)
            run.equal(guest.page(file.root, mapped + i * PAGE), expected, f"page {i} of the file, of which page {removed} was unmapped")
    guest.end()


@lab.test("munmap over several mappings and holes", program="unmap",
          parts={"gone": 5, "forgotten": 4, "stays": 4, "tables": 3}, gdb="hbreak range_unmap")
def unmap(run):
    low, hole, middle, high = run.number(1, 6, 30), run.number(2, 1, 9), run.number(3, 1, 20), run.number(4, 6, 30)
    keep, cut, pages = run.number(5, 1, low - 2), run.number(6, 1, high - 2), low + hole + middle + high
    end, at, large, guest = pages - (high - cut), run.map_address(1), run.map_address(2), run.guest
    start = guest.next("start")
    run.equal(start.values[:2], [at, pages], "the region of this seed")
    before = frames(run, start.root, at, pages)
    tables = {guest.leaf(start.root, large + i * 512 * PAGE).table for i in range(3)}
    gone = guest.next("gone")
    after = frames(run, start.root, at, pages)
    probed = guest.next("probed")
    with run.part("gone"):
        run.equal(gone.values[0], 0, "what munmap returns")
        run.equal(after[keep:end], [None] * (end - keep), "frames of the pages that are unmapped")
    with run.part("forgotten"):
        run.equal(probed.values[:3], [MAPERR] * 3, "accesses to the private, the shared and the last page of it")
    with run.part("stays"):
        stays(run, after[:keep], before[:keep], at, "below the range")
        stays(run, after[end:], before[end:], at + end * PAGE, "above the range")
        run.equal(probed.values[3:5], [run.byte(1, keep - 1, 0), run.byte(1, end, 0)], "the bytes next to the range")
    again = guest.next("again")
    with run.part("tables"):
        run.equal(again.values[:2], [0, 0], "munmap of a range where nothing is, and of a large one")
        run.equal(len(tables), 3, "tables of the large region")
        run.equal(len(tables & guest.tables(again.root)), 0, "those that are left")
    guest.end()


@lab.test("MAP_FIXED replaces what is there, MAP_FIXED_NOREPLACE does not", program="fixed",
          parts={"refused": 2, "replaced": 5, "beside it": 3}, gdb="hbreak range_unmap")
def fixed(run):
    pages = run.number(1, 20, 80)
    first, count = run.number(2, 2, pages // 2), run.number(3, 2, pages // 2 - 2)
    at, guest = run.map_address(1), run.guest
    start = guest.next("start")
    before = frames(run, start.root, at, pages)
    replaced = guest.next("replaced")
    after = frames(run, start.root, at, pages)
    probed = guest.next("probed")
    with run.part("refused"):
        run.equal(replaced.values[:2], [1, EEXIST], "MAP_FIXED_NOREPLACE: fails, with errno")
    with run.part("replaced"):
        run.equal(replaced.values[2], at + first * PAGE, "where MAP_FIXED maps")
        run.equal(after[first:first + count], [None] * count, "frames of the new mapping, before it is touched")
        run.equal(probed.values[:2], [0, ACCERR], "a byte read there, and a write, which PROT_READ forbids")
    with run.part("beside it"):
        stays(run, after[:first], before[:first], at, "below")
        stays(run, after[first + count:], before[first + count:], at + (first + count) * PAGE, "above")
        run.equal(len(guest.faults(replaced, probed, at, at + pages * PAGE)), 2, "faults in the region: those two")
    guest.end()


@lab.test("mprotect: new rights for a part, at once, and for what comes later", program="protect",
          parts={"less": 6, "none": 4, "more": 4, "later": 3, "not ours": 8, "hole": 3}, gdb="hbreak protect_part")
def protect(run):
    pages = run.number(1, 30, 90)
    first, count = run.number(2, 2, pages // 2), run.number(3, 3, pages // 2 - 2)
    at, zero, guest = run.map_address(1), run.map_address(2), run.guest
    start = guest.next("start")
    part, root = at + first * PAGE, start.root
    before = frames(run, root, at, pages)
    less = guest.next("read-only")
    entries = guest.leaves(root, at, pages)
    with run.part("less"):
        run.equal(less.values[:4], [0, ACCERR, 0, 0], "mprotect(PROT_READ); writes inside of, right above and right below its range")
        stays(run, [entry.frame for entry in entries], before, at, "after mprotect(PROT_READ)")
        for i in range(pages):
            run.equal(entries[i].writable, not first <= i < first + count, f"page {i} may be written")
    none = guest.next("none")
    with run.part("none"):
        run.equal(none.values[:3], [0, ACCERR, ACCERR], "mprotect(PROT_NONE); reads of the first and the last page")
        run.equal(frames(run, root, part, count), [None] * count, "frames that the CPU sees there")
    back = guest.next("back")
    with run.part("more"):
        run.equal(back.values[0], 0, "mprotect(PROT_READ | PROT_WRITE)")
        stays(run, frames(run, root, at, pages), before, at, "after all")
        run.equal(len(guest.faults(none, back, at, at + pages * PAGE)), 0, "faults at writes to pages that are ours alone")
    later = guest.next("untouched")
    with run.part("later"):
        run.equal(later.values[:3], [0, 0, ACCERR], "mprotect of untouched pages; a read, a write")
    record = guest.next("zero")
    shared = guest.leaves(root, zero, 4)
    written = guest.next("zero+")
    child = guest.next("child")
    with run.part("not ours"):
        run.equal(record.values[:2], [0, 0], "mprotect of pages that were read only; what they hold")
        run.true(not any(entry.writable for entry in shared), "no entry of the zero page is writable", "one is")
        run.equal(guest.physical(shared[1].frame or 0, PAGE), bytes(PAGE), "the zero page")
        run.equal(written.values[0], 0, "a page beside the one that was written")
        run.equal(child.values[:3], [0, run.byte(1, first, 0), ord("x")], "a child's mprotect and write, and what the parent sees")
    hole = guest.next("hole")
    with run.part("hole"):
        run.equal(hole.values[:4], [(1 << 64) - 1, ENOMEM, ACCERR, 0], "mprotect into a hole; writes to what lies before it, in and below the range")
    guest.end()


@lab.test("104 rounds of mapping, cutting, replacing and unmapping leave nothing behind", program="rounds",
          needs=("split", "unmap"), parts={"frames": 4, "ledger": 4}, gdb="lz frames", memory="24M")
def rounds(run):
    run.leaves_nothing()
