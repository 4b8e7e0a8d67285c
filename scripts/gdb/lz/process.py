# SPDX-License-Identifier: MIT
"""Processes (kernel/process.h) and their address spaces (mm/aspace.h)."""
import gdb

from lz import frame, layout, target, vma

STATES = {"RUNNABLE": "R", "SLEEPING": "S", "KILLABLE": "D", "UNINTERRUPTIBLE": "D", "STOPPED": "T", "ZOMBIE": "Z",
          "DEAD": "X"}


class Aspace:
    """An address space."""

    def __init__(self, pointer, owner="the kernel's hands"):
        self.pointer = pointer
        self.record = pointer.dereference()
        self.record.fetch_lazy()
        self.owner = owner
        self.root = frame.pfn_of(self.record["tree"]["root"])

    def number(self, field):
        return int(self.record[field])

    def vmas(self):
        for record in target.tail_queue(self.record["vmas"]["list"], "link"):
            yield vma.Vma(record)

    def pages(self):
        return int(self.record["vmas"]["pages"])

    def find_first(self, address):
        """(the VMA that holds the address or is the first above it, the one before that); None where there is none."""
        below = None
        for each in self.vmas():
            if address < each.end:
                return each, below
            below = each
        return None, below

    def find(self, address):
        found, _ = self.find_first(address)
        return found if found and address >= found.start else None

    def name_of(self, each):
        """What /proc/PID/maps shows behind a VMA."""
        if int(each.cache):
            return each.file()
        brk, brk_start = self.number("brk"), self.number("brk_start")
        if each.start <= brk and each.end >= brk_start and brk > brk_start:
            return "[heap]"
        return "[stack]" if each.start <= self.number("stack_start") < each.end else ""


class Process:
    def __init__(self, record):
        self.record = record
        self.address = int(record.address)
        self.pid, self.name = int(record["pid"]), target.array_text(record["name"])

    def __str__(self):
        return f"{self.pid} ({self.name})"

    def aspace(self):
        """Its Aspace, or None: a kernel thread, or one that has ended."""
        pointer = self.record["aspace"]
        return Aspace(pointer, str(self)) if int(pointer) else None

    def state(self):
        return STATES[target.enum_names("process_state")[int(self.record["state"])]]

    def parent(self):
        parent = self.record["parent"]
        return int(parent["pid"]) if int(parent) else 0


def cpu():
    """The struct cpu of the one CPU there is. GS does not tell: in user mode it is the program's."""
    return target.value("'arch/x86_64/cpu.c'::boot_cpu")


def current():
    """The Process that runs; None before there is one."""
    pointer = cpu()["process"]
    return Process(pointer.dereference()) if int(pointer) else None


def all_processes():
    for record in target.tail_queue(target.value("process_table"), "all"):
        yield Process(record)


def find(pid):
    for each in all_processes():
        if each.pid == pid:
            return each
    raise target.Problem(f"there is no process {pid} (`lz ps` lists them)")


def aspace_of(pid=None):
    """The address space of a process; of none in particular, the one that the CPU runs on."""
    if pid is not None:
        process = find(pid)
        aspace = process.aspace()
        if not aspace:
            raise target.Problem(f"process {process} has no address space: it is the kernel's own, or has ended")
        return aspace
    pointer, process = cpu()["aspace"], current()
    if not int(pointer):
        raise target.Problem("the CPU runs on the kernel's tables alone; name a process (`lz ps` lists them)")
    return Aspace(pointer, str(process)) if process else Aspace(pointer)


def all_aspaces():
    """[(Aspace, [the processes that run in it])] of the whole machine, those in nobody's table included."""
    owners = {}
    for process in all_processes():
        owners.setdefault(int(process.record["aspace"]), []).append(process)
    pointer, found = target.value("aspace_list")["lh_first"], []
    while int(pointer):
        users = owners.get(int(pointer), [])
        found.append((Aspace(pointer, " and ".join(map(str, users)) or "nobody"), users))
        pointer = pointer["all"]["le_next"]
    return found


def in_user_mode():
    return int(gdb.selected_frame().read_register("cs")) & 3 == 3


def kib(pages):
    return pages * layout.PAGE_SIZE >> 10
