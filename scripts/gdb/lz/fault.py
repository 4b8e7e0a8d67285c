# SPDX-License-Identifier: MIT
"""The fault at hand: what the CPU asked of mm_fault(), the stop at a fault of some kind, the run to its end."""
import gdb

from lz import frame, process, pte, target, why


class Fault:
    """A struct fault, and the process and address space that it came in."""

    def __init__(self, record):
        self.address, self.ip = int(record["addr"]), int(record["ip"])
        names = target.enum_names("fault_access")
        self.access = names[int(record["cause"]["access"])].lower()
        self.from_user = bool(record["cause"]["user"])
        self.process = process.current()
        pointer = process.cpu()["aspace"]
        owner = str(self.process) if self.process else "the kernel"
        self.aspace = process.Aspace(pointer, owner) if int(pointer) else None

    def predict(self):
        return why.why(self.aspace, self.address, self.access)

    def __str__(self):
        who = str(self.process) if self.process else "the kernel"
        by = "" if self.from_user else ", by the kernel for it"
        return f"{who}: {self.access} at {self.address:#x}, instruction at {self.ip:#x}{target.symbol(self.ip)}{by}"


class Printer:
    """`print *fault`."""

    def __init__(self, record):
        self.record = record

    def to_string(self):
        names, cause = target.enum_names("fault_access"), self.record["cause"]
        return (f"{names[int(cause['access'])].lower()} at {int(self.record['addr']):#x}, from "
                f"{'user mode' if cause['user'] else 'the kernel'}, instruction at {int(self.record['ip']):#x}, entry "
                f"{'present' if cause['present'] else 'not present'}")


def entry_address():
    return int(target.value("&mm_fault"))


def fault_type():
    return gdb.lookup_type("struct fault")


def mm_fault_frame():
    """The frame of mm_fault() among those that are active, or None."""
    at = gdb.newest_frame()
    while at:
        if at.name() == "mm_fault":
            return at
        at = at.older()
    return None


def record_in(at):
    """The struct fault that this call of mm_fault() serves."""
    if at.pc() == entry_address():
        return gdb.Value(int(at.read_register("rdi"))).cast(fault_type().pointer()).dereference()
    for where, name in ((at, "fault"), (at.older(), "fault")):
        try:                            # -O2 may have forgotten the argument: its caller, page_fault(), still has it
            found = where.read_var(name)
        except (ValueError, AttributeError, gdb.error):
            continue
        if not found.is_optimized_out:
            return found.dereference() if found.type.code == gdb.TYPE_CODE_PTR else found
    raise target.Problem("which fault this is has been optimised away here; stop with `lz break-fault`, at its first "
                         "instruction, or use the debug build")


def current():
    """The Fault that is being served, or None."""
    at = mm_fault_frame()
    return Fault(record_in(at)) if at else None


def require_current():
    fault = current()
    if not fault:
        raise target.Problem("no fault is being served here; stop at one first: `lz break-fault`, then `continue`")
    return fault


def kinds():
    """The names of enum fault_kind, in order."""
    return [name for number, name in sorted(target.enum_names("fault_kind").items())
            if name != "KINDS"]


# ---------------------------------------------------------------- stopping at a fault

class Stop(gdb.Breakpoint):
    """A breakpoint at the first instruction of mm_fault() that asks `lz why` before it stops anybody."""

    def __init__(self, kind=None, pid=None, start=0, end=1 << 64):
        super().__init__("*mm_fault", gdb.BP_HARDWARE_BREAKPOINT)
        self.kind, self.pid, self.start, self.end, self.last = kind, pid, start, end, None

    def __str__(self):
        parts = [f"of kind {self.kind}" if self.kind else "of every kind"]
        parts += [f"by process {self.pid}"] if self.pid is not None else []
        parts += [f"in {self.start:#x}-{self.end:#x}"] if self.start else []
        return "faults " + " ".join(parts)

    def stop(self):
        try:
            return self._is_wanted()
        except (gdb.error, target.Problem) as error:
            gdb.write(f"lz break-fault: {error}\n")
            return True

    def _is_wanted(self):
        this = (place(), served())
        if this == self.last:           # the same call again, after an interrupt: see Passage.run()
            return False
        self.last = None
        fault = Fault(record_in(gdb.newest_frame()))
        if self.pid is not None and (not fault.process or fault.process.pid != self.pid):
            return False
        if not self.start <= fault.address < self.end:
            return False
        kind = fault.predict().at_fault()
        if self.kind and kind != self.kind:
            return False
        gdb.write(f"{fault}\nIt will be {kind}.\n")
        self.last = this
        return True


def served():
    """Faults that have ended since boot."""
    totals = target.value("fault_totals")["by_kind"]
    return sum(int(totals[number]) for number in range(len(kinds())))


def quieten(number=1):
    """The breakpoint on every fault that `make debug` begins with would get in the way of one that chooses."""
    for each in gdb.breakpoints():
        if each.number == number and each.location == "mm_fault" and each.enabled:
            each.enabled = False
            gdb.write(f"Breakpoint {number}, on every fault, is switched off (`enable {number}` brings it back).\n")


def place():
    """Where the machine stands: two stops in the same call of a function are told from stops in two."""
    at = gdb.newest_frame()
    return int(at.pc()), int(at.read_register("rsp"))


class Passage(gdb.Breakpoint):
    """A stop, once, at an address when `is_wanted()` holds; `reached` tells whether it was this that stopped."""

    def __init__(self, address, goal, is_wanted):
        super().__init__(f"*{address:#x}", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
        self.goal, self.is_wanted, self.reached, self.silent = goal, is_wanted, False, True

    def stop(self):
        self.reached = bool(self.is_wanted())
        return self.reached

    def run(self):
        """Continue to it. Raises Problem where something else stopped the machine first."""
        stand = place()
        try:
            words = gdb.execute("continue", to_string=True)
            # gdb leaves a breakpoint by a single step. Where an interrupt comes with it, its end is the same breakpoint again.
            while not self.reached and place() == stand:
                words = gdb.execute("continue", to_string=True)
        finally:
            reached = self.reached
            self.delete()
        if not reached:
            raise target.Problem(f"{words.strip()}\nThe machine has stopped before {self.goal}.".strip())


# ---------------------------------------------------------------- the difference that it makes

class Picture:
    """What a fault may change, as it is now."""

    def __init__(self, aspace, address):
        self.steps = pte.walk(aspace.root, address) if aspace else []
        self.resident = pte.resident(aspace.root) if aspace else 0
        found = aspace.find(address) if aspace else None
        self.range = (found.start, found.end) if found else None
        self.free = frame.free()
        self.copies = int(target.value("pagetable_copies"))
        self.committed = int(target.value("'mm/commit.c'::committed"))
        totals = target.value("fault_totals")["by_kind"]
        self.totals = {name: int(totals[number]) for number, name in enumerate(kinds())}

    def frames(self):
        """The frames that the entries point at, by number, as they were."""
        return {step.below.pfn: step.below for step in self.steps if step.below}


def difference(before, after):
    """What has changed, in lines."""
    olds = {step.level: step for step in before.steps}
    for step in after.steps:
        old = olds.get(step.level)
        if old is None or old.bits != step.bits:
            yield f"  level {step.level} [{step.index:3}] before: {pte.words(old.bits) if old else 'no table'}"
            yield f"                after:  {pte.words(step.bits)}"
    for pfn in {**before.frames(), **after.frames()}: # down the path, those that were on it first
        was, now = before.frames().get(pfn), frame.at(pfn)
        if was is None:
            yield f"  {now}: new to this path"
        elif was.refs != now.refs or was.kind != now.kind:
            yield f"  frame {pfn:#x} ({frame.KIND_WORDS[was.kind]}): {was.refs:,} → {target.count(now.refs, 'reference')}"
    if before.range != after.range:
        yield "  VMA: " + " → ".join(f"{place[0]:#x}-{place[1]:#x}" if place else "none"
                                     for place in (before.range, after.range))
    for name, was, now in (("RSS, pages", before.resident, after.resident), ("free frames", before.free, after.free),
                           ("page tables copied since boot", before.copies, after.copies),
                           ("pages promised (ledger)", before.committed, after.committed)):
        if was != now:
            yield f"  {name}: {was:,} → {now:,}"
    for name, was in before.totals.items():
        if after.totals[name] != was:
            yield f"  faults.{name}: {was:,} → {after.totals[name]:,}"


def step(to_user=False):
    """Run the fault at hand to its end and print the difference; with `to_user`, on to the instruction itself."""
    fault = require_current()
    at = mm_fault_frame()
    at_entry = at.pc() == entry_address()
    expected = fault.predict().at_fault() if at_entry else None
    before = Picture(fault.aspace, fault.address)
    back, stack = int(at.older().pc()), int(at.older().read_register("rsp"))
    Passage(back, "the fault was resolved", lambda: int(gdb.newest_frame().read_register("rsp")) == stack).run()
    kind = kinds()[int(gdb.newest_frame().read_register("rax")) & 0xFFFFFFFF]
    agreed = " (as `lz why` predicted)" if kind == expected else f" (predicted: {expected})" if expected else ""
    gdb.write(f"{kind}{agreed}: {fault}\n")
    for line in difference(before, Picture(fault.aspace, fault.address)):
        gdb.write(line + "\n")
    if not to_user:
        return
    if kind in why.FAILURES:
        raise target.Problem("It did not end well, so the instruction will not run again: a signal comes instead.")
    who = fault.process.address if fault.process else 0
    Passage(fault.ip, "the instruction ran again", lambda: int(process.cpu()["process"]) == who).run()
    gdb.execute("x/i $pc")
