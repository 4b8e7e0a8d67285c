# SPDX-License-Identifier: MIT
"""Page-table entries (arch/x86_64/pte.h) in words, and the walk through the tables to one of them."""
import dataclasses

from lz import frame, layout, target


def is_present(bits):
    return bool(bits & layout.PTE_PRESENT)


def is_writable(bits):
    return bool(bits & layout.PTE_WRITE)


def pfn(bits):
    return (bits & layout.PTE_FRAME_MASK) >> layout.PAGE_SHIFT


def allows(bits, access):
    """Does this entry, taken alone, allow the access?"""
    if not is_present(bits):
        return False
    if access == "write":
        return is_writable(bits)
    return access == "read" or not bits & layout.PTE_NO_EXEC


def index(address, level):
    return address >> layout.PAGE_SHIFT + 9 * (level - 1) & layout.PTE_ENTRIES - 1


def rights(bits):
    """The bits in words, but for the frame."""
    if bits & layout.PTE_HOLDS_FRAME and not is_present(bits):
        return "not present, keeps its frame (PROT_NONE)"
    names = ["present" if is_present(bits) else "not present", "writable" if is_writable(bits) else "read-only"]
    names += [word for bit, word in (
        (layout.PTE_NO_EXEC, "no execute"), (layout.PTE_ACCESSED, "accessed"), (layout.PTE_DIRTY, "dirty"),
        (layout.PTE_GLOBAL, "global"), (layout.PTE_LAZY_FREE, "given up (MADV_FREE)")) if bits & bit]
    if not bits & layout.PTE_USER:
        names.append("kernel only")
    return ", ".join(names)


def words(bits):
    """An entry in words."""
    return f"frame {pfn(bits):#x}, {rights(bits)}" if bits else "none"


@dataclasses.dataclass(frozen=True)
class Step:
    """One level of a walk: the table, and its entry for the address."""
    level: int
    table: frame.Frame
    index: int
    bits: int
    below: frame.Frame      # what the entry points at; None: nothing, or no frame of ours
    is_page: bool
    is_beneath: bool        # a table higher up is shared, and so is all below it

    def __str__(self):
        head = f"  level {self.level} [{self.index:3}]"
        if not self.bits:
            return f"{head} none"
        if self.below is None:
            return f"{head} {self.bits:#018x}  {words(self.bits)}"
        what = frame.KIND_WORDS[self.below.kind] if self.is_page else "table"
        return (f"{head} {self.bits:#018x}  {what} in frame {self.below.pfn:#x}, {holders(self.below, self.is_beneath)}; "
                f"{rights(self.bits)}")


def holders(what, is_beneath=False):
    """A frame's reference count, and what it means for a writer."""
    references = target.count(what.refs, "reference")
    if what.kind == "ZERO":
        return f"{references}, everybody's"
    if what.kind in ("FILE", "SHM"):
        return f"{references}, one of them the cache's"
    if what.refs > 1:
        return f"{references}: shared"
    return f"{references}, but below a shared table" if is_beneath else f"{references}: own"


def walk(root, address):
    """The Steps from the root table (a frame number) down, as far as there are entries."""
    if address >> 47 not in (0, (1 << 17) - 1):
        raise target.Problem(f"{address:#x} is not canonical: bits 47 to 63 differ, and no table is asked for it")
    steps, table = [], root
    for level in range(layout.PTE_LEVELS, 0, -1):
        position = index(address, level)
        bits, = target.words(target.direct(table) + 8 * position, 1)
        is_page = level == 1 or bool(bits & layout.PTE_LARGE)
        below = frame.at(pfn(bits)) if bits else None
        steps.append(Step(level, frame.at(table), position, bits, below, is_page, shared_level(steps) > 0))
        if not bits or is_page:
            break
        table = pfn(bits)
    return steps


def leaf(steps):
    """The leaf entry's bits; 0 where a table on the way is missing."""
    return steps[-1].bits if steps[-1].is_page else 0


def shared_level(steps):
    """The level of the highest table below the root that more than one entry points at; 0: the path is ours alone."""
    return next((step.level - 1 for step in steps if not step.is_page and step.below and step.below.refs > 1), 0)


def refusing_level(steps, access):
    """The highest level whose entry refuses the access; 0: the CPU would let it pass."""
    return next((step.level for step in steps if not allows(step.bits, access)), 0)


def leaf_tables(root, level=layout.PTE_LEVELS, start=0):
    """(address, frame number) of each leaf table of the user half below a table."""
    size = layout.PTE_USER_ENTRIES if level == layout.PTE_LEVELS else layout.PTE_ENTRIES
    for i, bits in enumerate(target.words(target.direct(root), size)):
        if not bits:
            continue
        address = start + (i << layout.PAGE_SHIFT + 9 * (level - 1))
        if level == 2:
            yield address, pfn(bits)
        else:
            yield from leaf_tables(pfn(bits), level - 1, address)


def resident(root):
    """RSS in pages: the sum of the leaf tables' records, as the kernel has it."""
    return sum(sum(frame.at(table).resident) for _, table in leaf_tables(root))


class Printer:
    """`print *slot`."""

    def __init__(self, entry):
        self.bits = int(entry["bits"])

    def to_string(self):
        return f"{self.bits:#018x}: {words(self.bits)}" if self.bits else "none"
