# SPDX-License-Identifier: MIT
"""The machine under gdb: reading its memory and its symbols, and saying so where it cannot be read.

All reading goes by kernel symbols, so it works wherever the machine has stopped: the kernel's half is mapped in every
address space, user mode included. Nothing here writes.
"""
import functools
import re
import struct

import gdb

from lz import layout


class Problem(gdb.GdbError):
    """Something that the person at the keyboard should know; gdb prints the text and no traceback."""


NOT_YET = "the kernel has not set up its memory yet; `continue` first, to the first page fault for example"


def value(expression):
    """A kernel expression as a gdb.Value, read at once."""
    try:
        result = gdb.parse_and_eval(expression)
        result.fetch_lazy()
        return result
    except gdb.MemoryError as error:
        raise Problem(NOT_YET) from error
    except gdb.error as error:
        raise Problem(f"{expression} is not to be had from the kernel's symbols ({error}); "
                      "is this the kernel that runs, and not stripped?") from error


def require_kernel():
    """Raises Problem unless the kernel is there and has made its frames."""
    if gdb.selected_inferior().pid == 0:
        raise Problem("nothing runs: start with `make debug`")
    if int(value("frame_array")) == 0:
        raise Problem(NOT_YET)


@functools.lru_cache(None)
def enum_names(name):
    """{number: name} of a C enum, without what the names have in common ("enum fault_kind": {0: "ZERO_READ", …})."""
    fields = gdb.lookup_type(f"enum {name}").fields()
    names = {}
    for field in fields:                # a mark in between (FAULT_RESOLVED_KINDS) has the value of the name behind it
        names[int(field.enumval)] = field.name
    prefix = fields[0].name.split("_")[0] + "_"
    return {number: text.removeprefix(prefix) for number, text in names.items()}


def words(address, count):
    """`count` 64-bit words of the machine's memory."""
    data = gdb.selected_inferior().read_memory(address, 8 * count)
    return struct.unpack(f"<{count}Q", data.tobytes())


def direct(pfn):
    """Where the direct map shows a frame."""
    return layout.DIRECT_MAP_START + (pfn << layout.PAGE_SHIFT)


def tail_queue(head, link):
    """The elements of a TAILQ, in order."""
    element = head["tqh_first"]
    while int(element):
        whole = element.dereference()
        whole.fetch_lazy()
        yield whole
        element = whole[link]["tqe_next"]


def text(pointer):
    """A C string; "" for NULL."""
    return pointer.string(errors="replace") if int(pointer) else ""


def array_text(array):
    """The string in a char array."""
    return array.string(errors="replace").split("\0")[0]


def evaluate(expression):
    """What a person typed where an address is wanted: any expression that gdb can work out."""
    try:
        result = gdb.parse_and_eval(expression)
        if result.type.strip_typedefs().code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY):
            result = result.address
        return int(result) & (1 << 64) - 1
    except gdb.error as error:
        raise Problem(f"{expression}: {error}") from error


def number(word, what):
    """What a person typed where a number (a PID, a count) is wanted."""
    if not re.fullmatch(r"\d+|0x[0-9a-f]+", word, re.I):
        raise Problem(f"{word}: not {what}")
    return int(word, 16 if "x" in word.lower() else 10)


def symbol(address):
    """" <name+offset>" for an address that has a name, or ""."""
    found = gdb.execute(f"info symbol {address:#x}", to_string=True).strip()
    if found.startswith("No symbol"):
        return ""
    name = found.split(" in section ")[0].replace(" + ", "+")
    return f" <{name}>"


def count(number, noun):
    """"1 frame", "2 frames"."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"
