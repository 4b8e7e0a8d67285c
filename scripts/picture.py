# SPDX-License-Identifier: MIT
"""A program's whole life in memory as one HTML page, made from the kernel's trace.

    picture = Picture("forkvars", "build/user/forkvars")
    picture.take(record)        each Record of trace_model.py, from boot on
    picture.finish() and picture.write("build/picture.html")

The page gets what trace_model.Model says, as differences. A *step* is what one event did, told in a sentence. Its
operations change the page's copy of the tables entry by entry, as the kernel did, so that all that is shared stays
shared there and is counted there: fork is two entries, not a copy of every page. The page can undo each operation, so a
slider moves both ways. From the program's exec on, only its own processes are followed.

Operations, in a step's list:

    n TABLE LEVEL FROM          a table begins, empty (FROM 0) or with the entries of another
    e TABLE INDEX VALUE...      entries from INDEX on. 0: none; the child's frame, or in a leaf frame * 8 + kind (PAGE_KINDS)
    s ROOT | t ROOT             an address space begins | ends
    m ROOT AT COUNT PROMISE...  the promises [AT, AT + COUNT) of the address space are these now
    f ROOT RSS VSZ              pages
    c COMMITTED FREE            pages promised by the whole machine, frames free
    p PID ROOT PARENT NAME      a process runs in that address space; ROOT 0: it has ended
"""
import base64
import copy
import itertools
import json
import os
import shutil
import subprocess
import zlib

import qemu
import trace_model as trace
import trace_tell
from trace_model import Event, FrameKind

ASSETS = os.path.join(qemu.ROOT, "scripts", "picture")
SCRIPTS = ("replay.js", "shapes.js", "timeline.js", "pages.js", "tables.js", "page.js")
PLOT = os.path.join(qemu.BUILD, "picture", "node_modules", "uplot")     # put there by npm, from package-lock.json

STEP_LIMIT = 12_000
PAGE_KINDS = {FrameKind.ANON: 1, FrameKind.ZERO: 2, FrameKind.FILE: 3, FrameKind.SHM: 4}
PAGE_KIND_OTHER = 5

# These end a step. What the kernel does on the way to them, to tables and to the ledger, belongs to it.
ENDS_STEP = {Event.FAULT, Event.MAP, Event.UNMAP, Event.PROTECT, Event.BRK, Event.MOVE, Event.RELEASE, Event.RECLAIM,
             Event.CHILD, Event.EXEC, Event.EXIT, Event.END, Event.OOM, Event.MARK}
# The first of such a pair does not end the step if the second follows.
PAIRS = {(Event.MAP, Event.BRK), (Event.UNMAP, Event.BRK), (Event.RELEASE, Event.COMMIT), (Event.RELEASE, Event.UNMAP),
         (Event.RELEASE, Event.RELEASE), (Event.RECLAIM, Event.RECLAIM), (Event.END, Event.COMMIT),
         (Event.EXEC, Event.END), (Event.EXEC, Event.COMMIT)}
PROMISES_CHANGE = {Event.MAP, Event.UNMAP, Event.PROTECT, Event.BRK, Event.EXEC, Event.FORK, Event.FAULT}


class Step:
    """One event: `faults` counts its faults by kind."""
    __slots__ = ("time", "pid", "root", "event", "faults", "start", "end", "text", "operations", "count")

    def __init__(self, record, text, operations):
        self.time, self.pid, self.root, self.event = record.time, record.pid, record.root, record.event
        self.start, self.end = record.start, record.end
        self.faults = {}
        if record.event == Event.FAULT:
            self.faults[record.kind] = 1
            self.start = record.addr & -trace.PAGE
            self.end = self.start + trace.PAGE
        self.text, self.operations, self.count = text, operations, 1

    def copy(self):
        twin = copy.copy(self)
        twin.faults, twin.operations = dict(self.faults), list(self.operations)
        return twin

    def absorb(self, later):
        """This step and the one after it are told as one."""
        for kind, count in later.faults.items():
            self.faults[kind] = self.faults.get(kind, 0) + count
        if self.root == later.root:
            self.start, self.end = min(self.start, later.start), max(self.end, later.end)
        self.operations += later.operations
        self.count += later.count
        self.event, self.text = later.event, later.text

    def told(self):
        return self.text if self.count == 1 else f"{self.count:,} events in one step. The last: {self.text}"


# How steps may be joined if there are too many, the mildest first.
JOINS = (lambda a, b: a.pid == b.pid and a.faults and a.faults.keys() == b.faults.keys(),
         lambda a, b: a.pid == b.pid and a.faults and b.faults,
         lambda a, b: True)


def thinned(steps, limit):
    """At most `limit` steps: as many as must be are joined with the next, of the same kind where that will do."""
    if len(steps) > limit:
        steps = [step.copy() for step in steps]
    for may_join in JOINS:
        width = 1
        while len(steps) > limit and width < 1 << 20:
            width *= 2
            kept = []
            for step in steps:
                if kept and kept[-1].count + step.count <= width and may_join(kept[-1], step):
                    kept[-1].absorb(step)
                else:
                    kept.append(step)
            steps = kept
    return steps


class Tables:
    """The tables as the page knows them, and the operations that bring it up to date."""

    def __init__(self, model):
        self._model, self._known = model, {}    # frame of a table: {index: value}

    def __contains__(self, frame):
        return frame in self._known

    @staticmethod
    def _value(child):
        if isinstance(child, trace.Table):
            return child.frame
        return (child.frame or 0) * 8 + PAGE_KINDS.get(child.kind, PAGE_KIND_OTHER)

    def _values(self, table):
        return {index: self._value(child) for index, child in table.entries.items()}

    def begin(self, frame, copied_from=0):
        """A new table. One that is not a copy of a known one comes with all that hangs on it."""
        table = self._model.tables[frame]
        self._known[frame] = dict(self._known[copied_from]) if copied_from else {}
        yield ["n", frame, table.level, copied_from]
        if table.level > trace.LEAF:
            for child in table.entries.values():
                if child.frame not in self._known:
                    yield from self.begin(child.frame)
        yield from self.update(frame)

    def update(self, frame, indices=None):
        """Entries of a table that have changed, all or those of `indices`; neighbours in one operation."""
        table, known = self._model.tables[frame], self._known[frame]
        if indices is None:
            indices = sorted(known.keys() | table.entries.keys())
        run = None
        for index in indices:
            child = table.entries.get(index)
            value = self._value(child) if child else 0
            if value == known.get(index, 0):
                continue
            known[index] = value
            if run and run[2] + len(run) - 3 == index:
                run.append(value)
            else:
                if run:
                    yield run
                run = ["e", frame, index, value]
        if run:
            yield run

    def within(self, root, start, end):
        """The known tables of an address space that lie on the way to a range."""
        found = []

        def walk(table, base):
            found.append(table.frame)
            if table.level == trace.LEAF:
                return
            size = trace.span(table.level)
            for index, child in table.entries.items():
                if base + index * size < end and start < base + (index + 1) * size:
                    walk(child, base + index * size)
        walk(self._model.spaces[root].root, 0)
        return found

    def forget_dead(self):
        self._known = {frame: values for frame, values in self._known.items() if frame in self._model.tables}


class Follower:
    """Turns each record into operations. Knows what the page knows."""

    def __init__(self, model):
        self._model, self._tables = model, Tables(model)
        self.spaces = set()             # roots of the address spaces on the page
        self._promises = {}             # root: list as the page has it
        self._figures = {}              # root: (rss, vsz)
        self._vsz = {}                  # root: pages
        self._machine = None            # (committed, free)
        self.processes = {}             # pid: what the page knows

    def knows(self, record):
        return record.root in self.spaces or record.root == 0 and getattr(record, "table", None) in self._tables

    def before(self, record):
        """To be asked before the model sees the record: tables that it may change in ways that leave no trace."""
        if record.event not in (Event.RELEASE, Event.MOVE) or record.root not in self.spaces:
            return []
        return self._tables.within(record.root, record.start, record.end)

    def after(self, record, tables):
        """The operations for a record that the model has just seen. `tables`: what before() said."""
        yield from getattr(self, "_" + record.event.name.lower(), self._nothing)(record)
        for frame in tables:
            if frame in self._model.tables:
                yield from self._tables.update(frame)

    def settle(self, record):
        """At the end of a step: what has changed beyond tables."""
        if record.event in PROMISES_CHANGE and record.root in self.spaces:
            yield from self._promises_of(record.root)
        for root in sorted(self.spaces):
            figures = self._model.spaces[root].rss, self._vsz[root]
            if self._figures.get(root) != figures:
                self._figures[root] = figures
                yield ["f", root, *figures]
        machine = self._model.committed, self._model.free
        if machine != self._machine:
            self._machine = machine
            yield ["c", *machine]

    def space_begins(self, root, copied_from=0):
        self.spaces.add(root)
        self._promises[root] = []
        yield from self._tables.begin(root, copied_from)
        yield ["s", root]
        yield from self._promises_of(root)

    def process_is(self, pid):
        space = self._model.processes.get(pid)
        now = (space.root.frame if space else 0, self._model.parents.get(pid, 0), self._model.names.get(pid, ""))
        if self.processes.get(pid) != now:
            self.processes[pid] = now
            yield ["p", pid, *now]

    def _promises_of(self, root):
        space, known = self._model.spaces[root], self._promises[root]
        now = [[promise.start, promise.end, trace_tell.rights(promise.prot), promise.flags & trace.VMA_SHARED,
                trace_tell.region(space, promise.start, promise)] for promise in space.promises]
        if now == known:
            return
        self._vsz[root] = space.vsz
        at = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(known, now)))
        most = min(len(known), len(now)) - at
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1],
                                                  zip(itertools.islice(reversed(known), most), reversed(now))))
        yield ["m", root, at, len(known) - at - same, *now[at:len(now) - same]]
        self._promises[root] = now

    # ---- by event

    @staticmethod
    def _nothing(record):
        return ()

    def _leaf_entries(self, record, addr, count):
        space = self._model.spaces[record.root]
        table = space.root
        while table and table.level > trace.LEAF:
            table = table.entries.get(trace.index_of(addr, table.level))
        if table:
            first = trace.index_of(addr, trace.LEAF)
            yield from self._tables.update(table.frame, range(first, first + count))

    def _fault(self, record):
        if record.root in self.spaces:
            yield from self._leaf_entries(record, record.addr, 1)

    def _around(self, record):
        if record.root in self.spaces:
            yield from self._leaf_entries(record, record.start, record.mapped.bit_length())

    def _table(self, record):
        if record.table not in self._tables:
            return
        child = (record.after & trace.PTE_FRAME) // trace.PAGE
        if child and (record.before ^ record.after) & trace.PTE_FRAME:
            yield from self._tables.begin(child, record.copied_from)
        yield from self._tables.update(record.table, [record.index])

    def _reclaim(self, record):
        if record.table in self._tables:
            yield from self._tables.update(record.table, [record.index])

    def _move(self, record):
        if record.root in self.spaces:
            for frame in self._tables.within(record.root, record.target, record.target + record.end - record.start):
                yield from self._tables.update(frame)

    def _fork(self, record):
        if record.root in self.spaces:
            yield from self.space_begins(record.other, record.root)

    def _child(self, record):
        if record.pid in self.processes:
            yield from self.process_is(record.child)

    def _exec(self, record):
        if record.pid in self.processes:
            if record.root not in self.spaces:
                yield from self.space_begins(record.root)
            yield from self.process_is(record.pid)

    def _exit(self, record):
        if record.pid in self.processes:
            yield from self.process_is(record.pid)

    def _end(self, record):
        if record.root in self.spaces:
            self.spaces.remove(record.root)
            for known in self._promises, self._figures, self._vsz:
                known.pop(record.root, None)
            self._tables.forget_dead()
            yield ["t", record.root]


class Picture:
    """Collects the steps of one program and its children."""

    def __init__(self, program, command, parameters="", deterministic=False):
        self.program, self._command, self._parameters = program[:15], command, parameters
        self._deterministic = deterministic
        self._model = trace.Model()
        self._follower = Follower(self._model)
        self.steps = []
        self.on_step = lambda: None     # called when a step is complete, the model being where the step ends
        self._operations, self._words, self._ledger = [], [], 0
        self._waiting = None            # a record that ends a step unless the step goes on with the next one
        self._root_process = 0

    @property
    def model(self):
        return self._model

    def take(self, record):
        if self._waiting and not self._goes_on(record):
            self._close()
        space = self._model.spaces.get(record.root)
        rss_before = space.rss if space else 0
        tables = self._follower.before(record)
        self._model.apply(record)
        if not self._root_process and record.event == Event.EXEC and record.name == self.program:
            self._root_process = record.pid
            self._operations += self._follower.process_is(record.pid)
        if self._is_ours(record):
            self._operations += self._follower.after(record, tables)
            self._tell(record, rss_before)

    def _goes_on(self, record):
        """Does the step that could end go on with this record?"""
        if record.pid != self._waiting.pid:
            return False
        return (self._waiting.event, record.event) in PAIRS

    def _is_ours(self, record):
        """Before the program's exec nothing is; then its processes, its address spaces, and the OOM killer."""
        return self._root_process and (record.pid in self._follower.processes or self._follower.knows(record)
                                       or record.event in (Event.OOM, Event.MARK))

    def _tell(self, record, rss_before):
        """Put the record into words; the step that it belongs to may end with it."""
        visible = (record.root in self._follower.spaces or record.root == 0
                   or record.event == Event.END and ["t", record.root] in self._operations)
        if record.event == Event.COMMIT and not record.refused:
            self._ledger += record.amount
        elif visible and record.event not in (Event.TABLE, Event.AROUND, Event.START):
            if record.event == Event.BRK:
                self._words = []            # it says the same as the promise that was made for it
            self._words.append(trace_tell.sentence(record, self._model, rss_before))
            # The end of the old address space is a part of exec, and not an event of its own.
            part = self._waiting and self._waiting.event == Event.EXEC
            if (record.event in ENDS_STEP or record.event == Event.COMMIT) and not part:
                self._waiting = record

    def _close(self):
        record, self._waiting = self._waiting, None
        self.on_step()
        if self._ledger:
            self._words.append(f"ledger: {self._ledger:+,}, {trace_tell.pages(self._model.committed)} promised in all")
        told = "; ".join(self._words)
        self._operations += self._follower.settle(record)
        self.steps.append(Step(record, told[0].upper() + told[1:], self._operations))
        self._operations, self._words, self._ledger = [], [], 0

    def finish(self):
        """After the last record. False: the program was never seen."""
        if self._waiting:
            self._close()
        return bool(self.steps)

    # ---- the page

    def document(self):
        begin = self._model.begin
        steps = thinned(self.steps, STEP_LIMIT)
        first = steps[0].time if steps else 0
        return {
            "name": self.program, "command": self._command, "parameters": self._parameters,
            "frames": begin.frames, "deterministic": self._deterministic, "events": sum(step.count for step in steps),
            "kinds": [kind.name for kind in trace.Kind],
            "steps": [[round((step.time - first) * 1_000_000 / begin.frequency, 3), step.pid, step.root, step.event.name,
                       [number for pair in step.faults.items() for number in pair],
                       step.start // trace.PAGE, (step.end + trace.PAGE - 1) // trace.PAGE, step.told(), step.operations]
                      for step in steps]}

    def write(self, path):
        """Write the page, after finish(). Raises CannotRun if the plotting library cannot be had."""
        page = render(self.document())
        with open(path, "w") as file:
            file.write(page)


def asset(name):
    with open(os.path.join(ASSETS, name)) as file:
        return file.read()


def plot_library():
    """(JavaScript with its licence, CSS) of uPlot; fetched by npm, once, in the version of package-lock.json."""
    paths = [os.path.join(PLOT, name) for name in ("LICENSE", "dist/uPlot.iife.min.js", "dist/uPlot.min.css")]
    if not all(map(os.path.exists, paths)):
        fetch_plot_library()
    licence, script, style = (open(path).read() for path in paths)
    return f"/* uPlot\n\n{licence}*/\n{script}", style


def fetch_plot_library():
    place = os.path.dirname(os.path.dirname(PLOT))
    if not shutil.which("npm"):
        raise qemu.CannotRun("a picture needs the library uPlot, and npm to fetch it: run scripts/setup picture")
    os.makedirs(place, exist_ok=True)
    for name in "package.json", "package-lock.json":
        shutil.copy(os.path.join(ASSETS, name), place)
    finished = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=place,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if finished.returncode:
        reason = "; ".join(line.removeprefix("npm error ") for line in finished.stderr.splitlines()[:4])
        raise qemu.CannotRun(f"npm could not fetch the library uPlot, which a picture needs: {reason}")


def render(document):
    """The page: everything in one text, and nothing to be loaded from elsewhere."""
    library, style = plot_library()
    data = base64.b64encode(zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 9)).decode()
    parts = {"style": style + asset("page.css"), "library": library,
             "script": '"use strict";\n(() => {\n' + "\n".join(map(asset, SCRIPTS)) + "\n})();", "data": data}
    page = asset("page.html")
    for name, text in parts.items():
        page = page.replace(f"@{name}@", text)
    return page
