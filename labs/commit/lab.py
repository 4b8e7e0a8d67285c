# SPDX-License-Identifier: MIT
"""The tests of the lab `commit`: a ledger of promises, and three policies.

What the ledger has left is found from outside of the kernel: by the largest mapping that is granted in mode 2 (room() in tests/room.h).
So nearly every expectation is a difference of two such figures.
"""
from grading import verdict
from grading.suite import PAGE, Lab

lab = Lab("commit")
ENOMEM = 12
KB_PER_PAGE = PAGE // 1024
MINUS_ONE = (1 << 64) - 1


def less(run, before, now, pages, what, gdb=""):
    """What is left has changed by so many pages."""
    run.equal(before - now, pages, f"pages that the ledger has less {what}", gdb)


@lab.test("what is mapped is charged, what is unmapped comes back, what is refused leaves nothing", program="mapped",
          parts={"mmap": 4, "munmap": 2, "heap": 2, "changed": 3, "refused": 5}, gdb="hbreak commit_charge")
def mapped(run):
    pages, hole, heap, more = (run.number(key, low, high) for key, low, high in
                               ((1, 300, 900), (2, 10, 200), (3, 50, 400), (4, 20, 300)))
    start, with_it, touched = run.guest.next("mapped").values[:3]
    with run.part("mmap"):
        less(run, start, with_it, pages, f"after mmap of {pages} pages")
        less(run, with_it, touched, 0, "after some of them are written: a promise is charged when it is made")
    cut, gone = run.guest.next("unmapped").values[:2]
    with run.part("munmap"):
        less(run, start, cut, pages - hole, f"with {hole} of the {pages} pages unmapped")
        less(run, start, gone, 0, "with all of them unmapped")
    grown, shrunk = run.guest.next("heap").values[:2]
    with run.part("heap"):
        less(run, start, grown, heap, f"after brk by {heap} pages")
        less(run, start, shrunk, 0, "after brk back")
    larger, replaced = run.guest.next("changed").values[:2]
    with run.part("changed"):
        less(run, start, larger, pages + more, f"after mremap from {pages} to {pages + more} pages")
        less(run, larger, replaced, -hole, f"after MAP_FIXED of {hole} read-only pages over it")
    refused, afterwards = run.guest.next("refused").values[:2]
    with run.part("refused"):
        run.equal(refused, 20, "mappings that are refused, of 20 beyond all bounds")
        less(run, replaced, afterwards, 0, "after them")
    run.guest.end()


@lab.test("only what may be written privately is charged to a mapping", program="kinds",
          parts={"writable": 3, "read-only": 3, "shared": 3, "noreserve": 3}, gdb="hbreak vma_is_accountable")
def kinds(run):
    n = [run.number(10 + i, 100, 900) for i in range(10)]

    def check(part, expected, names):
        record = run.guest.next(part)
        with run.part(part):
            for seen, pages, name in zip(record.values, expected, names):
                run.equal(seen, pages, f"pages charged for {name}")

    check("writable", n[:3], ("anonymous memory, read and write", "anonymous memory, PROT_WRITE", "a file, private and writable"))
    check("read-only", (0, 0, 0), ("anonymous memory, read-only", "anonymous memory, PROT_NONE", "a file, private and read-only"))
    check("shared", (n[6], 0), ("shared memory (once, to its object)", "a file, shared and writable"))
    check("noreserve", (n[8], 0), ("MAP_NORESERVE in mode 2", "MAP_NORESERVE in mode 0"))
    run.guest.end()


@lab.test("three modes, and the limit of the third", program="limit",
          parts={"kbytes": 3, "ratio": 3, "not reached": 3, "heuristic": 3, "always": 2}, gdb="hbreak commit_allows")
def limit(run):
    low, more, percent = run.number(1, 8000, 12000), run.number(2, 1000, 90000), run.number(3, 60, 400)
    few, many, by_ratio, ram = run.guest.next("limits").values[:4]
    ram //= KB_PER_PAGE
    with run.part("kbytes"):
        run.equal(many - few, more, f"pages more, with overcommit_kbytes of {low + more} pages after {low}")
    with run.part("ratio"):
        run.equal(by_ratio - few, ram * percent // 100 - low,
                  f"pages more with {percent} percent of {ram} pages than with {low} pages")
    nothing, left, before, full = run.guest.next("full").values[:4]
    with run.part("not reached"):
        run.equal(nothing, 0, "pages granted when all that is granted is taken")
        run.equal(full // KB_PER_PAGE, low - 1, f"pages of the {low} that are promised then (Committed_AS)")
        run.equal(full - before, left * KB_PER_PAGE, "KiB that Committed_AS has become more")
    largest, granted, again = run.guest.next("heuristic").values[:3]
    with run.part("heuristic"):
        run.equal(largest, ram, "pages of the largest single mapping in mode 0: all RAM")
        run.equal([granted, again], [10, ram], "how many of that size are granted, and how large one more may be")
    huge, too_much = run.guest.next("always").values[:2]
    with run.part("always"):
        run.equal(huge, 1, "a mapping of a thousand times RAM granted in mode 1")
        run.equal(too_much, 0, "one larger than an address space")
    run.guest.end()


@lab.test("mode 2: what one must leave for others", program="reserve", needs=("mapped",),
          parts={"by size": 4, "bounded": 3, "unprivileged": 3}, gdb="hbreak commit_allows")
def reserve(run):
    size, bound, admin = run.number(1, 100, 400) * 32, run.number(2, 20, 90), run.number(3, 100, 900)
    without, small, large, bounded = run.guest.next("reserves").values[:4]
    with run.part("by size"):
        run.equal(small - large, size // 32, f"pages more to be left by who is {size} pages larger, which are charged to nobody")
        run.true(0 < without - small < 32, "a small program leaves some pages", f"{without - small}")
    with run.part("bounded"):
        run.equal(without - bounded, min(bound, without - large), f"pages to be left with user_reserve_kbytes of {bound} pages")
    as_root, as_other = run.guest.next("unprivileged", stream=1).values[:2]
    with run.part("unprivileged"):
        run.equal(as_root - as_other, admin, f"pages that who is not root leaves for root, with admin_reserve_kbytes of {admin} pages")
    run.guest.end()


@lab.test("fork charges the child's promises, its end gives them back", program="forked", needs=("mapped",),
          parts={"charged": 5, "only what is charged": 3, "given back": 4}, gdb="hbreak vmas_charge")
def forked(run):
    n, found, afterwards = [run.number(10 + i, 100, 900) for i in range(4)], [], []
    for stream, name in ((1, "alone"), (2, "larger"), (3, "kept")):
        inside = run.guest.next("child", stream=stream).values[1]
        before, status, after = run.guest.next(name).values[:3]
        run.equal(status, 0, "the child's wait status")
        found.append(before - inside)
        afterwards.append((before, after))
    with run.part("charged"):
        run.true(found[0] > 0, "a child of this program costs some pages", f"{found[0]} pages")
        run.true(found[1] - found[0] >= n[0], f"with {n[0]} more writable pages it costs so many more", f"{found[1] - found[0]} more")
    with run.part("only what is charged"):
        run.equal(found[1] - found[0], n[0],
                  f"pages that it costs more with {n[0]} writable, {n[1]} read-only and {n[2]} shared pages")
        run.equal(found[2], found[1], f"pages that it costs with {n[3]} writable pages more that it does not get (MADV_DONTFORK)")
    with run.part("given back"):
        for before, after in afterwards:
            less(run, before, after, 0, "after the child's end than before fork")
    run.guest.end()


@lab.test("fork is refused when it would be too much, and leaves nothing behind then", program="refused", needs=("forked",),
          parts={"limit": 4, "nothing left": 6}, gdb="hbreak vmas_charge")
def refused(run):
    inside = run.guest.next("child", stream=1).values[1]
    left, after = run.guest.next("granted").values[:2]
    need, afterwards = run.guest.next("refused").values[:2]
    with run.part("limit"):
        run.equal(need, left - inside, "pages that must be left for fork to be granted: what the child is charged")
    with run.part("nothing left"):
        less(run, left, after, 0, "after a fork that was granted, and the child's end")
        less(run, left, afterwards, 0, "after some that were refused")
    run.guest.end()


@lab.test("mprotect charges what becomes writable, once", program="protect", needs=("mapped",),
          parts={"once": 5, "given back": 3, "refused": 3, "not cut": 2}, gdb="hbreak protect_part")
def protect(run):
    pages, part = run.number(1, 300, 900), run.number(2, 20, 200)
    start, once, read_only, again = run.guest.next("charged").values[:4]
    with run.part("once"):
        less(run, start, once, part, f"after {part} of {pages} read-only pages are made writable")
        less(run, once, read_only, 0, "after that is said again, and taken back: what is charged stays so")
        less(run, once, again, 0, "after they are made writable once more, and executable")
    whole, gone = run.guest.next("unmapped").values[:2]
    with run.part("given back"):
        less(run, start, whole, pages, f"after the other pages, too, are made writable ({pages} in all)")
        less(run, start, gone, 0, "after munmap")
    error, left, writable = run.guest.next("refused").values[:3]
    with run.part("refused"):
        run.equal(error, ENOMEM, "the error of mprotect of more than is left")
        less(run, start, left, 0, "after that")
        run.equal(writable, 0, "pages that are writable all the same")
    error, left, writable = run.guest.next("not cut").values[:3]
    with run.part("not cut"):
        run.equal(error, ENOMEM, "the error of mprotect of a part, when there may be no more mappings (vm.max_map_count)")
        less(run, start, left, 0, "after that")
        run.equal(writable, 0, "pages that are writable all the same")
        less(run, start, run.guest.next("end").values[0], 0, "at the end")
    run.guest.end()


@lab.test("/proc/meminfo tells the ledger; a promise among a thousand costs no more", program="total", needs=("mapped",),
          parts={"total": 4, "price": 2}, gdb="hbreak commit_total")
def total(run):
    pages, limit_pages = run.number(1, 300, 900), run.number(6, 40000, 60000)
    left, promised, shown, left_then, promised_then = run.guest.next("total").values[:5]
    with run.part("total"):
        run.equal(shown // KB_PER_PAGE, limit_pages, "CommitLimit in pages")
        run.equal(promised // KB_PER_PAGE, limit_pages - 1 - left, "Committed_AS in pages: what is not left")
        run.equal(promised_then - promised, pages * KB_PER_PAGE, f"KiB that it is more after mmap of {pages} pages")
        less(run, left, left_then, pages, "then")
    price = run.guest.next("price").values[0]
    with run.part("price"):
        run.at_most(price, 9_000, "instructions of mmap and munmap of two pages among a thousand mappings")
    run.guest.end()


@lab.test("40 rounds of all that charges, and of all that is refused, leave nothing behind", program="rounds",
          needs=("mapped", "forked", "protect"), parts={"room": 4, "ledger": 2, "frames": 1}, gdb="hbreak commit_refund", memory="24M",
          ticks=400)
def rounds(run):
    first = run.guest.next("room").values[0]
    before = run.guest.next("before").values
    after = run.guest.next("after", lost=verdict.LEAK).values
    last = run.guest.next("room").values[0]
    with run.part("room"):
        run.no_leak(first, last, "pages that are granted")
    with run.part("ledger"):
        run.no_leak(before[1], after[1], "promised memory (Committed_AS) in KiB")
    with run.part("frames"):
        run.no_leak(before[0], after[0], "free memory in KiB", slack=8)     # a slab of the kernel's may fill up
    run.guest.end()
