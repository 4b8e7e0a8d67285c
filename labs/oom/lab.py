# SPDX-License-Identifier: MIT
"""The tests of the lab `oom`: who dies when the promises cannot all be kept, how, and what the log says of it.

init takes the memory, which is never a candidate; the others are idle processes of known size (tests/hog.h). What a process has
at the moment of a death is seen in its page tables: the machine is stopped where the kernel calls oom_kill(), and where it takes
the victim's tables down.
"""
from grading import verdict
from grading.suite import PAGE, Lab

lab = Lab("oom", parameters=["vm.overcommit_memory=1"])
SIGKILL = 9
KB_PER_PAGE = PAGE // 1024
NOBODY = 8


def whole(numerator, denominator):
    """Division as C has it."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def resident(guest, root, zero):
    """The frames that a process has, the zero page (`zero`) aside; those of tables without the root."""
    pages, below = 0, [(root, 4)]
    tables = guest.tables(root)
    while below:
        table, level = below.pop()
        entries = guest._table(table)[:256 if level == 4 else 512]
        for bits in entries:
            if not bits & 1:
                continue
            frame = bits & 0x000ffffffffff000
            if level > 1:
                below.append((frame, level - 1))
            elif frame != zero:
                pages += 1
    return pages, len(tables) - 1


def hogs(run, count):
    """[(root, address, pages)] of the idle processes."""
    found = []
    for stream in range(1, count + 1):
        record = run.guest.next("ready", stream=stream)
        found.append((record.root, *record.values[:2]))
    return found


def unharmed(run, hog, what):
    root, at, pages = hog
    for i in range(pages):
        if not run.equal(run.guest.page(root, at + i * PAGE), run.filled(1, i), f"page {i} of {what}"):
            return


@lab.test("the largest process dies, and nobody else", program="largest", parts={"the largest": 8, "one is enough": 5, "unharmed": 5},
          memory="24M", gdb="hbreak candidate_weigh")
def largest(run):
    big = run.number(1, 1, 2)
    village = hogs(run, 4)
    run.guest.next("start")
    dead, status, second, spoilt = run.guest.next("dead").values[:4]
    with run.part("the largest"):
        run.equal(dead, big, "which of the processes 0 to 3 dies")
        run.equal(status, SIGKILL, "its wait status")
    with run.part("one is enough"):
        run.equal(second, NOBODY, f"who dies next, while 500 pages more are taken ({NOBODY}: nobody)")
    with run.part("unharmed"):
        run.equal(spoilt, 0, "bytes of init's that are not what it has written")
        for i, hog in enumerate(village):
            if i != big:
                unharmed(run, hog, f"process {i}")
    run.guest.end()


@lab.test("the weight: pages, page tables, and the owner's opinion; /proc/PID/oom_score tells it", program="weight",
          parts={"score": 6, "tables count": 5, "opinion counts": 5}, memory="24M", gdb="hbreak oom_score")
def weight(run):
    village, guest = hogs(run, 5), run.guest
    record = guest.next("zero")
    zero, ram = guest.leaf(record.root, record.values[0]).frame, record.values[1]
    scores = guest.next("scores").values[:5]
    adjs = (0, 0, run.number(4, 1, 300), -run.number(5, 1, 900), -1000)

    def check(i):
        pages, tables = resident(guest, village[i][0], zero)
        points = pages + tables + adjs[i] * (ram // 1000)
        score = max(whole((1000 + whole(points * 1000, ram)) * 2, 3), 0) if adjs[i] != -1000 else 0
        run.equal(scores[i], score, f"oom_score with {pages} pages, {tables} page tables and oom_score_adj {adjs[i]} in {ram} pages of RAM")

    with run.part("score"):
        check(0)
        check(1)
    with run.part("opinion counts"):
        for i in (2, 3, 4):
            check(i)
    dead, status = guest.next("dead").values[:2]
    with run.part("tables count"):
        run.equal([dead, status], [1, SIGKILL], "who dies (0: more pages; 1: fewer pages, many page tables), and its wait status")
    guest.end()


@lab.test("oom_score_adj: who is disliked goes first, who is liked last, -1000 never", program="opinion",
          parts={"disliked first": 5, "liked later": 5, "never": 8}, memory="24M", gdb="hbreak candidate_weigh")
def opinion(run):
    village = hogs(run, 5)
    run.guest.next("start")
    *dead, spoilt = run.guest.next("dead").values[:5]
    with run.part("disliked first"):
        run.equal(dead[0], 4, "who dies first: 4, small and disliked")
    with run.part("liked later"):
        run.equal(dead[1:3], [1, 0], "who dies then: 1, of whom there is no opinion, then 0, large and liked")
    with run.part("never"):
        run.equal(dead[3], 3, "who dies last: 3, with -999, and not 2, with -1000")
        unharmed(run, village[2], "process 2")
        run.equal(spoilt, 0, "bytes of init's that are not what it has written")
    run.guest.end()


@lab.test("vm.oom_kill_allocating_task: the one that asks dies, if it may", program="asking",
          parts={"who asks": 5, "immune": 4, "init": 4}, memory="24M", gdb="hbreak victim_choose")
def asking(run):
    hogs(run, 2)
    status, dead, said = run.guest.next("who asks").values[:3]
    with run.part("who asks"):
        run.equal(status, SIGKILL, "the wait status of who asks")
        run.equal(dead, NOBODY, f"who else dies ({NOBODY}: nobody)")
        run.equal(said, 1, "the log says `Out of memory (oom_kill_allocating_task): Killed process`: 1 is yes")
    status, dead = run.guest.next("immune").values[:2]
    with run.part("immune"):
        run.equal(status, 7 << 8, "the wait status of who asks with oom_score_adj -1000: it lives to see another die")
        run.equal(dead, 0, "who dies: the heaviest")
    dead, status = run.guest.next("init").values[:2]
    with run.part("init"):
        run.equal([dead, status], [1, SIGKILL], "who dies when init asks: the next, and its wait status")
    run.guest.end()


@lab.test("the reaper takes what is private, at once, and what is shared stays", program="reaped", needs=("largest",),
          parts={"private": 7, "shared": 5}, memory="24M", gdb="hbreak oom_reaper")
def reaped(run):
    guest, second, shared = run.guest, run.number(2, 50, 200), run.number(3, 20, 90)
    guest.next("ready", stream=1)
    ready = guest.next("ready", stream=2)
    start = guest.next("start")
    region, pages, other, file, common = ready.values[:5]
    mine = [entry.frame for entry in guest.leaves(start.root, common, shared)]
    guest.stop_in("oom_kill")
    had = sum(entry.present for at, count in ((region, pages), (other, second)) for entry in guest.leaves(ready.root, at, count))
    run.equal(had, pages + second, "private pages that the victim has when it is killed")
    guest.stop_in("pagetable_destroy")
    with run.part("private"):
        for name, at, count in (("region", region, pages), ("other region", other, second), ("private mapping of a file", file, 2)):
            left = sum(entry.present for entry in guest.leaves(ready.root, at, count))
            run.equal(left, 0, f"pages left in the victim's {name} when its end takes its tables down")
    with run.part("shared"):
        its = [entry.frame for entry in guest.leaves(ready.root, common, shared)]
        run.equal(its, mine, "the victim's frames of shared memory then: init's, all of them")
        dead, status = guest.next("dead").values[:2]
        run.equal([dead, status], [1, SIGKILL], "who dies, and the wait status")
        for i in range(shared):
            run.equal(guest.page(start.root, common + i * PAGE), run.filled(2, i), f"page {i} of the shared memory")
    guest.end()


@lab.test("what the victim's child has stays whole", program="relatives", needs=("reaped",), parts={"child": 6, "others": 2},
          memory="24M", gdb="hbreak aspace_reap")
def relatives(run):
    guest = run.guest
    guest.next("ready", stream=1)
    child = guest.next("child", stream=9)
    parent = guest.next("ready", stream=2)
    at, pages = parent.values[:2]
    guest.next("start")
    dead, status, spoilt = guest.next("dead").values[:3]
    with run.part("child"):
        run.equal([dead, status], [1, SIGKILL], "who dies, and the wait status")
        for i in range(pages):
            pattern = 3 if 520 <= i < 800 and run.number(2000 + i, 0, 7) == 1 else 1
            if not run.equal(guest.page(child.root, at + i * PAGE), run.filled(pattern, i), f"page {i} of the victim's child"):
                break
    with run.part("others"):
        run.equal(spoilt, 0, "bytes of init's that are not what it has written")
    guest.end()


@lab.test("the autopsy: the victim's figures, from before its end", program="report", needs=("largest",),
          parts={"killed": 6, "reaped": 3, "constraint": 2}, memory="24M", gdb="hbreak oom_report_kill")
def report(run):
    guest, shared, adj = run.guest, run.number(2, 20, 90), run.number(3, 1, 40)
    guest.next("ready", stream=1)
    ready = guest.next("ready", stream=2)
    region, pages, common, size = ready.values[:4]
    start = guest.next("start")
    zero = guest.leaf(start.root, start.values[0]).frame
    guest.stop_in("oom_kill")
    seen, tables = resident(guest, ready.root, zero)
    dead, status, is_found = guest.next("dead").values[:3]
    killed, reaped_line, constraint = guest.next("killed"), guest.next("reaped"), guest.next("constraint")
    total, anon, file, shmem, table_kb, its_adj = killed.values[:6]
    with run.part("killed"):
        run.equal([dead, status], [1, SIGKILL], "who dies, and the wait status")
        run.equal(is_found, 1, "a line `Out of memory: Killed process`, in its form, with the victim's pid and uid: 1 is yes")
        run.equal(total, size * KB_PER_PAGE, "total-vm in KiB")
        run.equal(shmem, shared * KB_PER_PAGE, "shmem-rss in KiB")
        run.equal(anon + file + shmem, seen * KB_PER_PAGE, "anon-rss, file-rss and shmem-rss together: the pages of its tables, in KiB")
        run.true(anon >= pages * KB_PER_PAGE, f"anon-rss of {pages * KB_PER_PAGE} KiB and more", str(anon))
        run.equal(table_kb, tables * KB_PER_PAGE, "pgtables in KiB")
        run.equal(its_adj, adj, "oom_score_adj")
    found, anon, file, shmem = reaped_line.values[:4]
    with run.part("reaped"):
        run.equal(found, 1, "a line `oom_reaper: reaped process`, in its form, with the victim's pid: 1 is yes")
        run.equal([anon, file, shmem], [0, 0, shared * KB_PER_PAGE], "anon-rss, file-rss and shmem-rss in it, in KiB")
    with run.part("constraint"):
        run.equal(constraint.values[0], 1, "a line `oom-kill:constraint=…` with the victim's pid and uid: 1 is yes")
    guest.end()


@lab.test("eight deaths leave nothing behind", program="rounds", needs=("largest", "reaped"),
          parts={"frames": 3, "ledger": 1}, gdb="lz frames", memory="24M", ticks=400)
def rounds(run):
    for i in range(2 * 3):
        run.guest.next("ready", stream=i + 1)
    before = run.guest.next("before")
    for i in range(8 * 3):
        run.guest.next("ready", stream=7 + i)
    after = run.guest.next("after", lost=verdict.LEAK)
    with run.part("frames"):
        run.no_leak(before.values[0], after.values[0], "free memory in KiB", slack=8)   # a slab of the kernel's may fill up
    with run.part("ledger"):
        run.no_leak(before.values[1], after.values[1], "promised memory (Committed_AS) in KiB")
    run.guest.end()
