# SPDX-License-Identifier: MIT
"""Symbols of user programs: those of the one that runs, or of the one that was asked for."""
import os
import struct

import gdb

from lz import process, target

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
FOLDERS = ("build/user", "build/tests/system", "build/tests/user")
ELF_DYN, SEGMENT_LOAD = 3, 1


def lowest_address(path):
    """(is it position-independent, the lowest address that the file asks for); raises Problem: no such program."""
    try:
        with open(path, "rb") as file:
            image = file.read(4096)
        kind, = struct.unpack_from("<H", image, 16)
        table, = struct.unpack_from("<Q", image, 32)
        size, number = struct.unpack_from("<HH", image, 54)
        headers = [struct.unpack_from("<IIQQ", image, table + size * i) for i in range(number)]
    except (OSError, struct.error) as error:
        raise target.Problem(f"{path}: not a program that gdb could read ({error})") from error
    if image[:4] != b"\x7fELF":
        raise target.Problem(f"{path}: not an ELF program")
    return kind == ELF_DYN, min(address for segment, _, _, address in headers if segment == SEGMENT_LOAD)


class Symbols:
    """What is loaded now. gdb has one such state, so there is one of these (symbols, below)."""

    def __init__(self):
        self._path, self._offset, self._asked = None, 0, False

    def load(self, path, asked):
        """Instead of what was loaded before."""
        independent, lowest = lowest_address(path)
        offset = 0
        if independent:
            running = process.current()
            aspace = running.aspace() if running else None
            if not aspace:
                raise target.Problem(f"{path} goes where the kernel puts it: load it when it runs")
            start = next(each.start for each in aspace.vmas() if each.file())
            offset = start - lowest
        if (path, offset) == (self._path, self._offset):
            return
        self.drop()
        gdb.execute(f"add-symbol-file {gdb_quoted(path)} -o {offset:#x}", to_string=True)
        self._path, self._offset, self._asked = path, offset, asked

    def drop(self):
        if self._path:
            for file in gdb.objfiles():
                if file.filename == self._path:
                    gdb.execute(f"remove-symbol-file {gdb_quoted(self._path)}", to_string=True)
        self._path, self._asked = None, False

    def follow(self, running):
        """This Process has the CPU: its program's symbols, unless a person has chosen others."""
        if self._asked:
            return
        path = file_of(running) if running else None
        if path:
            self.load(path, asked=False)
        else:
            self.drop()


symbols = Symbols()


def gdb_quoted(path):
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def find(name):
    """The file of a program that was built here, or None."""
    paths = (os.path.join(ROOT, folder, name) for folder in FOLDERS)
    return next((path for path in paths if name and os.path.isfile(path)), None)


def file_of(running):
    """The file that a process runs, among those built here: by its name, or as /init; the size must be the same."""
    exe = running.record["exe"]
    if not int(exe):
        return None
    names = ["init", "run"] if running.name == "init" else [running.name]
    return next((path for path in map(find, names) if path and os.path.getsize(path) == int(exe["size"])), None)


def load(word):
    """`lz user PROGRAM`: a path, or the name of one that is built here. Returns the path."""
    path = os.path.abspath(word) if os.path.isfile(word) else find(word)
    if not path:
        raise target.Problem(f"{word}: no such file, nor a program in {', '.join(FOLDERS)}")
    symbols.load(path, asked=True)
    return path


def on_stop(event):
    """At each stop: has another program got the CPU?"""
    try:
        target.require_kernel()
        running = process.current()
        symbols.follow(running)
    except (gdb.error, target.Problem):
        pass                            # too early, or the machine has gone: there is nothing to follow
