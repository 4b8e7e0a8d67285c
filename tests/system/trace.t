#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 2G  time: 120
"""The trace: replayed it gives what /proc says, at every moment; it is the same twice; it costs little."""
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, boot_program, built, contains, done, equal, note, ok, qemu, run

import bench_table
import trace_model
from trace_model import Event, FrameKind, Kind

EVENT_COST = 150        # instructions that a fault may take more with the trace on
OFF_COST = 5            # and because there is a trace at all, although it is off
FAULTS = ("zero_read", "zero_upgrade", "zero_fill", "cow_copy", "cow_reuse", "segv_caught")


# ---------------------------------------------------------------- what /proc says

def samples_of(output):
    """The samples that tests/system/samples.c has printed: (pid, number, what, text)."""
    pattern = r"^@sample (\d+) (\d+) ([^\n]*)\n(.*?)^@end$"
    return [(int(pid), int(number), what, text) for pid, number, what, text in re.findall(pattern, output, re.M | re.S)]


def number_after(name, text):
    found = re.search(rf"^{name}:? +(\d+)", text, re.M)
    return int(found[1]) if found else None


def said_of_processes(text):
    """Of a watcher's lines "statm PID ..."; not of those that have no memory."""
    rows = [tuple(map(int, row)) for row in re.findall(r"^statm (\d+) (\d+) (\d+) (\d+)", text, re.M)]
    return {f"VSZ, RSS, shared of {pid}": figures for pid, *figures in rows if figures[0]}


def said_by_proc(text):
    return {
        **{f"faults, {kind.name}": number_after(kind.name, text) for kind in Kind},
        **{f"tables, {level}": tuple(map(int, re.search(rf"^{level} +(\d+) +(\d+) +(\d+)", text, re.M).groups()))
           for level in ("leaf", "directory", "pointer")},
        "roots": int(re.search(r"^root +(\d+)", text, re.M)[1]),
        "table copies": number_after("copied", text),
        "frames, anonymous": number_after("anonymous", text), "frames, table": number_after("table", text),
        "Committed_AS": number_after("Committed_AS", text) * 1024 // trace_model.PAGE,
    }


# ---------------------------------------------------------------- what the model says

def said_by_model(model):
    tables = model.table_figures()
    return {
        **{f"VSZ, RSS, shared of {pid}": [space.vsz, space.rss, space.resident[FrameKind.FILE] + space.resident[FrameKind.SHM]]
           for pid, space in model.processes.items()},
        **{f"faults, {kind.name}": model.faults[kind] for kind in Kind},
        **{f"tables, {level}": tuple(row) for level, row in zip(("leaf", "directory", "pointer"), tables)},
        "roots": tables[trace_model.ROOT_LEVEL - 1][0],
        "table copies": model.table_copies,
        "frames, anonymous": len(model.pages), "frames, table": len(model.tables),
        "Committed_AS": model.committed,
    }


class Collector:
    """Replays the trace; what the model says at each mark N, and in `quiet` those that -N followed at once."""

    def __init__(self):
        self.reader, self.model, self.said, self.count = trace_model.Reader(), trace_model.Model(), {}, 0
        self.quiet, self._last = [], None

    def take(self, data):
        for record in self.reader.take(data):
            self.count += 1
            self.model.apply(record)
            number = int(record.text) if record.event == Event.MARK else 0
            if number > 0:
                self.said[record.pid, number] = said_by_model(self.model)
            elif number and self._last == -number:
                self.quiet.append(-number)
            self._last = number


def compare(collector, output, label):
    samples = samples_of(output)
    ok(len(samples) >= 15, f"{label}: {len(samples)} samples came")
    for pid, number, what, text in samples:
        own, rest = text.split("\n", 1)
        wanted = {f"VSZ, RSS, shared of {pid}": list(map(int, own.split()[:3])), **said_by_proc(rest)}
        wrong = differences(wanted, collector.said.get((pid, number), {}))
        ok(not wrong, f"{label}: {what}: {len(wanted)} figures are as /proc says", "\n".join(wrong))
    agree_with_itself(collector.model, label)


def differences(wanted, got):
    return [f"{name}: model {got.get(name)}, /proc {value}" for name, value in wanted.items() if got.get(name) != value]


def agree_with_itself(model, label):
    off = [space.name for space in model.spaces.values() if model.count_resident(space) != +space.resident]
    equal(off, [], f"{label}: the model agrees with itself")


def replay(parameters, label):
    collector = Collector()
    outcome, console, _ = boot_program(built("tests/system/samples"), kind="release", trace=collector.take,
                                       parameters=["trace=port", *parameters])
    if not equal((outcome.kind, outcome.status), ("exit", 0), f"{label}: the program runs"):
        note(outcome.text + "\n" + outcome.log.decode(errors="replace")[-2000:])
    equal(collector.count, outcome.stats.get("trace.records"), f"{label}: no record is lost")
    compare(collector, console.decode(), label)


def watch(program, least, *parameters, memory="128M"):
    """A test of the user ring, with tests/system/watch.c beside it: all processes, whatever the program does.

    Time is counted in instructions, so that the samples lie at the same places in every run."""
    label = f"{program} {' '.join(parameters)}".strip()
    collector = Collector()
    outcome, console, errors = boot_program(
        built("tests/system/watch"), "/bin/" + program, kind="release", trace=collector.take, timeout=100,
        machine=qemu.Machine(memory=memory, icount=True), parameters=["trace=port", *parameters],
        files=[("bin/" + program, built("tests/user/" + program)), ("bin/busybox", "/bin/busybox")])
    equal((outcome.kind, outcome.status), ("exit", 0), f"{label}: it runs")
    equal(collector.count, outcome.stats.get("trace.records"), f"{label}: no record is lost")
    samples = re.findall(r"^@sample (\d+)\n(.*?)^@end$", errors.decode(), re.M | re.S)
    quiet = [(int(number), text) for number, text in samples if int(number) in collector.quiet]
    said = {number: figures for (_, number), figures in collector.said.items()}
    wrong = []
    for number, text in quiet:
        wanted = {**said_of_processes(text), **said_by_proc(text)}
        wrong += [f"sample {number}, {each}" for each in differences(wanted, said[number])]
        if extra := said[number].keys() - wanted.keys():
            wrong.append(f"sample {number}: only the model knows {extra}")
    ok(len(quiet) >= least, f"{label}: {len(quiet)} of {len(samples)} samples were taken while nothing happened")
    ok(not wrong, f"{label}: all figures are as /proc says, in each of them", "\n".join(wrong[:20]))
    agree_with_itself(collector.model, label)


for switch in "", "cow=off", "sharedtables=off", "zeropage=off", "zfod=off", "faultahead=16":
    replay(switch.split(), switch or "lazy")
# Moves, holes cut into shared memory, mappings of files, a vfork and an exec, processes that the OOM killer takes.
for name in "remap", "p4-remove", "lazy-files", "c11-vfork":
    watch(name, 2)
watch("k3-autopsy", 10, memory="96M")


# ---------------------------------------------------------------- twice the same; sentences

with tempfile.TemporaryDirectory() as room:
    files = [os.path.join(room, f"{i}.json") for i in range(2)]
    for path in files:
        status, output, errors = run("scripts/run", "--icount", "--explain", "--trace", path, built("user/forkvars"))
        equal(status, 0, "a demo runs with --trace and --explain")
    contents = [open(path, "rb").read() for path in files]
    ok(contents[0] == contents[1] and len(contents[0]) > 10000, "under --icount the trace is the same, byte for byte, twice")
contains(errors, "write to 0x41c000 (heap, rw): nothing was there; new zeroed frame", "--explain: a sentence for the first touch of the heap")
contains(errors, "with its contents, 1 still points at the old one", "--explain: a sentence for the copy after fork")
status, output, errors = run("scripts/run", "--trace", "/nowhere/x.json", "/bin/busybox", "true")
equal((status, errors), (2, "scripts/run: --trace /nowhere/x.json: No such file or directory\n"), "--trace to nowhere is told")


# ---------------------------------------------------------------- /proc/lazy/trace

script = """echo 1 >/proc/lazy/trace && echo 'mark here we are' >/proc/lazy/trace && /bin/busybox true && echo 0 >/proc/lazy/trace
grep -c ' EXEC "busybox"' /proc/lazy/trace; grep -o 'MARK .*' /proc/lazy/trace; grep -c ' FAULT COW_COPY user write 0x' /proc/lazy/trace
head -1 /proc/lazy/trace | cut -d';' -f1; echo clear >/proc/lazy/trace; wc -l </proc/lazy/trace; echo 2 >/proc/lazy/trace"""
status, output, errors = run("scripts/run", "/bin/busybox", "sh", "-c", script)
rows = output.decode().split("\n")
equal(rows[:2] + rows[3:5], ["1", "MARK here we are", "# trace off", "1"], "/proc/lazy/trace: on, mark, off, clear")
ok(rows[2].isdigit() and int(rows[2]) > 3, f"/proc/lazy/trace: {rows[2]} copies after fork are there")
contains(errors, "Invalid argument", "/proc/lazy/trace: what it does not know is EINVAL")


# ---------------------------------------------------------------- cost

def medians(*arguments, tree=ROOT):
    status, output, errors = run(os.path.join(tree, "scripts/run"), "--icount", "--timeout", "110", *arguments,
                                 built("user/bench"), *FAULTS)
    equal((status, errors), (0, ""), f"the bench runs {' '.join(arguments)}")
    figures, _ = bench_table.parse(output.decode())
    return {name: median for name, (_, median) in figures.items()}


def replace_in(path, pattern, by):
    with open(path) as file:
        text = file.read()
    changed, count = re.subn(pattern, by, text, flags=re.M)
    ok(count == 1, f"{os.path.basename(path)}: {pattern} is there once")
    with open(path, "w") as file:
        file.write(changed)


def tree_without_trace(room):
    """A copy of this tree, with what is built, whose kernel can never trace: the compiler drops all that would."""
    def ignored(folder, names):
        kept = {"release", "user", "user.flags", "grub.iso"} if folder == qemu.BUILD else names
        return [name for name in names if name not in kept or name in (".git", "__pycache__")]
    tree = shutil.copytree(ROOT, os.path.join(room, "tree"), symlinks=True, ignore=ignored)
    trace = os.path.join(tree, "mm/trace")
    replace_in(trace + ".h", r"^extern bool trace_is_on;", "#define trace_is_on false")
    replace_in(trace + ".c", r"^bool trace_is_on;", "")
    replace_in(trace + ".c", r"^    trace_is_on = on;", "")
    return tree


off, on = medians(), medians("--append", "trace=on")
with tempfile.TemporaryDirectory() as room:
    without = medians(tree=tree_without_trace(room))
for name in FAULTS:
    more = off[name] - without[name]
    ok(0 < more <= OFF_COST, f"{name}: {more} instructions more with the trace off than without one, at most {OFF_COST}")
for name in FAULTS:
    more = on[name] - off[name]
    ok(0 < more <= EVENT_COST, f"{name}: {more} instructions more with the trace on, at most {EVENT_COST}")
done()
