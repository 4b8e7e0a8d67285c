# SPDX-License-Identifier: MIT
"""What can be said of a test: the words, and what is told along with them."""
import dataclasses

PASS, WRONG, BUDGET, PANIC, TRIPLE = "pass", "wrong answer", "budget exceeded", "panic", "triple fault"
HANG, LIVELOCK, LEAK = "hang without progress", "livelock", "leak"
BUILD, HARNESS, SKIPPED = "build failure", "harness failure", "skipped"
KINDS = (PASS, WRONG, BUDGET, PANIC, TRIPLE, HANG, LIVELOCK, LEAK, BUILD, HARNESS, SKIPPED)


@dataclasses.dataclass
class Verdict(Exception):
    """How a test ended. `gdb`: the first command to type in `make debug`."""
    kind: str
    expected: str = ""
    seen: str = ""
    gdb: str = ""


@dataclasses.dataclass
class Result:
    """One test's: its verdict, its points, what there is to show."""
    name: str
    title: str
    verdict: Verdict
    points: float = 0
    maximum: float = 0
    parts: list = dataclasses.field(default_factory=list)      # (name, points got, points to get)
    debug: str = ""         # the command that brings the test into gdb
    log: str = ""           # the end of the kernel's log
    figures: dict = dataclasses.field(default_factory=dict)     # what was measured, by name

    def told(self, verbose=False):
        """For a person, as lines."""
        verdict = self.verdict
        lines = [f"{self.name:<18} {self.points:>5g} / {self.maximum:<4g} {verdict.kind:<16} {self.title}"]
        if verdict.kind != PASS:
            lines += [f"    expected: {verdict.expected}"] if verdict.expected else []
            lines += [f"    seen:     {verdict.seen}"] if verdict.seen else []
            lines += [f"    in gdb:   {self.debug}"] if self.debug and verdict.kind not in (SKIPPED, BUILD) else []
            lines += [f"              {verdict.gdb}"] if verdict.gdb and verdict.kind not in (SKIPPED, BUILD) else []
        if verbose or 0 < self.points < self.maximum:
            lines += [f"    {got:>5g} / {most:<4g} {name}" for name, got, most in self.parts]
        if verbose:
            lines += [f"    {name}: {value}" for name, value in self.figures.items()]
        if self.log and (verbose or verdict.kind in (PANIC, TRIPLE, HANG, HARNESS, BUILD)):
            lines += ["    the kernel's last words:"] if verdict.kind != BUILD else []
            lines += [f"    | {line.rstrip()}" for line in self.log.splitlines()[-12:]]
        return lines


def gradescope(results, seconds):
    """The results as Gradescope's autograder wants them (results.json)."""
    tests = [{"name": f"{result.name}: {result.title}", "number": str(number), "score": result.points,
              "max_score": result.maximum, "status": "passed" if result.verdict.kind == PASS else "failed",
              "output": "\n".join(result.told()), "tags": [result.verdict.kind], "visibility": "visible"}
             for number, result in enumerate(results, start=1)]
    return {"score": sum(result.points for result in results), "max_score": sum(result.maximum for result in results),
            "execution_time": round(seconds), "visibility": "visible", "stdout_visibility": "hidden", "tests": tests}
