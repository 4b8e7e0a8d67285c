# SPDX-License-Identifier: MIT
"""The tests of the lab `cow`: copy-on-write fork, the classical way."""
from grading import verdict
from grading.suite import PAGE, Lab

lab = Lab("cow", parameters=["sharedtables=off"])


@lab.test("after fork both sides have the same frames, and nobody may write", program="share",
          parts={"no page is copied": 6, "nobody may write": 4, "fork's price": 2}, gdb="hbreak aspace_fork")
def share(run):
    pages, at = run.number(1, 40, 120), run.map_address(1)
    start = run.guest.next("start")
    run.equal(start.values[:2], [at, pages], "the region of this seed")
    frames = [entry.frame for entry in run.guest.leaves(start.root, at, pages)]
    forked = run.guest.next("forked")
    child = run.guest.next("child", stream=1)
    mine, its = (run.guest.leaves(root, at, pages) for root in (start.root, child.root))
    with run.part("no page is copied"):
        for i in range(pages):
            run.equal(mine[i].frame, frames[i], f"the parent's frame of page {i}, as before fork")
            run.equal(its[i].frame, frames[i], f"the child's frame of page {i}, the parent's")
    with run.part("nobody may write"):
        for who, entries in (("parent", mine), ("child", its)):
            for i in range(pages):
                run.true(not entries[i].writable, f"the {who}'s entry of page {i} is read-only", "it is writable")
    with run.part("fork's price"):
        run.at_most(forked.values[0], 60_000 + 200 * pages, f"instructions of fork with {pages} pages")
    run.guest.end()


@lab.test("a write copies that page alone, for the writer alone", program="copy",
          parts={"contents": 4, "frames": 8, "faults": 8}, gdb="lz break-fault COW_COPY")
def copy(run):
    pages, at, guest = run.number(1, 40, 120), run.map_address(1), run.guest
    chosen = [run.number(2000 + i, 0, 2) == 0 for i in range(pages)]
    root = guest.next("forked").root
    before = guest.next("before", stream=1)
    shared = [entry.frame for entry in guest.leaves(root, at, pages)]
    after = guest.next("after", stream=1)
    mine, its = guest.leaves(root, at, pages), guest.leaves(after.root, at, pages)
    with run.part("contents"):
        for i in range(pages):
            run.equal(guest.page(root, at + i * PAGE), run.filled(1, i), f"the parent's page {i}")
            run.equal(guest.page(after.root, at + i * PAGE), run.filled(2 if chosen[i] else 1, i), f"the child's page {i}")
    with run.part("frames"):
        for i in range(pages):
            run.equal(mine[i].frame, shared[i], f"the parent's frame of page {i}, untouched")
            if chosen[i]:
                run.true(its[i].frame not in shared and its[i].writable, f"the child's page {i}: a frame of its own, writable",
                         f"{its[i].frame or 0:#x}, {'writable' if its[i].writable else 'read-only'}")
            else:
                run.equal(its[i].frame, shared[i], f"the child's frame of page {i}, never written")
        copies = [entry.frame for entry, is_chosen in zip(its, chosen) if is_chosen]
        run.equal(len(set(copies)), len(copies), "different frames among the child's copies")
    again = guest.next("again", stream=1)
    with run.part("faults"):
        end = at + pages * PAGE
        seen = [(fault.address - at) // PAGE for fault in guest.faults(before, after, at, end) if fault.write]
        run.equal(seen, [i for i in range(pages) if chosen[i]], "pages that fault at the first write, once each")
        run.equal(len(guest.faults(after, again, at, end)), 0, "faults at the second write")
    guest.end()


@lab.test("the parent writes right after fork, and the child does not see it", program="at_once",
          parts={"on copies": 10}, gdb="hbreak aspace_fork")
def at_once(run):
    pages, at, guest = run.number(1, 8, 24), run.map_address(1), run.guest
    start = guest.next("start")
    written = guest.next("written")
    child = guest.next("child", stream=1)
    with run.part("on copies"):
        for i in range(pages):
            run.equal(guest.page(child.root, at + i * PAGE), run.filled(1, i), f"the child's page {i}, as at fork")
            mine = bytes([run.byte(2, i, 0)]) + run.filled(1, i)[1:]
            run.equal(guest.page(start.root, at + i * PAGE), mine, f"the parent's page {i}")
        faults = [fault for fault in guest.faults(start, written, at, at + pages * PAGE) if fault.root == start.root]
        run.equal(len(faults), pages, "faults of the parent, one a page")
    guest.end()


@lab.test("who is alone again writes in place", program="reuse", parts={"in place": 10, "contents": 2},
          gdb="lz break-fault COW_REUSE")
def reuse(run):
    pages, at, guest = run.number(1, 40, 120), run.map_address(1), run.guest
    start = guest.next("start")
    frames = [entry.frame for entry in guest.leaves(start.root, at, pages)]
    gone = guest.next("gone")
    run.true(gone.values[0] == 0, "the child ends well", f"wait status {gone.values[0]:#x}")
    written = guest.next("written")
    with run.part("contents"):
        for i in range(pages):
            run.equal(guest.page(start.root, at + i * PAGE), run.filled(3, i), f"page {i}")
    entries = guest.leaves(start.root, at, pages)
    again = guest.next("again")
    with run.part("in place"):
        for i, entry in enumerate(entries):
            run.equal(entry.frame, frames[i], f"the parent's frame of page {i}, as before fork")
            run.true(entry.writable, f"page {i} may be written", "it is read-only")
        end = at + pages * PAGE
        run.equal(len(guest.faults(gone, written, at, end)), pages, "faults, one a page")
        run.equal(len(guest.faults(written, again, at, end)), 0, "faults at the second write")
    guest.end()


@lab.test("shared memory is not copied", program="shared_memory", needs=("share",), parts={"one memory": 5, "no faults": 3},
          gdb="lz break-fault COW_COPY")
def shared_memory(run):
    pages, at, guest = run.number(1, 8, 40), run.map_address(1), run.guest
    start = guest.next("start")
    frames = [entry.frame for entry in guest.leaves(start.root, at, pages + 1)]
    child = guest.next("child", stream=1)
    written = guest.next("written", stream=1)
    both = guest.next("both")
    with run.part("one memory"):
        for who, root in (("parent", start.root), ("child", child.root)):
            for i, entry in enumerate(guest.leaves(root, at, pages)):
                run.equal(entry.frame, frames[i], f"the {who}'s frame of shared page {i}")
                run.equal(guest.page(root, at + i * PAGE), run.filled(3 if i % 2 else 2, i), f"the {who}'s shared page {i}")
        run.equal(guest.page(start.root, at + pages * PAGE), run.filled(1, pages), "the parent's private page beside it")
        run.equal(guest.page(child.root, at + pages * PAGE), run.filled(2, pages), "the child's private page beside it")
    with run.part("no faults"):
        run.equal(len(guest.faults(child, both, at, at + pages * PAGE)), 0, "faults in shared memory that both have mapped")
    del written
    guest.end()


@lab.test("a system call that writes for the child copies, too", program="kernel_writes", parts={"on copies": 8},
          gdb="lz break-fault COW_COPY")
def kernel_writes(run):
    at, guest = run.map_address(1), run.guest
    length = run.number(2, 100, 900)
    buffer = at + 2 * PAGE - run.number(3, 20, length - 20)
    before = guest.next("before", stream=1)
    run.equal(before.values[:2], [buffer, length], "the buffer of this seed")
    after = guest.next("after", stream=1)
    child = [guest.page(after.root, at + i * PAGE) for i in range(4)]
    parent = guest.next("parent")
    with run.part("on copies"):
        run.equal(after.values[0], length, "bytes that read(2) has read")
        old = b"".join(run.filled(1, i) for i in range(4))
        run.equal(after.values[1], run.sum(old), "the sum of what the child sees before read(2)")
        memory = bytearray(old)
        memory[buffer - at:buffer - at + length] = bytes(run.byte(5, 0, i) for i in range(length))
        for i in range(4):
            run.equal(child[i], bytes(memory[i * PAGE:(i + 1) * PAGE]), f"the child's page {i}")
            run.equal(guest.page(parent.root, at + i * PAGE), run.filled(1, i), f"the parent's page {i}")
        run.equal(after.values[2], run.sum(bytes(memory)), "the sum of what the child sees after read(2)")
        faults = guest.faults(before, after, at, at + 4 * PAGE)
        run.equal([(fault.address & -PAGE, fault.level) for fault in faults], [(at + PAGE, 0), (at + 2 * PAGE, 0)],
                  "faults (page, privilege level) of the kernel's own hand")
    guest.end()


@lab.test("three generations, each with its own pages", program="generations", parts={"pages": 8},
          gdb="lz break-fault COW_COPY")
def generations(run):
    pages, at, guest = run.number(1, 30, 90), run.map_address(1), run.guest
    roots = {}
    for stream, name in ((2, "child"), (1, "parent"), (0, "grandparent")):
        roots[stream] = guest.next(name, stream=stream).root
    writers = [{run.number(3000 + i, 0, 3), run.number(4000 + i, 0, 3)} for i in range(pages)]
    with run.part("pages"):
        for i in range(pages):
            for stream, root in roots.items():
                run.equal(guest.page(root, at + i * PAGE), run.filled(10 + stream if stream in writers[i] else 1, i),
                          f"page {i} of generation {stream}")
            frames = {guest.leaf(root, at + i * PAGE).frame for root in roots.values()}
            # The last to write finds itself alone, and takes no copy.
            run.equal(len(frames), min(len(writers[i] & {0, 1, 2}) + 1, 3), f"frames of page {i} in the machine")
    guest.end()


@lab.test("read-only stays read-only; PROT_NONE keeps its page", program="rights", needs=("share",),
          parts={"rights": 3, "contents": 3}, gdb="lz break-fault SEGV_ACCERR")
def rights(run):
    guest = run.guest
    guest.next("start")
    reached = guest.next("reached", stream=1)
    killed = guest.next("killed")
    with run.part("rights"):
        run.equal(killed.values[0], 11, "the signal that the child dies of at its write to a read-only page")
    with run.part("contents"):
        run.equal(reached.values[:2], [ord("c"), run.byte(1, 1, 64)], "two bytes of the page that was PROT_NONE, in the child")
        run.equal(killed.values[1:3], [run.byte(1, 0, 0), run.byte(1, 1, 0)], "the same pages in the parent")
    guest.end()


@lab.test("pages of a file and the zero page are copied by their first writer", program="not_ours", needs=("share",),
          parts={"file": 3, "zero page": 3, "file's own": 2}, gdb="lz break-fault COW_COPY")
def not_ours(run):
    guest, page, offset = run.guest, run.number(2, 0, 3), run.number(3, 0, PAGE - 1)
    read = guest.next("read")
    file, other, fresh = read.values[:3]
    frames = {base: [entry.frame for entry in guest.leaves(read.root, base, 4)] for base in (file, other, fresh)}
    original = guest.page(read.root, file + page * PAGE)
    guest.next("written")
    now = {base: [entry.frame for entry in guest.leaves(read.root, base, 4)] for base in (file, other, fresh)}
    with run.part("file"):
        changed = bytearray(original)
        changed[offset] ^= 0xff
        run.equal(frames[file], frames[other], "frames of the file, mapped twice")
        run.equal(guest.page(read.root, file + page * PAGE), bytes(changed), "the writer's page")
        run.equal(guest.page(read.root, other + page * PAGE), original, "the file's page")
        run.equal(now[other], frames[other], "the file's frames afterwards")
        run.true(now[file][page] != frames[file][page], "the writer's frame is another one", "it is the file's")
    with run.part("zero page"):
        zeroes = bytearray(PAGE)
        zeroes[offset] = 0xff
        run.equal(len(set(frames[fresh])), 1, "frames of four pages that were read only")
        run.equal(guest.page(read.root, fresh + page * PAGE), bytes(zeroes), "the page that was written")
        run.equal(guest.physical(frames[fresh][0], PAGE), bytes(PAGE), "the zero page")
        others = [i for i in range(4) if i != page]
        run.equal([now[fresh][i] for i in others], [frames[fresh][i] for i in others], "the frames of the other three")
    lone = guest.next("lone")
    with run.part("file's own"):
        run.equal(guest.page(lone.root, lone.values[0])[:1], bytes([run.byte(4, 0, 0) ^ 0xff]), "the writer's byte")
        run.equal(lone.values[1], run.byte(4, 0, 0), "the file's byte, of a page that nobody else had mapped")
    guest.end()


@lab.test("80 rounds of fork, write and exit leave nothing behind", program="rounds", needs=("share",),
          parts={"frames": 4, "ledger": 2}, gdb="lz frames", memory="24M")
def rounds(run):
    run.leaves_nothing(lost=verdict.LEAK)      # a fork or a write that found no memory


@lab.test("a copy that finds no memory kills its asker, and harms nobody else", program="no_memory", needs=("share",),
          parts={"memory": 2}, gdb="lz break-fault OOM", memory="24M", parameters=("vm.overcommit_memory=1",))
def no_memory(run):
    run.guest.next("start")
    killed = run.guest.next("killed")
    with run.part("memory"):
        run.equal(killed.values[0], 9, "the signal that the child dies of")
        run.equal(killed.values[1], 0, "pages of the parent that have changed")
    run.guest.end()
