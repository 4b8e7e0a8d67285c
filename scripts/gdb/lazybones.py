# SPDX-License-Identifier: MIT
"""gdb learns Lazybones: `lz help` lists the commands. `make debug` loads this; so does `source` in any gdb.

Reading only: no command changes the machine, but that break-fault and step-fault let it run.
"""
import os
import re
import sys

import gdb
import gdb.printing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lz import fault, frame, layout, process, pte, target, trace, user, vma, why   # noqa: E402


class Lz(gdb.Command):
    """What Lazybones is doing with memory.

`lz help` lists the commands; `help lz walk` explains one of them."""

    def __init__(self):
        super().__init__("lz", gdb.COMMAND_DATA, prefix=True)


class Command(gdb.Command):
    """The base of all: names itself, reads its arguments, says in a sentence what is wrong."""
    name, needs_kernel = None, True

    def __init__(self):
        super().__init__(f"lz {self.name}", gdb.COMMAND_DATA)

    def invoke(self, text, from_tty):
        self.dont_repeat()
        try:
            if self.needs_kernel:
                target.require_kernel()
            for line in self.run(gdb.string_to_argv(text)) or ():
                gdb.write(line + "\n")
        except gdb.MemoryError as error:
            raise target.Problem(f"the machine's memory does not make sense here: {error}") from error

    def run(self, words):
        """Do it; returns the lines to print, or None."""
        raise NotImplementedError

    def usage(self):
        raise target.Problem(f"usage: {self.__doc__.splitlines()[2].strip()}")


def split(words, needs_address=True):
    """(address, pid, access) out of ADDR [PID] [read|write|exec]; None for what was not said."""
    access = next((word for word in words if word in why.ACCESSES), None)
    rest = [word for word in words if word not in why.ACCESSES]
    if len(rest) > 2 or (needs_address and not rest):
        return None
    address = target.evaluate(rest[0]) if rest else None
    return address, target.number(rest[1], "a PID") if len(rest) > 1 else None, access


class Help(Command):
    """List the commands.

lz help

Example: lz help, then help lz why"""
    name, needs_kernel = "help", False

    def run(self, words):
        for each in COMMANDS:
            lines = each.__doc__.splitlines()
            yield f"{lines[2].strip():<48} {lines[0].strip()}"


class Ps(Command):
    """The processes, with what each has been promised and what it holds.

lz ps

Example: lz ps"""
    name = "ps"

    def run(self, words):
        running = process.current()
        yield f"  {'pid':>5} {'parent':>6} state {'promised':>12} {'held (RSS)':>12}  name"
        for each in process.all_processes():
            aspace = each.aspace()
            size = f"{process.kib(aspace.pages()):,} KiB" if aspace else "-"
            held = f"{process.kib(pte.resident(aspace.root)):,} KiB" if aspace else "-"
            mark = "*" if running and running.address == each.address else " "
            yield f"{mark} {each.pid:>5} {each.parent():>6} {each.state():<5} {size:>12} {held:>12}  {each.name}"


class Vmas(Command):
    """The promises of a process: its VMAs, as /proc/PID/maps shows them, with what they are backed by.

lz vmas [PID]

Example: lz vmas 2"""
    name = "vmas"

    def run(self, words):
        aspace = process.aspace_of(target.number(words[0], "a PID") if words else None)
        yield f"address space of {aspace.owner}, root table in frame {aspace.root:#x}:"
        for each in aspace.vmas():
            yield f"  {each}, {target.count(each.pages(), 'page')}  {aspace.name_of(each)}".rstrip()


class Walk(Command):
    """Every level of page tables on the way to an address, bits in words, shared or own, reference counts.

lz walk ADDR [PID]

Without PID: in the address space that the CPU runs on.
Example: lz walk &global 3"""
    name = "walk"

    def run(self, words):
        parsed = split(words) or self.usage()
        address, pid, _ = parsed
        aspace = process.aspace_of(pid)
        steps = pte.walk(aspace.root, address)
        yield f"{address:#x} in the address space of {aspace.owner}, root table in frame {aspace.root:#x}:"
        yield from map(str, steps)
        shared = pte.shared_level(steps)
        refuser = pte.refusing_level(steps, "write")
        path = f"shared from the level-{shared} table on" if shared else "its own"
        ability = (f"the level-{refuser} entry refuses a write" if refuser else "a write passes") if pte.leaf(steps) \
            else "nothing is mapped"
        yield f"  The path is {path}; {ability}."


class Page(Command):
    """The frame behind an address: its references, and every mapping of it in the machine.

lz page ADDR [PID]

Example: lz page &global"""
    name = "page"

    def run(self, words):
        parsed = split(words) or self.usage()
        address, pid, _ = parsed
        aspace = process.aspace_of(pid)
        steps = pte.walk(aspace.root, address)
        if not pte.leaf(steps) or not steps[-1].below:
            hint = "; `lz why` tells what would bring one" if address < layout.USER_END else ""
            yield f"{address:#x} in the address space of {aspace.owner} shows no frame{hint}"
            return
        page = steps[-1].below
        yield f"{address:#x} in the address space of {aspace.owner}: {page}, at {target.direct(page.pfn):#x} in the direct map"
        yield from self.mappers(page)

    @staticmethod
    def mappers(page):
        entries, contents = set(), {}
        for aspace, _ in process.all_aspaces():
            for start, table in pte.leaf_tables(aspace.root):
                if table not in contents:
                    contents[table] = target.words(target.direct(table), 512)
                for index, bits in enumerate(contents[table]):
                    if bits and pte.pfn(bits) == page.pfn:
                        entries.add((table, index))
                        place = start + (index << 12)
                        shared = pte.shared_level(pte.walk(aspace.root, place))
                        path = f"shared from the level-{shared} table on" if shared else "its own"
                        yield (f"  mapped at {place:#x} by {aspace.owner}: entry {index} of the leaf table in frame {table:#x} "
                               f"(the path is {path}), {pte.rights(bits)}")
        pins = page.refs - len(entries)
        yield f"  {target.count(page.refs, 'reference')} = {len(entries)} by entries + {pins} by pins" + (
            " (the page cache, the zero page's own, or the kernel's)" if pins else "")


class Frames(Command):
    """The frame allocator: free blocks by size, the watermark, frames by kind.

lz frames

Example: lz frames"""
    name = "frames"

    def run(self, words):
        return frame.describe_all()


class Commit(Command):
    """The ledger of promises: what has been promised, the limit, the mode.

lz commit

Example: lz commit"""
    name = "commit"
    MODES = {0: "heuristic: only a single request larger than RAM is refused", 1: "always: nothing is refused",
             2: "never: the sum stays below the limit"}

    def run(self, words):
        policy, total = target.value("commit_policy"), int(frame.figures()["total"])
        kbytes, ratio = int(policy["overcommit_kbytes"]), int(policy["overcommit_ratio"])
        limit = kbytes // process.kib(1) if kbytes else total * ratio // 100
        committed, mode = int(target.value("'mm/commit.c'::committed")), int(policy["overcommit_memory"])
        yield f"promised: {target.count(committed, 'page')} ({process.kib(committed):,} KiB, Committed_AS)"
        yield (f"limit:    {target.count(limit, 'page')} ({process.kib(limit):,} KiB, CommitLimit: "
               + ("overcommit_kbytes" if kbytes else f"{ratio} % of RAM") + (")" if mode == 2 else ", not enforced)"))
        yield f"mode:     {mode}, {self.MODES[mode]}"
        for aspace, _ in process.all_aspaces():
            pages = sum(each.pages() for each in aspace.vmas() if each.has("ACCOUNTED"))
            yield f"  {pages:>8,} pages for {aspace.owner}"


class Faults(Command):
    """The last faults that the trace has recorded, if it is on.

lz faults [N]

Example: make debug APPEND=trace=on, then lz faults 5"""
    name = "faults"

    def run(self, words):
        return trace.last_faults(target.number(words[0], "a count") if words else 10)


class Why(Command):
    """What an access would do now, and why; without ADDR, the fault that is being served.

lz why [ADDR [PID]] [read|write|exec]

The answer is a kind of the case table at the head of mm/fault.c, or that there is no fault. Nothing is touched.
Example: lz why 0x400000 write"""
    name = "why"

    def run(self, words):
        parsed = split(words, needs_address=False)
        if not parsed or (parsed[0] is None and parsed[2]):
            self.usage()
        address, pid, access = parsed
        if address is None:
            asked = fault.require_current()
            yield str(asked)
            yield from self.answer(asked.predict(), asked.access, in_fault=True)
            return
        aspace = process.aspace_of(pid)
        yield f"{address:#x} in the address space of {aspace.owner}:"
        for each in [access] if access else ["read", "write"]:
            yield from self.answer(why.why(aspace, address, each), each)

    @staticmethod
    def answer(answer, access, in_fault=False):
        yield f"  {access}: {answer.at_fault() if in_fault else answer.kind}"
        for reason in answer.reasons:
            yield f"    {reason}"


class BreakFault(Command):
    """Stop at the faults of some kind, process or range, as `lz why` predicts them.

lz break-fault [KIND] [PID] [ADDR-RANGE]

ADDR-RANGE: START-END, or one address for its page. Without arguments: at every fault.
Example: lz break-fault COW_COPY 2 0x4c5000-0x4c6000"""
    name = "break-fault"
    needs_kernel = False            # a breakpoint may wait for the kernel

    def run(self, words):
        kind, pid, start, end = None, None, 0, 1 << 64
        for word in words:
            if word.upper() in fault.kinds():
                kind = word.upper()
            elif re.fullmatch(r"\d+", word):
                pid = int(word)
            elif match := re.fullmatch(r"(0x[0-9a-f]+)-(0x[0-9a-f]+)", word, re.I):
                start, end = int(match[1], 16), int(match[2], 16)
                if start >= end:
                    raise target.Problem(f"{word}: nothing lies between; write the lower address first")
            elif re.fullmatch(r"[A-Z_]+", word):
                raise target.Problem(f"{word}: no kind of fault. There are: {', '.join(fault.kinds())}")
            else:
                start = target.evaluate(word) & -4096
                end = start + 4096
        stop = fault.Stop(kind, pid, start, end)
        fault.quieten()
        yield f"Breakpoint {stop.number} stops at {stop}; `delete {stop.number}` ends it."

    def complete(self, text, word):
        return [kind for kind in fault.kinds() if kind.startswith(word)]


class StepFault(Command):
    """Run the fault at hand to where it is resolved, and print the difference that it made.

lz step-fault [user]

The entry of each level that has changed, reference counts, frames, counters. With `user`: then on to the instruction
that faulted, which runs again.
Example: lz break-fault COW_COPY, continue, lz step-fault"""
    name = "step-fault"

    def run(self, words):
        if words not in ([], ["user"]):
            self.usage()
        fault.step(to_user=bool(words))


class User(Command):
    """Load the symbols of a user program; without it, those of the program that runs, at each stop.

lz user [PROGRAM]

PROGRAM: a path, or the name of one in build/user. Programs built here are found by themselves at each stop.
Example: lz user forkvars, then break main"""
    name, needs_kernel = "user", False

    def run(self, words):
        if words:
            yield f"Symbols of {os.path.relpath(user.load(words[0]))}."
        else:
            user.symbols.drop()
            user.on_stop(None)
            yield "Symbols follow the program that runs."


class ProcessName(gdb.Function):
    """$lz_name(): the name of the process that runs, for conditions: break main if $_streq($lz_name(), "thirty")."""

    def __init__(self):
        super().__init__("lz_name")

    def invoke(self):
        running = process.current()
        return running.name if running else ""


class ProcessId(gdb.Function):
    """$lz_pid(): the pid of the process that runs; 0 is the kernel for itself."""

    def __init__(self):
        super().__init__("lz_pid")

    def invoke(self):
        running = process.current()
        return running.pid if running else 0


COMMANDS = (Ps, Vmas, Walk, Page, Frames, Commit, Faults, Why, BreakFault, StepFault, User, Help)


def printers():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("lazybones")
    collection.add_printer("pte_t", "^pte_t$", pte.Printer)
    collection.add_printer("vma", "^vma$", vma.Printer)
    collection.add_printer("frame", "^frame$", frame.Printer)
    collection.add_printer("fault", "^fault$", fault.Printer)
    return collection


Lz()
for command in COMMANDS:
    command()
ProcessName()
ProcessId()
gdb.printing.register_pretty_printer(None, printers(), replace=True)
gdb.events.stop.connect(user.on_stop)
