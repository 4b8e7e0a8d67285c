# SPDX-License-Identifier: MIT
"""Which files a lab's tree has, and what is in them.

The tree of a lab is this tree without marks, without other labs, without what tells the solution (mutants, some pages
of docs/), and with what is the lab's own:

    LAB.md                  labs/NAME/README.md, the handout
    lab/                    labs/NAME, its tests, and labs/record.h, which the test programs include
    tests/kernel/lab-*.c    labs/NAME/kernel: tests that run in the kernel
    kernel/lib/lab.[ch]     labs/missing.[ch]: what a hole calls until it is filled
"""
import os
import stat
import subprocess

from grading import marks
from grading.tree import ROOMS

ROOT = marks.ROOT

# Not for students: what tells solutions, what works on the full tree alone.
HIDDEN = ("labs/", "tests/mutants/", "tests/host/mutate", "scripts/mutants", "scripts/lab", "scripts/grade-all", "scripts/grading/marks.py", "scripts/grading/cutting.py",
          "scripts/kill-matrix", "tests/labs/", "tests/system/labs.t", "docs/kill-matrix.md", "docs/instructors.md", ".ci/")
MOVED = {"labs/missing.c": "kernel/lib/lab.c", "labs/missing.h": "kernel/lib/lab.h", "labs/record.h": "lab/record.h",
         "labs/family.h": "lab/family.h", "labs/probe.h": "lab/probe.h"}
# In pages: what stands between these lines is not for students either.
PAGE_HIDE, PAGE_SHOW = "<!-- not in a lab's tree -->", "<!-- in a lab's tree again -->"


def labs():
    """The names of the labs."""
    folder = os.path.join(ROOT, "labs")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name for name in names if os.path.exists(os.path.join(folder, name, "lab.py")))


def tracked():
    """The paths of this tree's files, those included that git has not been told of yet."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return sorted({path for path in listed.split("\0") if path and os.path.isfile(os.path.join(ROOT, path))})


def read(path):
    with open(os.path.join(ROOT, path), "rb") as file:
        return file.read()


def sources():
    """(path, text) of each file that may hold marks."""
    for path in tracked():
        if path.endswith((".c", ".h", ".asm")) and not path.startswith("labs/"):
            yield path, read(path).decode()


def page_for_students(text):
    shown, hidden = [], False
    for line in text.split("\n"):
        if line.strip() in (PAGE_HIDE, PAGE_SHOW):
            hidden = line.strip() == PAGE_HIDE
        elif not hidden:
            shown.append(line)
    return "\n".join(shown)


def place_of(path, lab):
    """Where a file of this tree stands in the lab's; None: nowhere."""
    if path in MOVED:
        return MOVED[path]
    if path == f"labs/{lab}/README.md":
        return "LAB.md"
    if path.startswith(f"labs/{lab}/kernel/"):      # part of the kernel's self-tests
        return "tests/kernel/lab-" + os.path.basename(path)
    if path.startswith(f"labs/{lab}/") and not path.startswith(f"labs/{lab}/holes/"):
        return "lab/" + path.removeprefix(f"labs/{lab}/")
    return None if path.startswith(HIDDEN) else path


def content_of(path, lab, solution):
    data = read(path)
    if path.endswith((".c", ".h")) and path.startswith(tuple(room + "/" for room in ROOMS)):
        return marks.cut(data.decode(), None if solution else lab).encode()
    if path.endswith(".md"):
        return page_for_students(data.decode()).encode()
    return data


def files(lab, solution=False):
    """{path: (bytes, may be executed)} of the tree of `lab`."""
    tree = {}
    for path in tracked():
        place = place_of(path, lab)
        if place:
            executable = bool(os.stat(os.path.join(ROOT, path)).st_mode & stat.S_IXUSR)
            tree[place] = (content_of(path, lab, solution), executable)
    return tree
