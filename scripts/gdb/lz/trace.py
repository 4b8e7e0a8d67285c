# SPDX-License-Identifier: MIT
"""The trace's ring (mm/trace.h): the faults in it."""
import gdb

from lz import pte, target

RING = "'mm/trace.c'::ring"


def records():
    """The records that are there, oldest first, with their numbers. Raises Problem where the trace was never on."""
    ring = target.value(RING)
    if not int(ring["records"]):
        raise target.Problem("the trace has not been switched on: boot with trace=on (make debug APPEND=trace=on), or "
                             "`echo 1 >/proc/lazy/trace` in the guest")
    capacity, following = int(ring["capacity"]), int(ring["next"])
    first = max(int(ring["first"]), following - capacity)
    for number in range(following - 1, first - 1, -1):
        record = ring["records"][number % capacity]
        record.fetch_lazy()
        yield number, record


def last_faults(wanted):
    """The last `wanted` faults in lines, the oldest of them first."""
    event = next(number for number, name in target.enum_names("trace_event").items() if name == "FAULT")
    lines = []
    for number, record in records():
        if len(lines) == wanted:
            break
        if int(record["event"]) == event:
            lines.append(describe(number, record))
    return list(reversed(lines)) or ["no fault is in the ring"]


def describe(number, record):
    kind = target.enum_names("fault_kind")[int(record["kind"])]
    access = target.enum_names("fault_access")[int(record["access"]) & 3].lower()
    fault = record["fault"]
    leaf = [int(fault[when][0]["bits"]) for when in ("before", "after")]
    change = f"; {pte.words(leaf[0])} → {pte.words(leaf[1])}" if int(fault["levels"]) & 1 else ""
    copied = int(fault["tables_copied"])
    tables = f"; {target.count(copied, 'table')} copied" if copied else ""
    return (f"#{number} pid {int(record['pid'])} {access} at {int(fault['addr']):#x} by {int(fault['ip']):#x}: "
            f"{kind}{tables}{change}")
