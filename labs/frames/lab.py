# SPDX-License-Identifier: MIT
"""The tests of the lab `frames`: the buddy allocator and reference counts.

Most are made in the kernel (kernel/blocks.c), which takes and gives blocks as the seed says. What it holds it tells; what the
allocator has made of it is read from the frames' records in RAM (struct frame, mm/frame.h), and compared with what must be: for
a set of free frames there is but one way to cut it into blocks of which no two are buddies.
"""
import collections
import struct

from grading import verdict
from grading.suite import PAGE, Lab

lab = Lab("frames", boots=False)

FREE, RESERVED, KERNEL = 0, 1, 2        # enum frame_kind
INNER, ORDERS = 15, 11                  # FRAME_INNER, FRAME_ORDERS
RECORD = struct.Struct("<IBBHQ")        # struct frame
LIVE = struct.Struct("<QQQ")            # struct live of kernel/blocks.c

Frame = collections.namedtuple("Frame", "refs kind order")
Block = collections.namedtuple("Block", "pfn order")


def frames_read(guest):
    """All records, as they are now."""
    count = guest.kernel_number("frame_count")
    data = guest.virtual(guest.kernel_number("frame_array"), count * RECORD.size)
    return [Frame(refs, kind, bits & 15) for refs, kind, bits, _, _ in RECORD.iter_unpack(data)]


def frames_of(blocks):
    return {pfn for block in blocks for pfn in range(block.pfn, block.pfn + (1 << block.order))}


def cut(free):
    """The one set of blocks that these free frames make, no two of them being buddies."""
    blocks, left = set(), set(free)
    for order in range(ORDERS):
        joined = set()
        for pfn in left:
            whole = pfn & ~(1 << order)
            if order < ORDERS - 1 and whole in left and whole | 1 << order in left:
                joined.add(whole)
            else:
                blocks.add(Block(pfn, order))
        left = joined
    return blocks


class State:
    """What the machine's records say at a stop: free blocks, and those that the test holds."""

    def __init__(self, run, record):
        self.run, guest = run, run.guest
        self.records = frames_read(guest)
        at, count = record.values[:2]
        self.live = [(Block(pfn, order), refs) for pfn, order, refs in LIVE.iter_unpack(guest.virtual(at, count * LIVE.size))]
        self.blocks = {Block(pfn, frame.order) for pfn, frame in enumerate(self.records)
                       if frame.kind == FREE and frame.order != INNER}
        self.free = frames_of(self.blocks)
        # Inside of a block that is taken, records may say FREE as well: only the first one speaks.
        taken = frames_of(Block(pfn, frame.order) for pfn, frame in enumerate(self.records)
                          if frame.kind > RESERVED and 0 < frame.order < ORDERS)
        self.lost = {pfn for pfn, frame in enumerate(self.records) if frame.kind == FREE} - self.free - taken

    def is_sound(self, gdb="hbreak block_free"):
        """Do the free blocks hold all that is free, once, each as large as can be?"""
        run, good = self.run, True
        covered = sum(1 << block.order for block in self.blocks)
        for block in self.blocks:
            inside = range(block.pfn, block.pfn + (1 << block.order))
            good &= run.true(block.pfn % (1 << block.order) == 0, "a free block is aligned to its size", named(block), gdb)
            good &= run.true(inside.stop <= len(self.records) and all(self.records[pfn].kind == FREE for pfn in inside),
                             "all frames of a free block are free", named(block), gdb)
            if not good:
                return False
        good = run.equal(covered, len(self.free), "frames in free blocks, each once", gdb)
        good &= run.true(not self.lost, "a frame that is free is in a free block",
                         f"{len(self.lost)} are not, from frame {min(self.lost, default=0):#x} on", gdb)
        if good and self.blocks != cut(self.free):
            wrong = min(self.blocks - cut(self.free))
            good = run.true(False, "no free block has a free buddy", f"{named(wrong)} has one", gdb)
        return good

    def has_live(self, kind=KERNEL):
        """Are the blocks that the test holds sound, and do their records say so?"""
        run, seen = self.run, set()
        for block, refs in self.live:
            own = frames_of([block])
            run.true(block.pfn % (1 << block.order) == 0, "a block is aligned to its size", named(block), "hbreak block_alloc")
            run.true(not own & seen, "a block that nobody else has", named(block), "hbreak block_alloc")
            run.true(not own & self.free, "a block that has been taken is not free", named(block), "hbreak block_alloc")
            run.equal(self.records[block.pfn], Frame(refs, kind, block.order), f"references, kind and order of {named(block)}")
            seen |= own


def named(block):
    return f"the block of order {block.order} at frame {block.pfn:#x}"


def state(run, name):
    return State(run, run.guest.next(name))


@lab.test("blocks are split and joined, and none is lost", selftest="lab_blocks",
          parts={"boot": 4, "taken": 8, "smallest first": 4, "joined": 8}, gdb="hbreak block_alloc")
def blocks(run):
    count = run.number(1, 20, 28)
    start = before = state(run, "start")
    with run.part("boot"):
        start.is_sound("hbreak blocks_free")
    fits = []
    with run.part("taken"):
        for _ in range(count):
            now = state(run, "taken")
            block = now.live[-1][0]
            now.has_live()
            fits.append((min(free.order for free in before.blocks if free.order >= block.order),
                         [free.order for free in before.blocks if free.pfn <= block.pfn < free.pfn + (1 << free.order)]))
            if not run.equal(len(now.free), len(before.free) - (1 << block.order), f"free frames after {named(block)} was taken"):
                break
            if not now.is_sound("hbreak block_alloc"):
                break
            before = now
    with run.part("smallest first"):
        run.true(len(fits) == count, "all blocks were taken", f"{len(fits)} of {count}")
        for smallest, taken_from in fits:
            run.equal(taken_from, [smallest], "the order of the free block of which one was made: the smallest that will do")
    with run.part("joined"):
        for _ in range((count + 3) // 4):
            now = state(run, "given")
            now.has_live()
            if not now.is_sound():
                break
        end = state(run, "end")
        run.equal(len(end.free), len(start.free), "free frames, all blocks given back")
        run.equal(end.blocks == start.blocks, True, "are the free blocks those of the start?")
    run.guest.end()


@lab.test("all memory there is: each frame once, and all of it back", selftest="lab_everything", needs=("blocks",),
          parts={"taken": 6, "back": 6}, gdb="hbreak block_alloc", memory="24M")
def everything(run):
    start = state(run, "start")
    record = run.guest.next("taken")
    taken = State(run, record)
    with run.part("taken"):
        mine = {pfn for pfn, frame in enumerate(taken.records) if frame == Frame(1, KERNEL, 0)}
        others = {pfn for pfn, frame in enumerate(start.records) if frame == Frame(1, KERNEL, 0)}
        run.equal(len(mine - others), record.values[2], "frames whose record says that they were taken, each once")
        run.equal(len(taken.free), len(start.free) - record.values[2], "frames that are still free: the reserve")
        taken.is_sound("hbreak block_alloc")
        record = run.guest.next("refused")
        refused = State(run, record)
        run.equal(record.values[2], 0, "blocks to be had after that")
        run.equal(refused.blocks == taken.blocks, True, "are the free blocks the same after the refusal?")
    with run.part("back"):
        half = state(run, "half")
        half.is_sound()
        run.equal(len(half.free), len(taken.free) + sum(pfn % 2 == 0 for pfn in mine - others), "free frames, the even ones back")
        end = state(run, "end")
        end.is_sound()
        run.equal(end.blocks == start.blocks, True, "are the free blocks those of the start?")
    run.guest.end()


@lab.test("references are counted, and the last one frees the block", selftest="lab_references", needs=("blocks",),
          parts={"more": 4, "less": 4, "last": 4}, gdb="hbreak frame_put")
def references(run):
    start = state(run, "start")
    more = state(run, "more")
    with run.part("more"):
        run.equal([refs for _, refs in more.live], [1 + run.number(200 + i, 1, 9) for i in range(4)], "references of this seed")
        more.has_live()
    with run.part("less"):
        state(run, "one").has_live()
    with run.part("last"):
        none = state(run, "none")
        for block, _ in more.live:
            run.true(frames_of([block]) <= none.free, f"{named(block)} is free", "it is not")
            run.equal(none.records[block.pfn].refs, 0, f"references of {named(block)}, which is free")
        run.equal(none.blocks == start.blocks, True, "are the free blocks those of the start?")
    run.guest.end()


@lab.test("a reference that nobody has cannot be dropped", selftest="lab_twice", needs=("blocks",), parts={"panic": 6},
          gdb="hbreak frame_put")
def twice(run):
    run.guest.next("once")
    with run.part("panic"):
        run.guest.panics("a panic at the second frame_put()")


@lab.test("the price of a block does not depend on how many there are", selftest="lab_price", needs=("blocks",),
          parts={"taken": 2, "given": 2}, gdb="hbreak block_free")
def price(run):
    taken, given = run.guest.next("taken"), run.guest.next("given")
    with run.part("taken"):
        run.at_most(taken.values[2] // 64, 600, "instructions of block_alloc(0), of 64 in a row")
    with run.part("given"):
        run.at_most(given.values[2] // 64, 600, "instructions of block_free(…, 0), of 64 in a row")
    run.guest.end()


@lab.test("a frame has as many references as there are entries that point at it", program="counts", needs=("blocks",),
          parts={"entries": 8, "free": 4}, gdb="lz page", parameters=("sharedtables=off",))
def counts(run):
    guest, at, pages = run.guest, run.map_address(1), run.number(1, 40, 120)
    roots = {"parent": guest.next("alone").root}
    mine = [entry.frame for entry in guest.leaves(roots["parent"], at, pages)]

    def check(name):
        records = frames_read(guest)
        entries = collections.Counter(entry.frame for root in roots.values() for entry in guest.leaves(root, at, pages) if entry.frame)
        for frame, count in entries.items():
            if not run.equal(records[frame // PAGE].refs, count, f"references of frame {frame // PAGE:#x}, {name}", "lz page"):
                break
        for table in set().union(*(guest.tables(root) for root in roots.values())):
            run.equal(records[table // PAGE].refs, 1, f"references of the table in frame {table // PAGE:#x}, {name}")
        return records, entries

    with run.part("entries"):
        check("before fork")
        roots["child"] = guest.next("both", stream=1).root
        check("after fork")
        guest.next("changed", stream=1)
        _, entries = check("after the child has written some and given up some")
        copies = set(entries) - set(mine)
        roots = {"parent": guest.next("gone").root}
        records, _ = check("the child being gone")
    with run.part("free"):
        for frame in copies:
            run.equal(records[frame // PAGE].kind, FREE, f"the kind of frame {frame // PAGE:#x}, which was the child's (0: free)")
        guest.next("none")
        records = frames_read(guest)
        for frame in mine:
            run.equal(records[frame // PAGE].kind, FREE, f"the kind of frame {frame // PAGE:#x}, which is unmapped (0: free)")
    guest.end()


@lab.test("60 rounds of map, fork, write and unmap leave nothing behind", program="rounds", needs=("blocks",),
          parts={"frames": 4, "ledger": 2}, gdb="lz frames", memory="24M")
def rounds(run):
    run.leaves_nothing(lost=verdict.LEAK)
