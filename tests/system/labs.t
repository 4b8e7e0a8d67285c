#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 64M  time: 240
"""The labs: marks are sound, the trees that are cut are clean, a hole costs the points and the solution gives them.

By default one test of each lab is run, with the hole and twice with the solution, and a sample of the wrong kernels of labs/mutants
is graded, the fakes among them; LABS=full runs all tests, with the solution ten times. `make kill-matrix` grades all wrong kernels.
"""
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, equal, note, ok, run

sys.path.insert(0, os.path.join(ROOT, "scripts"))
from grading import cutting, marks

FULL = os.environ.get("LABS") == "full"
SAMPLE = 8
TIMES = 10 if FULL else 2
# With the hole of a lab, this test of another one has all its points: nothing else is missing.
ELSEWHERE = {"zero": ("vma", "place"), "vma": ("zero", "promise"), "cow": ("vma", "place"), "tables": ("cow", "copy"),
             "commit": ("tables", "share"), "oom": ("commit", "mapped")}


def refused(text):
    """Why these lines are no sound marks; "" if they are."""
    try:
        marks.parse(text)
    except marks.BadMark as bad:
        return str(bad)
    return ""


# ---------------------------------------------------------------- marks

SOUND = """#include "mm/a.h"
/* lab one: begin */
int f(void)
{
    /* lab two: begin */
    return 1;
    /* lab two: instead
     * // why not?
     *
     * return lab_missing("two", "f");
     */
}
/* lab one: instead */
int g;
"""
equal(marks.cut(SOUND), '#include "mm/a.h"\nint f(void)\n{\n    return 1;\n}\nint g;\n', "the solution has no marks")
equal(marks.cut(SOUND, "one"), '#include "mm/a.h"\nint g;\n', "a hole with nothing instead")
equal(marks.cut(SOUND, "two"), '#include "mm/a.h"\n#include "kernel/lib/lab.h"\nint f(void)\n{\n    // why not?\n\n'
      '    return lab_missing("two", "f");\n}\nint g;\n', "a hole inside of another lab's solution; its include comes by itself")
equal(marks.functions(marks.parse(SOUND), "two"), ["f"], "the function that a hole is in")
BAD = {
    "a `begin` alone": "/* lab a: begin */\nint x;\n",
    "an `instead` alone": "/* lab a: instead */\n",
    "another lab's `instead`": "/* lab a: begin */\nint x;\n/* lab b: instead */\n",
    "an `instead` that never ends": "/* lab a: begin */\nint x;\n/* lab a: instead\n * y\n",
    "a line of `instead` without its star": "/* lab a: begin */\nint x;\n/* lab a: instead\ny\n */\n",
    "a lab within itself": "/* lab a: begin */\n/* lab a: begin */\nint x;\n/* lab a: instead */\n/* lab a: instead */\n",
    "an empty solution": "/* lab a: begin */\n/* lab a: instead */\n",
    "a mark behind code": "int x; /* lab a: begin */\n",
    "another form": "// lab a: begin\n",
    "a file that is not there": "/* lab a: begin */\nint x;\n/* lab a: instead nothing.c */\n",
}
for name, text in BAD.items():
    ok(refused(text), f"refused: {name}")
status, output, _ = run("scripts/lab", "check")
ok(status == 0, "the marks of this tree are sound", output.decode())

# ---------------------------------------------------------------- each lab

HIDDEN = [path for path in cutting.tracked() if path.startswith(("tests/mutants/", "labs/mutants/"))]


def grade(lab, where, submission, only):
    """({test: (points, most)}, all that was told) of the lab's reference, or of a submission."""
    with tempfile.NamedTemporaryFile(suffix=".json") as results:
        words = ["--lab", lab, "--where", where, "--results", results.name, "--verbose"]
        words += ["--submission", submission] if submission else []
        words += ["--only", only] if only else []
        status, output, errors = run("scripts/grade", *words, limit=400)
        note(output.decode())
        try:
            graded = json.load(results)
        except ValueError:
            note(errors)
            return {}, output
    return {test["name"].partition(":")[0]: (test["score"], test["max_score"]) for test in graded["tests"]}, output


def full_marks(points):
    return points and all(got == most for got, most in points.values())


def load(lab):
    """The lab's tests: what labs/NAME/lab.py makes."""
    specification = importlib.util.spec_from_file_location(lab, os.path.join(ROOT, "labs", lab, "lab.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.lab


with tempfile.TemporaryDirectory(prefix="labs ") as directory:
    laid = os.path.join(directory, "laid")
    for lab in cutting.labs():
        tree = os.path.join(directory, lab)
        status, output, errors = run("scripts/lab", "cut", lab, "--to", tree)
        ok(status == 0, f"{lab}: it can be cut", output.decode() + errors)
        left = subprocess.run(["grep", "-rnE", r"/\* lab [a-z]+: (begin|instead)", tree], capture_output=True, text=True).stdout
        equal(left, "", f"{lab}: no mark is left")
        found = [path for path in HIDDEN if os.path.exists(os.path.join(tree, path))]
        equal(found + [name for name in ("labs",) if os.path.exists(os.path.join(tree, name))], [], f"{lab}: no solution either")
        log = subprocess.run(["git", "-C", tree, "log", "--format=%an %s"], capture_output=True, text=True).stdout
        equal(log, f"Lazybones Lab {lab}\n", f"{lab}: one commit, by nobody")
        suite = load(lab)
        only = "" if FULL else suite.tests[0].name
        with_hole, _ = grade(lab, laid, tree, only)
        ok(with_hole and all(points == 0 for points, _ in with_hole.values()), f"{lab}: with the hole no points",
           str(with_hole))
        subprocess.run(["make", "-s", "-C", laid, "build/user/forkvars"], check=True)
        words = [os.path.join(laid, "scripts/run"), "--debug", os.path.join(laid, "build/user/forkvars")]
        status, output, errors = run(*words, limit=120)
        if suite.boots:
            ok(status == 0 and b"parent: values at the end" in output,
               f"{lab}: with the hole it boots, and a program forks", output.decode() + errors)
        else:
            ok(status != 0 and re.search(rf"lab {lab}: \w+\(\) is missing", output.decode() + errors),
               f"{lab}: with the hole it panics, and names the part", output.decode() + errors)
        if lab in ELSEWHERE:
            other, test = ELSEWHERE[lab]
            points, _ = grade(other, laid, tree, test)
            ok(full_marks(points), f"{lab}: with the hole, {other}'s test {test} has all points", str(points))
        graded = [grade(lab, laid, None, only) for _ in range(TIMES)]
        ok(full_marks(graded[0][0]), f"{lab}: with the solution all points", str(graded[0][0]))
        told = {re.sub(rb"lab_nonce=\d+", b"", text) for _, text in graded}     # the run's secret is another one each time
        ok(len(told) == 1, f"{lab}: {TIMES} times the same, to the last figure", b"\n".join(told).decode())
    # ---------------------------------------------------------------- wrong kernels

    status, output, errors = run("scripts/kill-matrix", "--quick", "--sample", str(SAMPLE), "--where", laid, limit=600)
    note(output.decode() + errors)
    ok(status == 0, f"{SAMPLE} wrong kernels and the fakes are rejected by the tests that are there for them")
done()
