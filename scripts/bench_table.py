# SPDX-License-Identifier: MIT
"""What user/bench measures, in words, and how many instructions it may take.

A ceiling is held against the median under --icount. `goal` is where the measure belongs; `until` is what it must keep to
as long as it is not there yet, and goes when it is.
"""
import re
import typing


class Measure(typing.NamedTuple):
    name: str                       # as user/bench calls it
    title: str                      # for people
    goal: typing.Optional[int] = None
    until: typing.Optional[int] = None

    @property
    def ceiling(self):
        """What is asserted today, or None."""
        return self.until or self.goal


MEASURES = [
    Measure("null_call", "null call (getppid)", 100),
    Measure("zero_read", "first read of a page: the zero page", 250),
    Measure("zero_fill", "first write: a page of zeroes", 800),
    Measure("zero_upgrade", "first write after a read", 850),
    Measure("cow_copy", "write after fork: a copy", 900),
    Measure("cow_reuse", "write after fork, alone again: no copy", 250),
    Measure("map_unmap_1M", "mmap and munmap of 1 MiB, untouched", 1500),
    Measure("protect_pair_256p", "mprotect there and back, 256 touched pages", 9000),
    Measure("segv_caught", "caught SIGSEGV", 1200),
    Measure("ping_pong", "pipe ping-pong", 2500),
    Measure("fork_exit", "fork, exit, wait: small process", 18000),
    Measure("fork_exec", "fork, exec, exit, wait: small process", None, 42000),
    Measure("vfork_exit", "vfork, exit, wait", 4500),
    Measure("vfork_exec", "vfork, exec, exit, wait", 60000),
    Measure("touch_1M", "touch 1 MiB, page by page"),
    Measure("fork_1M", "fork call, 1 MiB written", None, 6900),
    Measure("fork_exit_1M", "fork, exit, wait: 1 MiB written"),
    Measure("unmap_1M", "munmap of 1 MiB touched"),
    Measure("fork_16M", "fork call, 16 MiB written"),
    Measure("fork_exit_16M", "fork, exit, wait: 16 MiB written"),
    Measure("touch_64M", "touch 64 MiB, page by page"),
    Measure("fork_64M", "fork call, 64 MiB written"),
    Measure("fork_exit_64M", "fork, exit, wait: 64 MiB written"),
    Measure("unmap_64M", "munmap of 64 MiB touched"),
    Measure("fork_256M", "fork call, 256 MiB written"),
    Measure("fork_exit_256M", "fork, exit, wait: 256 MiB written"),
    Measure("touch_1024M", "touch 1,024 MiB, page by page", 215_000_000),
    Measure("fork_1024M", "fork call, 1,024 MiB written", 15000),
    Measure("fork_exit_1024M", "fork, exit, wait: 1,024 MiB written", 25000),
    Measure("fork_exec_1024M", "fork, exec, exit, wait: 1,024 MiB written", 110000),
    Measure("cow_copy_shared", "worst case: a write in each 2 MiB after fork, 1,024 MiB", 6500),
    Measure("unmap_1024M", "munmap of 1,024 MiB touched", 16_000_000),
    Measure("oom_kill_256M", "OOM kill of a 256 MiB hog, until its memory is back"),
]
NAMES = [measure.name for measure in MEASURES]

# fork with 1,024 MiB written may take so many times what it takes with 1 MiB written.
FORK_GROWTH = 1.05


def parse(text):
    """({name: (minimum, median)}, [lines of failed measures]) of what user/bench prints."""
    figures, failed = {}, []
    for line in text.splitlines():
        line = line.strip()
        if match := re.fullmatch(r"(\w+) +(-?\d+) +(-?\d+)", line):
            figures[match[1]] = int(match[2]), int(match[3])
        elif re.match(r"\w+ +failed:", line):
            failed.append(re.sub(" +", " ", line))
    return figures, failed


def table_figures(text):
    """{name: (minimum, median)} of the table that scripts/bench prints."""
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: (int(row[1].replace(",", "")), int(row[2].replace(",", ""))) for row in rows if row and row[0] in NAMES}
