# SPDX-License-Identifier: MIT
"""What a lab's tests are written in: labs/NAME/lab.py.

    from grading.suite import Lab

    lab = Lab("cow", parameters=["sharedtables=off"])

    @lab.test("fork shares every page", program="share", parts={"shared": 6, "read-only": 4},
              gdb="lz break-fault COW_COPY")
    def share(run):
        start = run.guest.next("start")
        with run.part("shared"):
            run.equal(seen, expected, "the frame of page 3")

The function's name is the test's. It runs on the host, beside the machine: `run.guest` (class Guest) goes from record to
record, and shows page tables, frames and faults. A part's points are earned when its block ends and nothing in it failed.
Expectations come from the seed (run.number) and from the contract, never from what the kernel says.
"""
import contextlib
import dataclasses
import os

from grading import verdict
from grading.guest import PAGE, Guest, number
from grading.verdict import Result, Verdict

TICKS = 100             # of the guest's timer: a second of its own time, 10^9 instructions


@dataclasses.dataclass
class Test:
    function: object
    title: str
    parts: dict                 # name: points
    program: str = ""           # labs/NAME/tests/PROGRAM.c; or
    selftest: str = ""          # a suite of labs/NAME/kernel
    needs: tuple = ()           # names of tests that must have passed
    gdb: str = ""               # the command that is told where a check of this test fails
    memory: str = "64M"
    parameters: tuple = ()
    ticks: int = TICKS

    @property
    def name(self):
        return self.function.__name__.replace("_", "-")

    @property
    def maximum(self):
        return sum(self.parts.values())


class Lab:
    """The tests of one lab. `parameters`: the kernel's, for all of them. `boots`: it comes to a shell with the hole in it; if not,
    it panics, and names the part that is missing."""

    def __init__(self, name, parameters=(), boots=True):
        self.name, self.parameters, self.boots, self.tests = name, list(parameters), boots, []

    def test(self, title, **options):
        def add(function):
            self.tests.append(Test(function, title, **options))
            return function
        return add


class Run:
    """One run of one test: what its function is given."""

    def __init__(self, test, guest, seed):
        self.test, self.guest, self.seed = test, guest, seed
        self.earned, self.failures, self.figures = {}, [], {}

    # ---- the seed

    def number(self, key, low, high):
        return number(self.seed, key, low, high)

    def map_address(self, key):
        """Where lab_map(key, …) maps (labs/record.h)."""
        return 0x100000000000 + self.number(key, 0, 0xffff) * 0x20000000 + self.number(key + 1000, 1, 200) * PAGE

    def byte(self, pattern, page, i):
        """lab_byte()."""
        return (self.seed * 31 + pattern * 97 + page * 13 + i * 7) % (1 << 64) % 255 + 1

    @staticmethod
    def sum(data):
        """lab_sum()."""
        total = 0xcbf29ce484222325
        for byte in data:
            total = (total ^ byte) * 0x100000001b3 & (1 << 64) - 1
        return total

    def filled(self, pattern, page):
        """The page that lab_fill() leaves where there were zeroes."""
        data = bytearray(PAGE)
        data[::64] = bytes(self.byte(pattern, page, i) for i in range(0, PAGE, 64))
        return bytes(data)

    # ---- checks

    @contextlib.contextmanager
    def part(self, name):
        """Its points are earned if nothing inside fails."""
        if name not in self.test.parts or name in self.earned:
            raise Verdict(verdict.HARNESS, "each part of a test once", f"part {name}")
        before = len(self.failures)
        yield
        self.earned[name] = self.test.parts[name] if len(self.failures) == before else 0

    def fail(self, kind, expected, seen, gdb=""):
        self.failures.append(Verdict(kind, str(expected), str(seen), gdb or self.test.gdb))

    def equal(self, seen, expected, what, gdb="", kind=verdict.WRONG):
        """One check. Addresses are shown as such; `what` names the thing that was looked at."""
        if seen != expected:
            self.fail(kind, f"{what}: {shown(expected)}", shown(seen), gdb)
        return seen == expected

    def true(self, truth, expected, seen, gdb=""):
        if not truth:
            self.fail(verdict.WRONG, expected, seen, gdb)
        return bool(truth)

    def at_most(self, seen, budget, what, gdb=""):
        """A budget: exact figures, the same on every host."""
        self.figures[what] = f"{seen:,} of {budget:,}"
        if not 0 <= seen <= budget:
            self.fail(verdict.BUDGET, f"{what}: at most {budget:,}", f"{seen:,}", gdb)

    def no_leak(self, before, after, what, slack=0):
        self.figures[what] = f"{before:,} before, {after:,} afterwards"
        if abs(before - after) > slack:
            self.fail(verdict.LEAK, f"{what} afterwards as before: {before:,}", f"{after:,}", self.test.gdb)

    def leaves_nothing(self, lost=verdict.WRONG):
        """The whole of a test of rounds: parts `frames` and `ledger`, records `before` and `after` of lab_report_memory()."""
        before = self.guest.next("before")
        after = self.guest.next("after", lost=lost)
        with self.part("frames"):
            # A slab of the kernel's may fill up.
            self.no_leak(before.values[0], after.values[0], "free memory in KiB", slack=8)
        with self.part("ledger"):
            self.no_leak(before.values[1], after.values[1], "promised memory (Committed_AS) in KiB")
        self.guest.end()


def shown(value):
    if isinstance(value, bytes):
        return f"bytes that begin with {value[:8].hex(' ')}"
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return f"{value:#x}" if value >= 1 << 16 else f"{value}"


def test_run(lab, test, tree, seed):
    """Run one test. Its Result."""
    program = test.program and os.path.join(tree, "build", "lab", "tests", test.program)
    kernel = os.path.join(tree, "build", "debug", "lazybones")
    parameters = [*lab.parameters, *test.parameters]
    guest = run = None
    try:
        guest = Guest(kernel, os.path.join(tree, "build", "grub-quick.iso"), program, seed, test.memory, parameters, test.ticks,
                      test.selftest)
        with guest:
            run = Run(test, guest, seed)
            test.function(run)
        outcome = run.failures[0] if run.failures else Verdict(verdict.PASS)
    except Verdict as ended:
        outcome = ended
        if run and run.failures and ended.kind in (verdict.WRONG, verdict.HARNESS):
            outcome = run.failures[0]
    earned = run.earned if run else {}
    if outcome.kind == verdict.PASS and set(earned) != set(test.parts):
        outcome = Verdict(verdict.HARNESS, "every part of the test is looked at", f"only {', '.join(earned) or 'none'}")
    log = guest.log if guest else ""
    outcome = missing_verdict(outcome, log)
    if outcome.kind == verdict.SKIPPED:     # what still works without the part that is missing is no achievement
        earned = {}
    outcome.gdb = outcome.gdb or test.gdb
    return Result(test.name, test.title, outcome, sum(earned.values()), test.maximum,
                  [(name, earned.get(name, 0), points) for name, points in test.parts.items()],
                  debug_command(test, parameters), log, run.figures if run else {})


def debug_command(test, parameters):
    words = [*parameters, f"selftest={test.selftest}"] if test.selftest else parameters
    append = f" APPEND='{' '.join(words)}'" if words else ""
    program = "" if test.selftest else f" PROGRAM=build/lab/tests/{test.program}"
    return f"make debug{program}{append} MEM={test.memory}"


def missing_verdict(outcome, log):
    """What fails because a part of the lab is not written yet is told as that."""
    missing = [line.partition("lab ")[2].partition(" is missing")[0] for line in log.splitlines()
               if "lab " in line and "() is missing: see LAB.md" in line]
    if outcome.kind == verdict.PASS or not missing:
        return outcome
    names = ", ".join(dict.fromkeys(name.partition(": ")[2] for name in missing))
    return Verdict(verdict.SKIPPED, f"{names} is written (LAB.md)", f"it is missing; with what stands there: {outcome.kind}, "
                   f"{outcome.seen}")


def skipped(test, needed):
    return Result(test.name, test.title, Verdict(verdict.SKIPPED, f"{needed} has passed", "it has not"), 0, test.maximum,
                  [(name, 0, points) for name, points in test.parts.items()])
