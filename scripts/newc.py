#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write cpio archives in the "newc" format: the guest's initial files, and the medium a run boots from.

The same files always give the same bytes (no times, no owners, numbers in order): a run can be repeated exactly.

    scripts/newc.py ARCHIVE GUEST=HOST...    put the host's files (or directories) at these places in it
"""
import os
import stat
import sys

FIELDS = "070701" + "{:08x}" * 13       # the magic, then the thirteen numbers of cpio(5), "New ASCII Format"


class Archive:
    """An archive being put together. Directories on the way to a file come by themselves; the last to add it wins."""

    def __init__(self):
        self._entries = {}

    def add(self, path, data=b"", mode=stat.S_IFREG | 0o644):
        """One entry at guest `path` (from the root, slash or not); `mode` holds its type and permissions."""
        name = os.path.normpath(path.lstrip("/"))
        parent = os.path.dirname(name)
        if parent and parent not in self._entries:
            self.add_directory(parent)
        self._entries[name] = (mode, data)

    def add_directory(self, path, permissions=0o755):
        self.add(path, mode=stat.S_IFDIR | permissions)

    def add_host(self, path, host):
        """The host's file or directory (with all it holds) at guest `path`. Raises OSError."""
        status = os.stat(host)
        if stat.S_ISDIR(status.st_mode):
            self.add_directory(path, stat.S_IMODE(status.st_mode))
            for name in sorted(os.listdir(host)):
                self.add_host(os.path.join(path, name), os.path.join(host, name))
            return
        with open(host, "rb") as file:
            self.add(path, file.read(), stat.S_IFREG | stat.S_IMODE(status.st_mode))

    def to_bytes(self):
        out = bytearray()
        for number, (name, (mode, data)) in enumerate(self._entries.items(), start=1):
            _append_entry(out, number, name, mode, data)
        _append_entry(out, 0, "TRAILER!!!", 0, b"")
        return bytes(out)


def _append_entry(out, number, name, mode, data):
    encoded = os.fsencode(name) + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    out += FIELDS.format(number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), 0).encode()
    for part in (encoded, data):
        out += part
        out += bytes(-len(out) % 4)


def main(arguments):
    if len(arguments) < 2 or any("=" not in argument for argument in arguments[1:]):
        sys.exit(__doc__.strip().splitlines()[-1].strip())
    archive = Archive()
    try:
        for argument in arguments[1:]:
            guest, _, host = argument.partition("=")
            archive.add_host(guest, host)
    except OSError as error:
        sys.exit(f"newc.py: {error.filename}: {error.strerror}")
    with open(arguments[0], "wb") as file:
        file.write(archive.to_bytes())


if __name__ == "__main__":
    main(sys.argv[1:])
