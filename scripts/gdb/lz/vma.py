# SPDX-License-Identifier: MIT
"""Promises (mm/vma.h): a range, its rights, its backing; and what backs it, a page cache (mm/pagecache.h)."""
from lz import frame, layout, target

DEPTH_MAX = 64      # of a path: a tree of directories deeper than this is broken


def path(inode):
    """The path of a file, from the names on the way up to the root."""
    root, names = int(target.value("fs_root")), []
    while int(inode) and int(inode) != root and len(names) < DEPTH_MAX:
        names.append(target.text(inode["name"]))
        inode = inode["parent"]
    return "/" + "/".join(reversed(names))


def inode_type():
    return target.value("fs_root").type


class Vma:
    """A copy of one, as it was when it was read."""

    def __init__(self, record):
        self.start, self.end = int(record["start"]), int(record["end"])
        self.prot, self.flags = int(record["prot"]), int(record["flags"])
        self.backing = target.text(record["ops"]["name"])
        self.cache = record["cache"]
        self.index = int(record["index"])

    def has(self, flag):
        """Is this flag of enum vma_flags set ("SHARED")?"""
        return any(self.flags & bit and name == flag for bit, name in target.enum_names("vma_flags").items())

    def flag_names(self):
        return [name for bit, name in target.enum_names("vma_flags").items() if self.flags & bit]

    def rights(self):
        letters = "".join(letter if self.prot & bit else "-" for letter, bit in (("r", 1), ("w", 2), ("x", 4)))
        return letters + ("s" if self.has("SHARED") else "p")

    def pages(self):
        return (self.end - self.start) >> layout.PAGE_SHIFT

    def allows(self, access):
        """Any right lets an x86 read."""
        needed = {"read": 7, "write": layout.PROT_WRITE, "exec": layout.PROT_EXEC}
        return bool(self.prot & needed[access])

    def index_of(self, address):
        return self.index + ((address - self.start) >> layout.PAGE_SHIFT) & (1 << 64) - 1

    def file(self):
        """The path of what is mapped; "" for private anonymous memory."""
        if not int(self.cache):
            return ""
        name = target.text(self.cache["name"])
        return name or path(self.cache["owner"].cast(inode_type()))

    def __str__(self):
        text = f"{self.start:#x}-{self.end:#x} {self.rights()} {self.backing}"
        flags = [name for name in self.flag_names() if name != "SHARED"]
        return text + (f" [{' '.join(flags)}]" if flags else "")


class Cache:
    """The pages of a file or of shared memory."""

    def __init__(self, pointer):
        self.record = pointer.dereference()
        self.record.fetch_lazy()
        self.size, self.backed = int(self.record["size"]), int(self.record["backed"])

    def holds(self, index):
        """Does a page with this index exist at all?"""
        return index < -(-self.size // layout.PAGE_SIZE)

    def find(self, index):
        """The Frame of the page if it is in memory now, or None."""
        height, node = int(self.record["height"]), self.record["root"]
        if not height or index >> layout.NODE_SHIFT * height:
            return None
        for below in range(height - 1, -1, -1):
            slot = index >> layout.NODE_SHIFT * below & (1 << layout.NODE_SHIFT) - 1
            address, = target.words(target.direct(frame.pfn_of(node)) + 8 * slot, 1)
            if not address:
                return None
            node = type(node)(address).cast(self.record["root"].type)
        return frame.at(frame.pfn_of(node))

    def refuses_new(self):
        """Why no page can be added, or ""."""
        quota = self.record["quota"]
        if int(quota) and int(quota["used"]) >= int(quota["limit"]):
            return "its file system is full"
        return ""


class Printer:
    """`print *vma`."""

    def __init__(self, record):
        self.vma = Vma(record)

    def to_string(self):
        name = self.vma.file()
        return f"{self.vma}, {target.count(self.vma.pages(), 'page')}" + (f" of {name}" if name else "")
