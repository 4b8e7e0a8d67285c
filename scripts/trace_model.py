# SPDX-License-Identifier: MIT
"""The kernel's trace on this side of the port: records, and the model that replays them.

    Reader().take(data)     yields the Records (mm/trace.h) in a stream of bytes
    Model().apply(record)   replays: every promise, table and page at that moment

The model is the kernel's bookkeeping once more, from the trace alone: trees of tables with references, copied on
write, and pages with references. So what it says may be compared with /proc, and tests do that.
"""
import bisect
import collections
import enum
import struct

PAGE = 4096
ENTRIES = 512
LEAF, ROOT_LEVEL = 1, 4
WINDOW = 16                     # pages that AROUND speaks of

Event = enum.IntEnum("Event", "START FAULT MAP UNMAP PROTECT BRK ADVISE MOVE RELEASE RECLAIM AROUND TABLE FORK CHILD "
                              "EXEC EXIT END COMMIT OOM MARK", start=0)
Kind = enum.IntEnum("Kind", "ZERO_READ ZERO_FILL ZERO_UPGRADE COW_COPY COW_REUSE FILE_MAP FILE_READ STACK_GROW SPURIOUS "
                            "SEGV_MAPERR SEGV_ACCERR BUS OOM", start=0)
Access = enum.IntEnum("Access", "READ WRITE EXEC", start=0)
OomStep = enum.IntEnum("OomStep", "INVOKED KILL REAPED", start=0)
FrameKind = enum.IntEnum("FrameKind", "FREE RESERVED KERNEL STACK SLAB TABLE ZERO ANON SHM FILE", start=0)
RESIDENT = (FrameKind.ANON, FrameKind.FILE, FrameKind.SHM)      # what counts in RSS

ACCESS, USER, PRESENT = 0x03, 0x04, 0x08                        # in a fault's `access`
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
VMA_SHARED, VMA_GROWSDOWN = 1, 2
PTE_PRESENT, PTE_WRITE, PTE_FRAME = 1, 2, 0x000FFFFFFFFFF000

VERSION = 2
SIZE = 160
HEAD = struct.Struct("<QII4BIIIQQ")
FAULT = struct.Struct("<QQ4Q4QIBBHIIHHH")
TABLE = struct.Struct("<IIIIQQ")
PROCESS = struct.Struct("<IIiIQQ16s")
AROUND = struct.Struct(f"<II{WINDOW}I")
START = struct.Struct("<QQIIII")


class Unreadable(Exception):
    """The stream is not what this file knows."""


def text_of(data):
    return data.partition(b"\0")[0].decode(errors="replace")


class Record:
    """One record; beyond the common fields, those of its event, by the names that mm/trace.h gives them."""

    def __init__(self, data):
        (self.time, self.pid, self.root, event, self.kind, self.access, self.prot, self.flags, self.free, self.cost,
         self.start, self.end) = HEAD.unpack_from(data)
        self.event = Event(event)
        self._payload(data[HEAD.size:])

    def _payload(self, data):
        match self.event:
            case Event.FAULT:
                (self.addr, self.ip, *entries, self.refs, self.frame_kind, _, _, self.frame, self.old_refs,
                 self.tables_copied, self.flushes, levels) = FAULT.unpack_from(data)
                self.kind = Kind(self.kind)
                entries = [entry if levels >> i % ROOT_LEVEL & 1 else 0 for i, entry in enumerate(entries)]
                self.before, self.after = entries[:ROOT_LEVEL], entries[ROOT_LEVEL:]    # [level - 1]; both 0: no change
            case Event.TABLE | Event.RECLAIM:
                (self.table, self.index, self.level, self.copied_from, self.before,
                 self.after) = TABLE.unpack_from(data)
            case Event.MAP | Event.PROTECT | Event.FORK | Event.CHILD | Event.EXEC | Event.EXIT:
                (self.other, self.child, self.status, self.inode, self.brk, self.stack,
                 name) = PROCESS.unpack_from(data)
                self.name = text_of(name)
            case Event.MOVE:
                self.target, = struct.unpack_from("<Q", data)
            case Event.AROUND:
                self.mapped, self.frame_kind, *self.frame_numbers = AROUND.unpack_from(data)
            case Event.COMMIT:
                self.amount, self.total, self.refused = struct.unpack_from("<qQI", data)
            case Event.OOM:
                self.kind, self.victim, self.name = OomStep(self.kind), *self._oom(data)
            case Event.MARK:
                self.text = text_of(data[:64])
            case Event.START:
                (self.frequency, self.frames, self.size, self.switches, self.zero,
                 self.version) = START.unpack_from(data)
                if (self.size, self.version) != (SIZE, VERSION):
                    raise Unreadable(f"the kernel's trace is version {self.version} with records of {self.size} bytes; "
                                     f"this is for version {VERSION} with {SIZE}")

    @staticmethod
    def _oom(data):
        victim, name = struct.unpack_from("<I16s", data)
        return victim, text_of(name)


class Reader:
    """Makes records of bytes that come in pieces."""

    def __init__(self):
        self._rest = b""

    def take(self, data):
        data = self._rest + data
        whole = len(data) - len(data) % SIZE
        self._rest = data[whole:]
        for at in range(0, whole, SIZE):
            yield Record(data[at:at + SIZE])


# ---------------------------------------------------------------- the model

class Page:
    """A frame of memory, by the leaf entries that point at it."""
    __slots__ = ("frame", "kind", "refs")

    def __init__(self, frame, kind):
        self.frame, self.kind, self.refs = frame, kind, 0


class Table:
    """A page table: its entries by index, each a Table or, in a leaf table (level 1), a Page."""
    __slots__ = ("frame", "level", "entries", "refs")

    def __init__(self, frame, level):
        self.frame, self.level, self.entries, self.refs = frame, level, {}, 0


class Promise:
    """A mapping: [start, end)."""
    __slots__ = ("start", "end", "prot", "flags", "inode")

    def __init__(self, start, end, prot, flags, inode):
        self.start, self.end, self.prot, self.flags, self.inode = start, end, prot, flags, inode

    def cut(self, start, end):
        return Promise(start, end, self.prot, self.flags, self.inode)


class Space:
    """An address space: promises in order, and the root of its tree."""

    def __init__(self, root):
        self.root = root                        # Table
        self.promises = []
        self.resident = collections.Counter()   # pages by FrameKind
        self.program, self.name, self.brk, self.stack = 0, "", 0, 0     # what exec said
        self.brk_end = 0

    @property
    def rss(self):
        return sum(self.resident.values())

    @property
    def vsz(self):
        return sum(promise.end - promise.start for promise in self.promises) // PAGE

    def promise_at(self, addr):
        at = bisect.bisect_right(self.promises, addr, key=lambda promise: promise.start) - 1
        return self.promises[at] if at >= 0 and addr < self.promises[at].end else None


def index_of(addr, level):
    return addr >> (12 + 9 * (level - 1)) & (ENTRIES - 1)


def span(level):
    return PAGE << 9 * (level - 1)


class Model:
    """What the trace has told so far."""

    def __init__(self):
        self.spaces = {}                        # root frame: Space
        self.processes = {}                     # pid: Space
        self.names = {}                         # pid: name
        self.parents = {}                       # pid: who forked it
        self.tables = {}                        # frame: Table, roots included
        self.pages = {}                         # frame: Page that is ANON
        self.faults = collections.Counter()     # by Kind
        self.faults_of = collections.defaultdict(collections.Counter)   # pid: the same
        self.committed, self.free, self.table_copies = 0, 0, 0
        self.begin = None                       # the first START record

    def apply(self, record):
        getattr(self, "_" + record.event.name.lower(), lambda record: None)(record)
        self.free = record.free

    def _start(self, record):
        self.begin = self.begin or record

    # ---- references

    def _table_put(self, table):
        table.refs -= 1
        if table.refs:
            return
        put = self._page_put if table.level == LEAF else self._table_put
        for child in table.entries.values():
            put(child)
        del self.tables[table.frame]

    def _page_put(self, page):
        page.refs -= 1
        if not page.refs and page.kind == FrameKind.ANON:
            del self.pages[page.frame]

    def _table_new(self, frame, level):
        if frame in self.tables:
            raise Unreadable(f"table {frame:#x} is made twice")
        table = self.tables[frame] = Table(frame, level)
        table.refs = 1
        return table

    # ---- address spaces

    def _space(self, root):
        if root not in self.spaces:
            self.spaces[root] = Space(self._table_new(root, ROOT_LEVEL))
        return self.spaces[root]

    def _fork(self, record):
        parent, child = self._space(record.root), self._space(record.other)
        child.promises = [promise.cut(promise.start, promise.end) for promise in parent.promises]
        child.resident = parent.resident.copy()
        for name in "program", "name", "brk", "stack", "brk_end":
            setattr(child, name, getattr(parent, name))
        for index, table in parent.root.entries.items():
            child.root.entries[index] = table
            table.refs += 1

    def _end(self, record):
        space = self.spaces.pop(record.root, None)
        if space:
            self._table_put(space.root)

    # ---- processes

    def _child(self, record):
        self.processes[record.child] = self._space(record.root)
        self.names[record.child] = self.names.get(record.pid, "")
        self.parents[record.child] = record.pid

    def _exec(self, record):
        space = self._space(record.root)
        space.program, space.name, space.brk, space.stack = record.inode, record.name, record.brk, record.stack
        space.brk_end = record.brk
        self.processes[record.pid] = space
        self.names[record.pid] = record.name

    def _exit(self, record):
        self.processes.pop(record.pid, None)

    # ---- promises

    def _map(self, record):
        space = self._space(record.root)
        promise = Promise(record.start, record.end, record.prot, record.flags, record.inode)
        bisect.insort(space.promises, promise, key=lambda promise: promise.start)

    @staticmethod
    def _cut_out(space, start, end):
        """Take [start, end) out of the promises; the pieces that were there."""
        kept, gone = [], []
        for promise in space.promises:
            if promise.end <= start or end <= promise.start:
                kept.append(promise)
                continue
            if promise.start < start:
                kept.append(promise.cut(promise.start, start))
            gone.append(promise.cut(max(promise.start, start), min(promise.end, end)))
            if end < promise.end:
                kept.append(promise.cut(end, promise.end))
        space.promises = kept
        return gone

    def _unmap(self, record):
        self._cut_out(self._space(record.root), record.start, record.end)

    def _protect(self, record):
        space = self._space(record.root)
        for promise in self._cut_out(space, record.start, record.end):
            promise.prot = record.prot
            bisect.insort(space.promises, promise, key=lambda promise: promise.start)

    def _brk(self, record):
        self._space(record.root).brk_end = record.end

    def _commit(self, record):
        self.committed = record.total

    # ---- tables

    def _table(self, record):
        table = self.tables.get(record.table)
        if not table:       # a root that nothing has been said about yet
            table = self._space(record.table).root
        old = table.entries.pop(record.index, None)
        if record.after:
            table.entries[record.index] = self._table_after(record, old)
        if old and old is not table.entries.get(record.index):
            self._table_put(old)

    def _table_after(self, record, old):
        frame = (record.after & PTE_FRAME) // PAGE
        if old and old.frame == frame:
            return old      # it only has its write bit back
        table = self._table_new(frame, record.level - 1)
        if record.copied_from:
            self.table_copies += 1
            table.entries = dict(self.tables[record.copied_from].entries)
            for child in table.entries.values():
                child.refs += 1
        return table

    def _leaf(self, space, addr):
        table = space.root
        while table.level > LEAF:
            table = table.entries[index_of(addr, table.level)]
        return table

    def _put_entry(self, space, addr, page):
        """`page` (None: nothing) stands at `addr` from now on."""
        table, index = self._leaf(space, addr), index_of(addr, LEAF)
        old = table.entries.pop(index, None)
        if page:
            page.refs += 1
            table.entries[index] = page
            if page.kind in RESIDENT:
                space.resident[page.kind] += 1
        if old:
            if old.kind in RESIDENT:
                space.resident[old.kind] -= 1
            self._page_put(old)

    def _page(self, frame, kind):
        if kind != FrameKind.ANON:
            return Page(frame, kind)
        if frame not in self.pages:
            self.pages[frame] = Page(frame, kind)
        return self.pages[frame]

    # ---- pages

    def _fault(self, record):
        self.faults[record.kind] += 1
        self.faults_of[record.pid][record.kind] += 1
        if record.refs and (record.before[0] ^ record.after[0]) & PTE_FRAME:
            self._put_entry(self._space(record.root), record.addr, self._page(record.frame, FrameKind(record.frame_kind)))

    def _around(self, record):
        for i in range(WINDOW):
            if record.mapped >> i & 1:
                self._put_entry(self._space(record.root), record.start + i * PAGE,
                                self._page(record.frame_numbers[i], FrameKind(record.frame_kind)))

    def _release(self, record):
        space = self._space(record.root)
        self._release_range(space, space.root, 0, record.start, record.end)

    def _release_range(self, space, table, base, start, end):
        """Entries of [start, end) go; `base` is where the table's first entry begins."""
        size = span(table.level)
        for index in sorted(table.entries):
            first = base + index * size
            if first + size <= start or end <= first:
                continue
            child = table.entries[index]
            if table.level > LEAF:
                if first < start or end < first + size:
                    self._release_range(space, child, first, start, end)
                    if child.entries:
                        continue
                else:
                    self._count_subtree(space, child)
                del table.entries[index]
                self._table_put(child)
            else:
                self._put_entry(space, first, None)

    def _count_subtree(self, space, table):
        """A whole subtree leaves the address space."""
        if table.level == LEAF:
            for page in table.entries.values():
                if page.kind in RESIDENT:
                    space.resident[page.kind] -= 1
        else:
            for child in table.entries.values():
                self._count_subtree(space, child)

    def _reclaim(self, record):
        """The table may be part of several trees."""
        page = self.tables[record.table].entries.pop(record.index)
        self._page_put(page)
        for space in self.spaces.values():
            space.resident = self.count_resident(space)

    def _move(self, record):
        space = self._space(record.root)
        for addr in range(record.start, record.end, PAGE):
            page = self.page_at(space, addr)
            if page:
                self._put_entry(space, record.target + addr - record.start, page)
                self._put_entry(space, addr, None)

    # ---- questions

    def page_at(self, space, addr):
        """The Page at `addr`, or None."""
        table = space.root
        while table and table.level > LEAF:
            table = table.entries.get(index_of(addr, table.level))
        return table and table.entries.get(index_of(addr, LEAF))

    def path_is_shared(self, space, addr):
        """Is a table on the way part of another tree as well?"""
        table = space.root
        while table and table.level > LEAF:
            table = table.entries.get(index_of(addr, table.level))
            if table and table.refs > 1:
                return True
        return False

    def count_resident(self, space):
        """Resident pages by kind, counted anew."""
        counted = collections.Counter()

        def walk(table):
            for child in table.entries.values():
                if table.level > LEAF:
                    walk(child)
                elif child.kind in RESIDENT:
                    counted[child.kind] += 1
        walk(space.root)
        return counted

    def table_figures(self):
        """For each level, the leaf first: tables, those that are shared, entries that point at them (/proc/lazy/tables)."""
        figures = [[0, 0, 0] for _ in range(ROOT_LEVEL)]
        for table in self.tables.values():
            row = figures[table.level - 1]
            row[0] += 1
            row[1] += table.refs > 1
            row[2] += table.refs
        return figures
