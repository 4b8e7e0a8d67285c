# SPDX-License-Identifier: MIT
"""What the trace says, for people and for Perfetto: a sentence for each record, and Chrome's trace-event JSON."""
import json

import trace_model as trace
from trace_model import Access, Event, FrameKind, Kind, OomStep

RIGHTS = ((trace.PROT_READ, "r"), (trace.PROT_WRITE, "w"), (trace.PROT_EXEC, "x"))
ADVICE = {0: "NORMAL", 1: "RANDOM", 2: "SEQUENTIAL", 3: "WILLNEED", 4: "DONTNEED", 8: "FREE", 9: "REMOVE", 10: "DONTFORK",
          11: "DOFORK", 18: "WIPEONFORK", 19: "KEEPONFORK", 22: "POPULATE_READ", 23: "POPULATE_WRITE"}


def pages(count):
    return f"{count:,} page" + ("" if count == 1 else "s")


def rights(prot):
    return "".join(letter for bit, letter in RIGHTS if prot & bit) or "no rights"


def region(space, addr, promise):
    """What the promise at `addr` is for, in the words of /proc/PID/maps. `promise`: anything with start, end, flags, inode."""
    if promise.flags & trace.VMA_GROWSDOWN:
        return "stack"
    if promise.inode and space and promise.inode == space.program:
        return f"program {space.name}"
    if promise.flags & trace.VMA_SHARED:
        return "shared memory"
    if promise.inode:
        return "file"
    if space and space.brk <= addr < space.brk_end:
        return "heap"
    if space and promise.start < space.brk <= promise.end:
        return f"program {space.name}, bss"
    return "anonymous"


# ---------------------------------------------------------------- sentences

def told_before(record):
    """What the page was, as far as its entry tells."""
    old = (record.before[0] & trace.PTE_FRAME) // trace.PAGE
    if not record.before[0]:
        return "nothing was there"
    if record.kind == Kind.ZERO_UPGRADE:
        return "was the zero page, read-only"
    writable = "writable" if record.before[0] & trace.PTE_WRITE else "read-only"
    return f"was frame {old:#x}, {writable}"


def told_after(record):
    frame = f"frame {record.frame:#x}"
    match record.kind:
        case Kind.ZERO_READ:
            return "the zero page, read-only"
        case Kind.ZERO_FILL | Kind.ZERO_UPGRADE:
            return f"new zeroed {frame}"
        case Kind.COW_COPY if not record.before[0]:
            return f"new {frame} with the file's contents"
        case Kind.COW_COPY:
            return f"new {frame} with its contents, {record.old_refs} still point{'s' * (record.old_refs == 1)} at the old one"
        case Kind.COW_REUSE if record.before[0] & trace.PTE_WRITE:
            return "a table above had lost its write bit by fork, and has it back"
        case Kind.COW_REUSE:
            return "nobody else has it: the same frame, writable"
        case Kind.FILE_MAP:
            return f"{frame}, which was in memory"
        case Kind.FILE_READ:
            return f"{frame}, read from the file"
        case Kind.STACK_GROW if record.refs:
            return f"the stack grows down to it; {frame}"
        case Kind.SPURIOUS:
            return "the entry allows it: the TLB was behind"
    return {Kind.SEGV_MAPERR: "no mapping: SIGSEGV", Kind.SEGV_ACCERR: "the mapping forbids it: SIGSEGV",
            Kind.BUS: "beyond the end of the object: SIGBUS"}.get(record.kind, "no memory is left")


def told_tables(record):
    made = sum(1 for level in range(1, trace.ROOT_LEVEL) if not record.before[level] and record.after[level])
    told = ""
    for count, what in ((made, "made"), (record.tables_copied, "that fork shared copied")):
        if count:
            told += f"; {count} table{'s' * (count > 1)} {what}"
    return told


def told_fault(record, space, rss_before):
    access = {Access.READ: "read of", Access.WRITE: "write to",
              Access.EXEC: "execution at"}[Access(record.access & trace.ACCESS)]
    promise = space and space.promise_at(record.addr)
    where = f"{region(space, record.addr, promise)}, {rights(record.prot)}" if promise else "in no mapping"
    by = "" if record.access & trace.USER else ", by the kernel in a system call" if record.ip else ", by the kernel"
    before = told_before(record) + "; " if promise and record.kind < Kind.SEGV_MAPERR else ""
    rss = space.rss if space else 0
    change = f"; RSS {rss_before:,} → {pages(rss)}" if rss != rss_before else ""
    return f"{access} {record.addr:#x} ({where}){by}: {before}{told_after(record)}{told_tables(record)}{change}"


def sentence(record, model, rss_before):
    """One plain sentence. The model has seen the record; `rss_before` is its address space's RSS before that."""
    space = model.spaces.get(record.root)
    stretch = f"{record.start:#x}-{record.end:#x}"
    size = pages((record.end - record.start) // trace.PAGE)
    rss = space.rss if space else 0
    match record.event:
        case Event.FAULT:
            return told_fault(record, space, rss_before)
        case Event.MAP:
            return f"promise of {size}, {rights(record.prot)}, at {stretch} ({region(space, record.start, record)})"
        case Event.UNMAP:
            return f"promise of {stretch} ends"
        case Event.PROTECT:
            return f"{stretch} is {rights(record.prot)} now"
        case Event.BRK:
            return f"break moves from {record.start:#x} to {record.end:#x}"
        case Event.ADVISE:
            return f"madvise {ADVICE.get(record.kind, record.kind)} on {stretch}"
        case Event.MOVE:
            return f"pages of {stretch} move to {record.target:#x}"
        case Event.RELEASE:
            return f"pages of {stretch} go; RSS {rss_before:,} → {pages(rss)}"
        case Event.AROUND:
            count, ahead = bin(record.mapped).count("1"), record.frame_kind in (FrameKind.ANON, FrameKind.ZERO)
            why = f"from {record.start:#x} on" if ahead else f"around {record.start:#x} are in memory, and"
            return f"{count} more pages {why} are mapped along"
        case Event.FORK:
            return f"fork: a second address space with the same promises, and the tables shared; RSS {pages(rss)}"
        case Event.CHILD:
            return f"process {record.child} is born"
        case Event.EXEC:
            return f"exec of {record.name}"
        case Event.EXIT:
            return f"exit, status {record.status >> 8}" if not record.status & 0x7f else f"killed by signal {record.status & 0x7f}"
        case Event.END:
            return "address space ends"
        case Event.COMMIT:
            return f"ledger: {record.amount:+,}" + (" refused" if record.refused else f", {pages(record.total)} promised in all")
        case Event.OOM:
            who = f"process {record.victim} ({record.name})"
            return {OomStep.INVOKED: f"OOM killer invoked by {who}", OomStep.KILL: f"OOM killer kills {who}",
                    OomStep.REAPED: f"OOM reaper has taken the memory of {who}"}[record.kind]
        case Event.MARK:
            return f"mark: {record.text}"
    return record.event.name.lower()


class Family:
    """Which processes come from one program: those that exec it, and their children."""

    def __init__(self, name):
        self._name, self._pids = name[:15], set()

    def has(self, record):
        if record.event == Event.EXEC and record.name == self._name:
            self._pids.add(record.pid)
        if record.event == Event.CHILD and record.pid in self._pids:
            self._pids.add(record.child)
        return record.pid in self._pids


class Explainer:
    """Writes a line for each fault of one program and of its children, as the trace comes in."""

    def __init__(self, program, write):
        self._model, self._family, self._write = trace.Model(), Family(program), write

    def take(self, record):
        space = self._model.spaces.get(record.root)
        before = space.rss if space else 0
        self._model.apply(record)
        if self._family.has(record) and record.event in (Event.FAULT, Event.FORK, Event.EXEC, Event.OOM):
            self._write(f"[{record.pid}] {sentence(record, self._model, before)}\n")


# ---------------------------------------------------------------- Perfetto

class Perfetto:
    """Collects trace events (Chrome's JSON format, which Perfetto's viewer opens)."""

    def __init__(self):
        self._model, self._events, self._named, self._begin = trace.Model(), [], {}, None

    def _time(self, ticks):
        """Microseconds since the trace began."""
        begin = self._model.begin
        return round((ticks - begin.time) * 1_000_000 / begin.frequency, 3)

    def _event(self, phase, name, pid, time, **more):
        self._events.append({"ph": phase, "name": name, "pid": pid, "tid": pid, "ts": time, **more})

    def _name(self, pid):
        name = self._model.names.get(pid) or ("kernel" if pid == 0 else f"process {pid}")
        if self._named.get(pid) != name:
            self._named[pid] = name
            self._event("M", "process_name", pid, 0, args={"name": name})
            self._event("M", "thread_name", pid, 0, args={"name": name})

    def _counters(self, record, time, rss_before, space):
        if space and record.event in (Event.FAULT, Event.MAP, Event.UNMAP, Event.RELEASE, Event.EXEC, Event.CHILD):
            self._event("C", "memory of the process (KiB)", record.pid, time, args={"VSZ": space.vsz * 4, "RSS": space.rss * 4})
        self._event("C", "frames", 0, time, args={"used": self._model.begin.frames - record.free})
        if record.event == Event.COMMIT:
            self._event("C", "Committed_AS (KiB)", 0, time, args={"promised": record.total * 4})

    def take(self, record):
        space = self._model.spaces.get(record.root)
        before = space.rss if space else 0
        self._model.apply(record)
        self._name(record.pid)
        time = self._time(record.time)
        told = {"args": {"what": sentence(record, self._model, before)}}
        if record.event == Event.FAULT:
            told["args"] |= {"addr": hex(record.addr), "ip": hex(record.ip), "frame": hex(record.frame), "refs": record.refs,
                             "cost": record.cost}
            self._event("X", record.kind.name, record.pid, time, dur=round(record.cost * 1_000_000 / self._model.begin.frequency, 3),
                        cat="fault", **told)
        elif record.event not in (Event.TABLE, Event.AROUND):
            self._event("i", record.event.name, record.pid, time, s="t", cat="memory", **told)
        self._counters(record, time, before, self._model.spaces.get(record.root))

    def write(self, file):
        """The JSON, an event a line."""
        lines = ",\n".join(json.dumps(event, sort_keys=True) for event in self._events)
        file.write('{"displayTimeUnit": "ns", "traceEvents": [\n' + lines + "\n]}\n")
