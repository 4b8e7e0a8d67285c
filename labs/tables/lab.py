# SPDX-License-Identifier: MIT
"""The tests of the lab `tables`: copy-on-write page tables, fork in constant time."""
from grading import verdict
from grading.suite import PAGE, Lab

LEAF, STEP = 512 * PAGE, 16
PDPT, DIRECTORY, LEAF_TABLE = 1, 2, 3       # places in guest.walk()

lab = Lab("tables")


class Tree:
    """The memory that tree_make() makes (tests/tree.h)."""

    def __init__(self, run):
        self.run, self.leaves = run, run.number(1, 24, 56)
        self.at = (run.map_address(1) + LEAF - 1) & -LEAF
        self.end = self.at + self.leaves * STEP * LEAF
        self.places = [self.at + (j * STEP + run.number(100 + j, 0, STEP - 1)) * LEAF + run.number(200 + j, 0, 510) * PAGE
                       for j in range(self.leaves)]

    def steps(self, root):
        return [self.run.guest.walk(root, place) for place in self.places]

    def tables(self, root, level):
        """The table on each page's way at this level; None: there is none."""
        return [steps[level].table if len(steps) > level else None for steps in self.steps(root)]

    def frames(self, root):
        return [entry.frame for entry in (self.run.guest.leaf(root, place) for place in self.places)]

    def content(self, j, changes=()):
        """Page j as it was filled, with {offset: bytes} changed."""
        page = bytearray(self.run.filled(1, j))
        for offset, data in dict(changes).items():
            page[offset:offset + len(data)] = data
        return bytes(page)

    def each(self, seen, expected, what):
        """One check for all pages; the first that is otherwise is told. True: none is."""
        for j, (one, other) in enumerate(zip(seen, expected, strict=True)):
            if not self.run.equal(one, other, f"{what} of page {j}"):
                return False
        return True

    def are_shared(self, one, other):
        """What all else stands on: are both address spaces made of the same tables here?"""
        return self.each(self.tables(other, LEAF_TABLE), self.tables(one, LEAF_TABLE), "the leaf table, shared since fork,")


@lab.test("after fork both have the same tables, from the top down", program="share",
          parts={"the same tables": 5, "nobody may write": 3, "fork's price": 6}, gdb="hbreak aspace_fork")
def share(run):
    guest, tree = run.guest, Tree(run)
    forked = guest.next("forked")
    child = guest.next("child", stream=1)
    with run.part("the same tables"):
        for level, name in ((PDPT, "PDPT"), (DIRECTORY, "page directory"), (LEAF_TABLE, "leaf table")):
            tree.each(tree.tables(child.root, level), tree.tables(forked.root, level), f"the child's {name}")
        own = guest.tables(child.root) - guest.tables(forked.root)
        run.true(len(own) <= 9, "at most 9 tables of the child's own: the root, the ways to its stack and data", f"{len(own)}")
    with run.part("nobody may write"):
        for who, root in (("parent", forked.root), ("child", child.root)):
            writable = sum(guest.leaf(root, place).writable for place in tree.places)
            run.equal(writable, 0, f"pages that the {who} may write")
        tree.are_shared(forked.root, child.root)
    with run.part("fork's price"):
        small, large = forked.values[:2]
        run.at_most(max(large - small, 0), 3000, f"instructions more for a fork with {tree.leaves} leaf tables more")
    guest.end()


@lab.test("a write makes its path its own, and nothing else", program="path",
          parts={"the path": 6, "nothing else": 4, "contents": 2, "faults": 2}, gdb="lz break-fault COW_COPY")
def path(run):
    guest, tree = run.guest, Tree(run)
    chosen = run.number(3, 0, tree.leaves - 1)
    place = tree.places[chosen]
    forked = guest.next("forked")
    before = guest.next("before", stream=1)
    tables, premise = guest.tables(before.root), tree.are_shared(forked.root, before.root)
    after = guest.next("after", stream=1)
    parent, child = guest.walk(forked.root, place), guest.walk(after.root, place)
    with run.part("the path"):
        for level, name in ((PDPT, "PDPT"), (DIRECTORY, "page directory"), (LEAF_TABLE, "leaf table")):
            run.true(child[level].table != parent[level].table, f"the {name} on the way is the child's own", "the parent's")
        run.true(guest.leaf(after.root, place).writable, "the child may write its page", "it may not")
        run.true(not guest.leaf(forked.root, place).writable, "the parent may not", "it may")
        run.equal(len(guest.tables(after.root) - tables), 3, "new tables")
    with run.part("nothing else"):
        run.true(premise, "the tables were shared", "they were not")
        for j, (one, other) in enumerate(zip(tree.steps(forked.root), tree.steps(after.root))):
            if j != chosen:
                run.equal(other[LEAF_TABLE], one[LEAF_TABLE], f"page {j}: leaf table and entry of both")
                for who, root in (("parent", forked.root), ("child", after.root)):
                    run.true(not guest.leaf(root, tree.places[j]).writable, f"page {j}: the {who} may not write", "it may")
    with run.part("contents"):
        run.true(premise, "the tables were shared", "they were not")
        run.equal(guest.page(after.root, place), tree.content(chosen, {64: b"c"}), "the child's page")
        run.equal(guest.page(forked.root, place), tree.content(chosen), "the parent's page")
    tables = guest.tables(after.root)
    beside = guest.next("beside", stream=1)
    with run.part("faults"):
        run.true(premise, "the tables were shared", "they were not")
        run.equal(len(guest.faults(before, after, tree.at, tree.end)), 1, "faults at the first write")
        run.equal(len(guest.faults(after, beside, tree.at, tree.end)), 1, "faults at the write to the fresh page beside it")
        run.equal(len(guest.tables(beside.root) - tables), 0, "new tables for that")
    guest.end()


@lab.test("who is alone again gets its tables back without a copy", program="alone", needs=("share",),
          parts={"untouched": 6, "touched": 6}, gdb="lz break-fault COW_REUSE")
def alone(run):
    guest, tree = run.guest, Tree(run)
    start = guest.next("start")
    before = tree.frames(start.root), [tree.tables(start.root, level) for level in (PDPT, DIRECTORY, LEAF_TABLE)]
    chosen = tree.places[run.number(3, 0, tree.leaves - 1)]
    directories = {place >> 30 for place in tree.places}
    in_its = sum(place >> 30 == chosen >> 30 for place in tree.places)
    for name, faults in (("untouched", 1), ("touched", in_its + len(directories) - 1)):
        gone = guest.next("gone")
        written = guest.next("written")
        with run.part(name):
            tree.each(tree.frames(start.root), before[0], "the frame, as before fork,")
            for level, tables in zip((PDPT, DIRECTORY, LEAF_TABLE), before[1]):
                tree.each(tree.tables(start.root, level), tables, f"the table {level} below the root, as before fork,")
            run.equal(len(guest.faults(gone, written, tree.at, tree.end)), faults, "faults of the parent, for all its pages")
    guest.end()


@lab.test("whoever changes a table has it first",
          program="change", needs=("share",), parts={"the parent's": 6, "the child's": 4}, gdb="lz walk")
def change(run):
    guest, tree = run.guest, Tree(run)
    first = run.number(3, 0, tree.leaves - 6)
    forked = guest.next("forked")
    before = guest.next("before", stream=1)
    shared, frames = tree.are_shared(forked.root, before.root), tree.frames(forked.root)
    after = guest.next("after", stream=1)
    fresh = tree.places[first] + PAGE
    with run.part("the parent's"):
        run.true(shared, "the tables were shared", "they were not")
        parent = guest.next("parent")
        tree.each(tree.frames(parent.root), frames, "its frame")
        run.equal(guest.leaf(parent.root, fresh).frame, None, "its page that the child alone has read")
        for j, place in enumerate(tree.places):
            run.equal(guest.page(parent.root, place), tree.content(j), f"its page {j}")
        written = guest.next("written")
        for j, place in enumerate(tree.places):
            run.equal(guest.page(written.root, place), tree.content(j, {128: b"p"}), f"its page {j}, written")
    with run.part("the child's"):
        run.equal(after.values[0], 0, "what it reads in the fresh page")
        run.equal(guest.page(after.root, fresh), bytes(PAGE), "the fresh page")
        run.equal(guest.page(after.root, tree.places[first + 1]), tree.content(first + 1, {64: b"kernel"}), "the page read(2) wrote")
        for j in (first + 3, first + 4):
            run.equal(guest.leaf(after.root, tree.places[j]).frame, None, f"page {j}, which it gave up")
    guest.end()


@lab.test("what goes whole is not copied first", program="release", needs=("share",),
          parts={"whole": 6, "partly": 6}, gdb="hbreak pagetable_release")
def release(run):
    guest, tree = run.guest, Tree(run)
    start = guest.next("start")
    parent = tree.frames(start.root)
    before = guest.next("before", stream=1)
    tree.are_shared(start.root, before.root)
    after = guest.next("after", stream=1)
    with run.part("whole"):
        tree.each(tree.frames(after.root), [None] * tree.leaves, "the child's frame")
        run.at_most(after.values[0], 30_000 + 2_000 * tree.leaves, f"instructions of munmap with {tree.leaves} leaf tables")
    before = guest.next("before", stream=2)
    first, last = run.number(3, 0, tree.leaves // 2 - 2), run.number(4, tree.leaves // 2 + 1, tree.leaves - 1)
    tables, premise = guest.tables(before.root), tree.are_shared(start.root, before.root)
    after = guest.next("after", stream=2)
    with run.part("partly"):
        run.true(premise, "the tables were shared", "they were not")
        for j, frame in enumerate(tree.frames(after.root)):
            run.equal(frame, None if first < j < last else parent[j], f"the child's frame of page {j}")
        edges = {tree.places[first] >> 30, tree.places[last] >> 30}
        run.equal(len(guest.tables(after.root) - tables), 1 + len(edges) + 2, "new tables: the ways to both edges")
        run.at_most(after.values[0], 30_000 + 1_000 * tree.leaves, "instructions of munmap of a part")
    guest.next("end")
    tree.each(tree.frames(start.root), parent, "the parent's frame")
    for j, place in enumerate(tree.places):
        run.equal(guest.page(start.root, place), tree.content(j), f"the parent's page {j}")
    guest.end()


@lab.test("three generations, each with its own pages", program="generations", needs=("share",), parts={"pages": 6, "frames": 2},
          gdb="lz break-fault COW_COPY")
def generations(run):
    guest, tree = run.guest, Tree(run)
    roots = {}
    for stream, name in ((2, "child"), (1, "parent"), (0, "grandparent")):
        roots[stream] = guest.next(name, stream=stream).root
    writers = [{run.number(3000 + j, 0, 3), run.number(4000 + j, 0, 3)} & {0, 1, 2} for j in range(tree.leaves)]
    with run.part("pages"):
        for j, place in enumerate(tree.places):
            for stream, root in roots.items():
                run.equal(guest.page(root, place), run.filled(10 + stream if stream in writers[j] else 1, j),
                          f"page {j} of generation {stream}")
    with run.part("frames"):
        for j, place in enumerate(tree.places):
            frames = {guest.leaf(root, place).frame for root in roots.values()}
            run.equal(len(frames), min(len(writers[j]) + 1, 3), f"frames of page {j} in the machine")
    guest.end()


@lab.test("a table outlives whoever made it", program="orphan", needs=("share",), parts={"pages": 6}, gdb="hbreak table_put")
def orphan(run):
    guest, tree = run.guest, Tree(run)
    gone = guest.next("gone")
    frames = tree.frames(gone.root)
    grandchild = guest.next("grandchild", stream=2)
    with run.part("pages"):
        tree.are_shared(gone.root, grandchild.root)
        tree.each(tree.frames(grandchild.root), frames, "the grandchild's frame")
        for j, place in enumerate(tree.places):
            run.equal(guest.page(grandchild.root, place), tree.content(j), f"the grandchild's page {j}")
        written = guest.next("written", stream=2)
        chosen = run.number(3, 0, tree.leaves - 1)
        run.equal(guest.page(written.root, tree.places[chosen]), tree.content(chosen, {64: b"c"}), "the page it has written")
        guest.next("end")
        for j, place in enumerate(tree.places):
            run.equal(guest.page(gone.root, place), tree.content(j), f"the first one's page {j}")
    guest.end()


@lab.test("rounds of fork, change and exit leave nothing behind", program="rounds", needs=("share",),
          parts={"frames": 4, "ledger": 2}, gdb="lz frames", memory="24M", ticks=2000)
def rounds(run):
    run.leaves_nothing(lost=verdict.LEAK)
