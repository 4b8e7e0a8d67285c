# SPDX-License-Identifier: MIT
"""gdb's side of gdb-lz.t: what is run inside gdb, which prints `check pass|fail NAME` for the test to count.

The test gives the part to run in the environment: LZ_PART.
"""
import os
import re

import gdb

READING_KINDS = ("ZERO_READ", "FILE_READ", "FILE_MAP", "SEGV_MAPERR", "BUS")
PROGRAM_KINDS = ("ZERO_READ", "ZERO_UPGRADE", "ZERO_FILL", "COW_COPY", "COW_REUSE", "FILE_READ", "FILE_MAP", "STACK_GROW",
                 "SEGV_MAPERR", "SEGV_ACCERR", "BUS", "OOM")


def check(truth, name, explanation=""):
    print(f"check {'pass' if truth else 'fail'} {name}")
    if not truth:
        for line in str(explanation).splitlines():
            print(f"check note {line}")
    return truth


def say(command):
    """What a command prints, or its message where it refuses."""
    try:
        return gdb.execute(command, to_string=True)
    except gdb.error as error:
        return f"refused: {error}"


def contains(text, part, name):
    return check(part in text, name, f"not found: {part}\nin: {text}")


def matches(text, pattern, name):
    return check(re.search(pattern, text, re.M), name, f"not matched: {pattern}\nin: {text}")


def go():
    return say("continue")


def stop_in(function, name="kinds"):
    """Continue to a function of the user program. Breakpoints are by address, and the others have code there as well."""
    stop = gdb.Breakpoint(f"*{function}", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    stop.condition = f'$_streq($lz_name(), "{name}")'
    stop.silent = True
    go()
    stop.delete()
    return gdb.newest_frame().name() == function


def before_the_kernel():
    for command in ("ps", "vmas", "walk 0", "page 0", "frames", "commit", "faults", "why 0", "step-fault"):
        contains(say(f"lz {command}"), "the kernel has not set up its memory yet", f"before the kernel: lz {command} says so")
    for command in ("ps", "vmas", "walk", "page", "frames", "commit", "faults", "why", "break-fault", "step-fault", "user"):
        contains(say("lz help"), f"lz {command}", f"lz help lists {command}")
        contains(say(f"help lz {command}"), "Example:", f"help lz {command} has an example")
    contains(say("lz break-fault COW_COFFEE"), "no kind of fault. There are: ZERO_READ,", "a kind that does not exist is refused")
    contains(say("lz break-fault 0x2000-0x1000"), "write the lower address first", "and so is a range from high to low")


def one_kind(kind):
    """From the program's own function through the fault to the instruction again, with the prediction at each stage."""
    access = "read" if kind in READING_KINDS else "write"
    if not check(stop_in(f"touch_{kind}"), f"{kind}: the program is stopped in user mode, before it"):
        return
    address = int(gdb.parse_and_eval("$rdi"))
    before = say(f"lz why {address:#x} {access}")
    if kind == "OOM":
        contains(before, "write: ZERO_FILL", "OOM: as long as there is memory, it is predicted to do")
    else:
        contains(before, f"{access}: {kind}", f"{kind}: lz why predicts it from user mode")
    path = say(f"lz walk {address:#x}")
    contains(path, "level 4", f"{kind}: lz walk shows the path")
    say(f"lz break-fault {kind} {gdb.parse_and_eval('$lz_pid()')}")
    number = gdb.breakpoints()[-1].number
    go()
    contains(say("lz why"), f"{access}: {kind}", f"{kind}: and lz why at mm_fault()")
    if kind in ("SEGV_MAPERR", "SEGV_ACCERR", "BUS", "OOM"):
        contains(say("lz step-fault user"), "It did not end well", f"{kind}: the instruction does not run again")
        gdb.execute(f"delete {number}")
        return
    step = say("lz step-fault user")
    contains(step, f"{kind} (as `lz why` predicted)", f"{kind}: it happens")
    contains(step, f"faults.{kind}: ", f"{kind}: and is counted")
    contains(step, f"<touch_{kind}", f"{kind}: the instruction runs again")
    contains(say(f"lz why {address:#x} {access}"), f"{access}: no fault", f"{kind}: now the access passes")
    gdb.execute(f"delete {number}")
    if kind == "COW_COPY":
        copy_on_write(path, say(f"lz walk {address:#x}"), step, address)


def frame_at(walk, level):
    found = re.search(rf"level {level} \[ *\d+\] 0x\w+  .* in frame (0x\w+), (\d+) reference", walk)
    return found.groups() if found else (None, None)


def copy_on_write(before, after, step, address):
    """fork has shared the tables, so the write copies the path, and then the page."""
    check(frame_at(before, 4)[1] == "2", "COW_COPY: before, the table below the root has two references", before)
    matches(before, r"The path is shared from the level-3 table on; the level-4 entry refuses a write",
            "COW_COPY: lz walk says where it is shared")
    for level in (4, 3, 2, 1):
        check(frame_at(before, level)[0] != frame_at(after, level)[0], f"COW_COPY: the level-{level} entry has another frame",
              before + after)
        check(frame_at(after, level)[1] == "1", f"COW_COPY: with one reference (level {level})", after)
    matches(after, r"The path is its own; a write passes", "COW_COPY: the path is the child's own afterwards")
    matches(step, r"page tables copied since boot: \d+ → \d+", "COW_COPY: step-fault counts the copied tables")
    matches(step, r"level 1 \[ *\d+\] before: frame 0x\w+, present, (?:writable|read-only)", "COW_COPY: shows the entry before")
    matches(step, rf"after:  frame {frame_at(after, 1)[0]}, present, writable", "COW_COPY: and the entry after")
    page = say(f"lz page {address:#x}")
    matches(page, r"1 reference = 1 by entries \+ 0 by pins", "lz page accounts for the copy's reference")
    whole = say(f"lz page {address:#x} {int(gdb.parse_and_eval('$lz_pid()')) - 1}")
    matches(whole, r"1 reference = 1 by entries \+ 0 by pins", "and for the original's, which the parent has alone now")
    contains(say("lz ps"), "kinds", "lz ps names the program")
    contains(say("lz vmas"), "[stack]", "lz vmas names the stack")
    contains(say("lz vmas"), "/bin/kinds", "and the file")
    recent = say("lz faults 9")     # other processes may have had the CPU since
    check(recent.count("\n") == 9, "lz faults 9 shows nine", recent)
    matches(recent, rf"#\d+ pid {gdb.parse_and_eval('$lz_pid()')} write at {address:#x} .*: COW_COPY; 3 tables copied",
            "lz faults has this one among the last")
    matches(say("lz commit"), r"mode: +0, heuristic", "lz commit says the mode")
    matches(say("lz frames"), r"anonymous +[1-9]", "lz frames counts by kind")
    matches(say("print *frame_array"), r"frame 0x0: reserved", "a frame is printed in words")
    matches(say("print *('arch/x86_64/cpu.c'::boot_cpu.aspace->vmas.root)"), r"0x\w+-0x\w+ [rwxsp-]+ \w+.*, [\d,]+ page",
            "a VMA is printed in words")
    pte = f"*(pte_t *)(0xffff800000000000 + {frame_at(after, 2)[0]} * 4096 + 8 * ({address:#x} >> 12 & 511))"
    matches(say(f"print {pte}"), rf"frame {frame_at(after, 1)[0]}, present, writable", "and so is an entry")


def kinds():
    for kind in PROGRAM_KINDS:
        one_kind(kind)
    go()
    check(gdb.newest_frame().name() == "machine_end", "the end of the machine is a stop", gdb.newest_frame().name())
    contains(say("lz ps"), "init", "where lz still works")


def places():
    """What lz why says of addresses that have no good end, and the limits of a stack."""
    check(stop_in("main"), "the program is stopped in main()")
    contains(say("lz why 0 read"), "SEGV_MAPERR", "NULL")
    contains(say("lz why main write"), "it does not allow write", "the program's text")
    contains(say("lz why frame_array"), "is a kernel address", "a kernel address")
    contains(say("lz why 0x800000000000"), "general protection", "an address that is not canonical")
    contains(say("lz why $rsp-0x100000 write"), "STACK_GROW", "a stack grows within its limit")
    contains(say("lz why $rsp-0x900000 write"), "RLIMIT_STACK is 8,192 KiB", "and not beyond")
    contains(say("lz why $rsp write"), "no fault", "what is there causes no fault")
    contains(say("lz why 0 77"), "there is no process 77", "a process that does not exist")
    for command in ("vmas two", "walk 0 two", "why 0 two"):
        contains(say(f"lz {command}"), "refused: two: not a PID", f"lz {command}: not a PID")
    contains(say("lz walk 0x800000000000"), "is not canonical", "no tables lead to what is not canonical")
    contains(say("lz vmas 2"), "has no address space", "a kernel thread has no address space")
    contains(say("lz step-fault"), "no fault is being served", "step-fault outside of a fault")
    contains(say("lz faults"), "the trace has not been switched on", "lz faults without a trace")
    contains(say("lz user nonsense"), "no such file", "a program that does not exist")
    follow_programs()


def follow_programs():
    """Without a program named by hand, the symbols are those of the program that has the CPU."""
    say("lz user")
    contains(say("info files"), "tests/system/kinds", "lz user: the symbols of the program that runs")
    stop = gdb.Breakpoint("*mm_fault", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    stop.condition = '$_streq($lz_name(), "init")'
    go()
    stop.delete()
    text = say("info files")
    check("build/user/run" in text and "tests/system/kinds" not in text, "and of another when that gets the CPU: init is user/run",
          text)


def every_fault():
    """Each fault from boot to the end comes out as predicted."""
    say("lz break-fault")
    count, wrong = 0, []
    while True:
        go()
        if gdb.newest_frame().name() != "mm_fault":
            break
        first = say("lz step-fault").splitlines()[0]
        count += 1
        if "as `lz why` predicted" not in first:
            wrong.append(first)
    check(count > 20 and not wrong, "every fault from boot to the end comes out as predicted", f"{count}\n" + "\n".join(wrong))


def spurious():
    say("lz break-fault SPURIOUS")
    go()
    contains(say("lz why"), "write: SPURIOUS", "SPURIOUS: predicted at mm_fault()")
    contains(say("lz step-fault"), "SPURIOUS (as `lz why` predicted)", "SPURIOUS: it happens")


def panic():
    go()
    check(gdb.newest_frame().name() == "machine_end", "after a panic the machine is looked at")
    matches(say("lz frames"), r"frames of 4 KiB, [\d,]+ free", "lz frames after a panic")
    contains(say("lz ps"), "promised", "lz ps after a panic")
    contains(say("lz why 0"), "runs on the kernel's tables alone", "no address space: it is said")


def optimised():
    """The release build: the same answers, and what is optimised away is said so."""
    for kind in ("ZERO_READ", "COW_COPY"):
        one_kind(kind)
    say("lz break-fault")
    go()
    say("stepi 40")
    matches(say("lz why"), r"optimised away|: (?:read|write|exec) at 0x", "in the midst of the code: an answer, or the reason why not")


def main():
    gdb.execute("set pagination off")
    gdb.execute("set width 0")
    gdb.execute("disable 1")
    for part in os.environ["LZ_PART"].split():
        globals()[part]()


main()
