# SPDX-License-Identifier: MIT
"""What a dynamically linked program needs beside it: its dynamic linker, and the libraries that this one finds (ld.so(8))."""
import os
import re
import struct
import subprocess

SEGMENT_INTERP = 3
HEADER_SIZE, SEGMENT_SIZE = 64, 56      # of 64-bit ELF (elf(5))


class Missing(Exception):
    """The program cannot run on this machine either; the text says what it lacks."""


def linker_of(path):
    """The dynamic linker that an ELF file names in its PT_INTERP, or None: it names none, or is no ELF file."""
    with open(path, "rb") as file:
        header = file.read(HEADER_SIZE)
        if len(header) < HEADER_SIZE or header[:5] != b"\x7fELF\x02":
            return None
        table, = struct.unpack_from("<Q", header, 32)
        count, = struct.unpack_from("<H", header, 56)
        file.seek(table)
        segments = file.read(SEGMENT_SIZE * count)
        for at in range(0, len(segments) - SEGMENT_SIZE + 1, SEGMENT_SIZE):
            if struct.unpack_from("<I", segments, at)[0] == SEGMENT_INTERP:
                offset, = struct.unpack_from("<Q", segments, at + 8)
                size, = struct.unpack_from("<Q", segments, at + 32)
                file.seek(offset)
                return os.fsdecode(file.read(size).rstrip(b"\0"))
    return None


def libraries_of(path):
    """Host paths of the linker and the libraries of a program; they belong at the same places in the guest."""
    linker = linker_of(path)
    if not linker:
        return []
    if not os.path.exists(linker):
        raise Missing(f"{path}: its dynamic linker {linker} is not on this machine")
    command = [linker, "--list", os.path.abspath(path)]
    listed = subprocess.run(command, capture_output=True, text=True, errors="replace", env={}, check=False)
    if listed.returncode:
        reason = (listed.stderr or listed.stdout).strip().splitlines()
        raise Missing(f"{path}: {reason[-1] if reason else linker + ' cannot load it'}")
    if lost := re.search(r"^\s*(\S+) => not found", listed.stdout, re.M):
        raise Missing(f"{path}: the library {lost[1]} is not on this machine")
    return [linker, *re.findall(r"=> (/.*) \(0x", listed.stdout)]
