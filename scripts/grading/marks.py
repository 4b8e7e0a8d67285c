# SPDX-License-Identifier: MIT
"""The marks in the kernel's sources that delimit what a lab takes out, and the only code that reads them.

    /* lab cow: begin */
    the solution, whole lines of it
    /* lab cow: instead
     * // what stands in the student's tree: contract and body, each line behind " * "
     */

or, where that is more than a few lines, so that the living code stays readable:

    /* lab cow: instead entry_share.c */       labs/cow/holes/entry_share.c

The three parts are one hole. A hole may lie in another lab's solution, not in the same lab's. The comment's own
indentation is what the lines of `instead` get, so the block may stand anywhere in a function.
"""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

BEGIN = re.compile(r"[ \t]*/\* lab ([a-z]+): begin \*/")
INSTEAD = re.compile(r"([ \t]*)/\* lab ([a-z]+): instead(?: (\w+\.c))?(?: (\*/))?")
LINE = re.compile(r"[ \t]*\*(?: (.*))?")
END = re.compile(r"[ \t]*\*/")
ANY = re.compile(r"\blab [A-Za-z]+: *(?:begin|instead|end)\b")
MISSING = re.compile(r'lab_missing(?:_panic)?\("([^"]*)", "([^"]*)"\)')
FUNCTION = re.compile(r"^(?!return\b|else\b)[A-Za-z_][\w \t*]*?[ *](\w+)\([^;]*$")
USE = '#include "kernel/lib/lab.h"'


class BadMark(Exception):
    """A mark that is not well formed; the text has the line's number."""


class Hole:
    """One hole: the lab, where it begins, its solution (lines and holes of other labs) and what stands instead."""

    def __init__(self, lab, line):
        self.lab, self.line = lab, line
        self.solution, self.instead = [], []


def parse(text):
    """The file as a list of lines (str) and Holes. Raises BadMark."""
    top, stack = [], []
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        into = stack[-1].solution if stack else top
        if match := BEGIN.fullmatch(line):
            if any(hole.lab == match[1] for hole in stack):
                raise BadMark(f"{number}: a hole of {match[1]} in a hole of {match[1]}")
            hole = Hole(match[1], number)
            into.append(hole)
            stack.append(hole)
        elif match := INSTEAD.fullmatch(line):
            if not stack or stack[-1].lab != match[2]:
                raise BadMark(f"{number}: `instead` of {match[2]} without its `begin`")
            hole = stack.pop()
            if not hole.solution:
                raise BadMark(f"{number}: there is nothing to take out")
            if bool(match[3]) > bool(match[4]):
                raise BadMark(f"{number}: the name of a file, and then more")
            if match[3]:
                hole.instead = file_instead(match[2], match[3], number, match[1])
            elif not match[4]:
                hole.instead = read_instead(lines, number, match[1])
        elif ANY.search(line):
            raise BadMark(f"{number}: not the form of a mark: {line.strip()}")
        else:
            into.append(line)
    if stack:
        raise BadMark(f"{stack[-1].line}: `begin` of {stack[-1].lab} without `instead`")
    return top


def read_instead(lines, start, indent):
    """The lines up to the comment's end, as they shall stand in the student's tree."""
    found = []
    for number, line in lines:
        if END.fullmatch(line):
            return found
        match = LINE.fullmatch(line)
        if not match or ANY.search(line):
            raise BadMark(f"{number}: a line of `instead` begins with ` * `")
        found.append((indent + match[1]).rstrip() if match[1] else "")
    raise BadMark(f"{start}: `instead` has no end")


def file_instead(lab, name, number, indent):
    """The same from labs/LAB/holes/NAME."""
    try:
        with open(os.path.join(ROOT, "labs", lab, "holes", name)) as file:
            return [indent + line if line else "" for line in file.read().splitlines()]
    except OSError as error:
        raise BadMark(f"{number}: labs/{lab}/holes/{name}: {error.strerror}") from error


def holes(parts):
    """Every Hole in what parse() returned, nested ones included."""
    for part in parts:
        if isinstance(part, Hole):
            yield part
            yield from holes(part.solution)


def render(parts, lab=None):
    """The lines without any mark; the hole of `lab` is open (None: of no lab)."""
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part.lab == lab:
            yield from part.instead
        else:
            yield from render(part.solution, lab)


def cut(text, lab=None):
    """The file as it stands in the tree of `lab`; None: all solutions, no marks."""
    lines = list(render(parse(text), lab))
    if any(MISSING.search(line) for line in lines) and USE not in lines:
        lines.insert(include_place(lines), USE)
    return "\n".join(lines) + "\n"


def include_place(lines):
    """Where kernel/lib/lab.h belongs among the includes, which are sorted."""
    ours = [i for i, line in enumerate(lines) if line.startswith('#include "')]
    later = [i for i in ours[1:] if lines[i] > USE]
    return later[0] if later else ours[-1] + 1 if ours else 0


def functions(parts, lab):
    """The functions that the holes of `lab` are in or take out, in their order."""
    found, last = [], [None]

    def walk(items, inside):
        for item in items:
            if isinstance(item, str):
                match = FUNCTION.match(item)
                if match:
                    last[0] = match[1]
                if item.startswith("}"):
                    last[0] = None
                if inside and last[0] and last[0] not in found:
                    found.append(last[0])
            else:
                walk(item.solution, inside or item.lab == lab)
    walk(parts, False)
    return found
