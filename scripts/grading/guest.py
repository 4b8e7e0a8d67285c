# SPDX-License-Identifier: MIT
"""The machine under a test, seen from outside: records, registers, page tables, frames, and every exception.

The program under test is init, so nothing else runs. It stands still at lab_stop() (labs/record.h), where its record is
read from its memory and checked: sequence number, MAC. A test in the kernel (`selftest=`) does the same; it has no key that the
kernel could not know, so what counts is the state in which the machine is found. The log of QEMU (`-d int`) holds every exception with vector, error
code, CPL, CR2 and CR3, from the kernel's first instruction on: faults are counted from that, not by the kernel.

Limits are in the guest's own time (ticks of its timer, under -icount). A CPU with interrupts off has no ticks: it is found by
the CPU time that QEMU takes, and a machine that does not move at all by the host's clock.
"""
import collections
import dataclasses
import os
import re
import secrets
import struct
import tempfile
import threading

import gdb_remote
import newc
import qemu
from grading import verdict
from grading.verdict import Verdict

PAGE, MASK = 4096, 0x000ffffffffff000
PRESENT, WRITE, USER, NO_EXEC = 1, 2, 4, 1 << 63
RDI = 5
VALUES = 6
RECORD = struct.Struct(f"<QQ16s{VALUES}QQ")
GIVEN = struct.Struct("<QQQ")
BITS = (1 << 64) - 1
LIVELOCK_FAULTS = 300       # the same instruction, the same address, nothing else in between
WATCH_INTERVAL = 0.1        # host seconds between looks at the log: how soon, not whether, something is found
PATIENCE = max(1.0, float(os.environ.get("PATIENCE") or 1))    # a slow host: all that follows is so much longer
SILENT_CPU_SECONDS = 4.0 * PATIENCE    # of work by QEMU without one exception or tick: 100 times what a tick of the timer takes
WORK_CPU_SECONDS = 20.0 * PATIENCE     # of work by QEMU in all: 20 times what the longest test takes
HOST_SECONDS = 120 * PATIENCE          # the last resort: a machine that does not move at all
NO_MEMORY = "System is deadlocked on memory"    # the last words of the killer that finds nobody
ENTRY = "boot_start"        # the kernel's first function: before it there are only firmware and boot loader


# ---------------------------------------------------------------- what program and grader agree on

def mac(words, key0, key1):
    """SipHash-2-4, as lab_mac() in labs/record.h."""
    v = [key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261, key1 ^ 0x7465646279746573]

    def rotate(x, by):
        return (x << by | x >> (64 - by)) & BITS

    def mix():
        v[0] = (v[0] + v[1]) & BITS
        v[1] = rotate(v[1], 13) ^ v[0]
        v[0] = rotate(v[0], 32)
        v[2] = (v[2] + v[3]) & BITS
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & BITS
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & BITS
        v[1] = rotate(v[1], 17) ^ v[2]
        v[2] = rotate(v[2], 32)

    for word in [*words, len(words) * 8 << 56 & BITS]:
        v[3] ^= word
        mix()
        mix()
        v[0] ^= word
    v[2] ^= 0xff
    for _ in range(4):
        mix()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def number(seed, key, low, high):
    """lab_number() of labs/record.h."""
    x = (seed + key * 0x9e3779b97f4a7c15) & BITS
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & BITS
    x = (x ^ x >> 27) * 0x94d049bb133111eb & BITS
    x ^= x >> 31
    return low + x % (high - low + 1)


def symbols(image):
    """{name: (address, place in the file)} of an ELF file's symbol table."""
    sections_at, = struct.unpack_from("<Q", image, 40)
    size, count = struct.unpack_from("<HH", image, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, sections_at + size * i) for i in range(count)]
    found = {}
    for section in sections:
        if section[1] != 2:             # SHT_SYMTAB
            continue
        _, _, _, _, at, length, link, _, _, entry = section
        names = sections[link][4]
        for place in range(at, at + length, entry):
            name_at, _, _, index, value, _ = struct.unpack_from("<IBBHQQ", image, place)
            end = image.index(b"\0", names + name_at)
            name = image[names + name_at:end].decode(errors="replace")
            if name and 0 < index < count:
                home = sections[index]
                found[name] = (value, home[4] + value - home[3])
    return found


# ---------------------------------------------------------------- what is seen

@dataclasses.dataclass(frozen=True)
class Entry:
    """A page-table entry: where it stands, and its bits."""
    table: int              # physical address of the table
    bits: int

    @property
    def present(self):
        return bool(self.bits & PRESENT)

    @property
    def writable(self):
        return self.present and bool(self.bits & WRITE)

    @property
    def frame(self):
        """Physical address of the frame; None: not present."""
        return self.bits & MASK if self.present else None


Fault = collections.namedtuple("Fault", "address write present user fetch level rip root")
Record = collections.namedtuple("Record", "stream number name values root at")      # at: place in the log of exceptions

EXCEPTION = re.compile(rb"^ *\d+: v=([0-9a-f]{2}) e=([0-9a-f]{4}) i=(\d) cpl=(\d) IP=[0-9a-f]{4}:([0-9a-f]+)"
                       rb"(?:.*? CR2=([0-9a-f]+))?")
REGISTERS = re.compile(rb"^CR0=[0-9a-f]+ CR2=([0-9a-f]+) CR3=([0-9a-f]+)")
VECTOR_PAGE_FAULT = 14
FIRST_INTERRUPT = 32


def exceptions(data):
    """(vector, error, level, rip, cr2, cr3) for each exception and interrupt in a piece of QEMU's log."""
    head = None
    for line in data.splitlines():
        if match := EXCEPTION.match(line):
            if head:
                yield (*head, None)
            vector, error, software, level, rip, cr2 = match.groups()
            head = int(vector, 16), int(error, 16), int(level), int(rip, 16), int(cr2 or b"0", 16)
            if int(software):
                head = None
        elif head and (match := REGISTERS.match(line)):
            yield (*head, int(match[2], 16))
            head = None


def cpu_seconds(pid):
    """The CPU time that a process has taken; how busy the host is does not enter into it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch(threading.Thread):
    """Reads the log as it grows: is there a livelock, has the time run out, does nothing come any more? Stops the machine then."""

    def __init__(self, path, ticks, machine):
        super().__init__(daemon=True)
        self._path, self._limit, self._machine = path, ticks, machine
        self.reason, self.triple = None, False
        self._same, self._last, self._ticks, self._idle = 0, None, 0, 0
        self._began = self._silent_since = 0.0      # CPU seconds
        self.done = threading.Event()

    def run(self):
        with open(self._path, "rb") as file:
            rest = b""
            while not self.reason:
                ended = self.done.wait(WATCH_INTERVAL)
                data = file.read()
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._line(line)
                    if self.reason:
                        break
                if ended:
                    return
                self._silence(bool(data))
            try:
                self._machine.interrupt()
            except OSError:             # it has ended by itself meanwhile
                pass

    def _silence(self, is_heard):
        now = cpu_seconds(self._machine.pid)
        self._began = self._began or now
        if is_heard or not self._silent_since:
            self._silent_since = now
        if now - self._began > WORK_CPU_SECONDS and not self.reason:
            self.reason = Verdict(verdict.HANG, "the test comes to its end", "the CPU is at work, and nothing comes of it")
        elif now - self._silent_since > SILENT_CPU_SECONDS and not self.reason:
            self.reason = Verdict(verdict.HANG, "the test comes to its end",
                                  "the CPU is at work with interrupts off, and nothing comes of it")

    def _line(self, line):
        if b"Triple fault" in line:
            self.triple = True
        match = EXCEPTION.match(line)
        if not match:
            return
        vector, level = int(match[1], 16), int(match[4])
        if vector >= FIRST_INTERRUPT:
            self._tick(level)
        elif vector == VECTOR_PAGE_FAULT:
            self._fault((int(match[5], 16), int(match[6] or b"0", 16), int(match[2], 16)))

    def _fault(self, fault):
        self._same = self._same + 1 if fault == self._last else 0
        self._last, self._idle = fault, 0
        if self._same >= LIVELOCK_FAULTS:
            rip, address, error = fault
            self.reason = Verdict(
                verdict.LIVELOCK, "a fault that has been served lets its instruction go on",
                f"the instruction at {rip:#x} faults at {address:#x} again and again ({error_words(error)})",
                f"lz break-fault {address & -PAGE:#x}-{(address & -PAGE) + PAGE:#x}")

    def _tick(self, level):
        self._ticks += 1
        self._idle = self._idle + 1 if level == 0 else 0
        if self._ticks < self._limit or self.reason:
            return
        if self._idle > self._limit // 2:
            self.reason = Verdict(verdict.HANG, "the test comes to its end",
                                  f"for {self._idle} ticks of the timer nothing has happened but the timer")
        else:
            self.reason = Verdict(verdict.BUDGET, f"the test is over within {self._limit} ticks of the guest's timer",
                                  "it is still at work")


def error_words(error):
    """A page fault's error code (SDM 3, 4.7)."""
    access = "fetch" if error & 16 else "write" if error & 2 else "read"
    return f"{access}, {'user' if error & 4 else 'kernel'}, {'a present' if error & 1 else 'no'} page"


class Guest:
    """A machine with one test program in it, or with a test in the kernel (the name of its suite). Use as a context; next()
    goes from record to record."""

    def __init__(self, kernel, iso, program, seed, memory, parameters, ticks, selftest=""):
        # Always 19 digits: a longer one on the command line would cost the kernel instructions, and no two runs were the same.
        self._key, self.seed = (10 ** 18 + secrets.randbelow(3 * 10 ** 18) | 1, secrets.randbits(64)), seed
        with open(kernel + ".elf", "rb") as file:
            self.kernel_symbols = {name: place[0] for name, place in symbols(file.read()).items()}
        if ENTRY not in self.kernel_symbols:
            raise Verdict(verdict.HARNESS, f"the kernel begins in {ENTRY}() (boot/start.c)", "it has no such function")
        self._next, self._tables, self.log = {}, {}, ""
        self._log = tempfile.NamedTemporaryFile(prefix="lab-", suffix=".log")
        archive = newc.Archive()
        for room in "dev", "proc", "tmp":
            archive.add_directory(room)
        words = ["stdio=stream", "stdin=none", "log=ttyS1", "stderr=ttyS2", "report=ttyS3", *parameters]
        if selftest:
            self._level = 0
            self._stop = self.kernel_symbols.get("lab_stop")
            words += [f"selftest={selftest}", f"lab_seed={seed}", f"lab_nonce={self._key[0]}"]
        else:
            self._level = 3
            image, self._stop = self._given(program)
            archive.add("init", image, 0o100755)
            words.insert(0, "init=/init")
        boot = qemu.run_medium(kernel, words, archive.to_bytes(), iso=iso)
        boot.arguments += ["-D", self._log.name]
        self.machine = gdb_remote.Stopped(qemu.Machine(memory=memory, icount=True), boot, timeout=HOST_SECONDS,
                                          kernel=kernel + ".elf", has_input=False)
        self._watch, self._symbols = Watch(self._log.name, ticks, self.machine), qemu.Symbols(kernel + ".elf")

    def _given(self, program):
        """The program with key and seed in it; where it stops."""
        with open(program, "rb") as file:
            image = bytearray(file.read())
        places = symbols(image)
        GIVEN.pack_into(image, places["lab_given"][1], *self._key, self.seed)
        return bytes(image), places["lab_stop"][0]

    def __enter__(self):
        self.machine.__enter__()
        try:
            self.machine.run_to(self.kernel_symbols[ENTRY], level=0)
            self.machine.monitor("log int,cpu_reset")
        except gdb_remote.Ended as ended:
            self.machine.__exit__()
            raise Verdict(verdict.HARNESS, "the boot loader starts the kernel", str(ended)) from ended
        self._watch.start()
        return self

    def __exit__(self, *_):
        self._watch.done.set()
        self.machine.__exit__()
        self._watch.join()
        if self.machine.outcome:
            self.log = self.machine.outcome.log.decode(errors="replace")
        self._log.close()

    # ---- motion

    def _go(self):
        self._tables = {}
        self.machine.run_to(self._stop, level=self._level)

    def next(self, name, stream=0, lost=verdict.WRONG):
        """On to the next record, which must be this one. `lost`: what it means if the program gives up before, or would have
        to be killed for its memory, which the kernel cannot do to the only process of all."""
        try:
            self._go()
        except gdb_remote.Ended:
            found = self._end_verdict(f"the record `{name}` of process {stream}")
            if found.kind == verdict.PANIC and found.seen == NO_MEMORY and lost != verdict.WRONG:
                found = Verdict(lost, found.expected, found.seen, found.gdb)
            raise found from None
        words, _ = self.machine.registers()
        record = self._record(self.machine.memory(words[RDI], RECORD.size))
        if record.name == "lost" and name != "lost":
            raise Verdict(lost, f"the program comes to its record `{name}`",
                          f"it gave up at step {record.values[0]}: a system call that it stands on failed, or data was lost")
        if (record.name, record.stream) != (name, stream):
            raise Verdict(verdict.WRONG, f"next, the record `{name}` of process {stream}",
                          f"the record `{record.name}` of process {record.stream}")
        return record

    def stop_in(self, function):
        """On to the next call of a function of the kernel's, of those that the lab does not take out. It stands at its first
        instruction; a record that the program makes before is lost."""
        if function not in self.kernel_symbols:
            raise Verdict(verdict.WRONG, f"the kernel has its function {function}()", "it has none")
        self._tables = {}
        try:
            self.machine.run_to(self.kernel_symbols[function], level=0)
        except gdb_remote.Ended:
            raise self._end_verdict(f"the kernel calls {function}()") from None

    def end(self, status=0):
        """On to the end of the machine, in order, the program having exited with `status`."""
        try:
            self._go()
        except gdb_remote.Ended:
            outcome = self.machine.wait_outcome()
            if outcome and not self._watch.reason and (outcome.kind == "exit" and outcome.status == status or
                                                       outcome.kind == "power-off" and self._level == 0):
                return
            raise self._end_verdict(f"the program ends with status {status}") from None
        raise Verdict(verdict.WRONG, "the end of the program", "one record more")

    def panics(self, wanted):
        """On to the kernel's panic, with no record before it."""
        try:
            self._go()
        except gdb_remote.Ended:
            outcome = self.machine.wait_outcome()
            if outcome and outcome.kind == "panic" and not self._watch.reason:
                return
            raise self._end_verdict(wanted) from None
        raise Verdict(verdict.WRONG, wanted, "it goes on")

    def _record(self, data):
        if not data or len(data) != RECORD.size:
            raise Verdict(verdict.WRONG, "a record in the program's memory", "nothing is mapped there")
        stream, index, name, *values, signature = RECORD.unpack(data)
        words = struct.unpack(f"<{RECORD.size // 8 - 1}Q", data[:-8])
        if signature != (mac(words, *self._key) if self._level else self._key[0]):
            raise Verdict(verdict.WRONG, "a record that the program has signed", "the signature is wrong: its memory, or the "
                          "program's own code, is not what it was")
        if index != self._next.get(stream, 0):
            raise Verdict(verdict.WRONG, f"record {self._next.get(stream, 0)} of process {stream}",
                          f"record {index}: one was lost or came twice")
        self._next[stream] = index + 1
        return Record(stream, index, name.rstrip(b"\0").decode(errors="replace"), values, self._root(),
                      os.path.getsize(self._log.name))

    def _where(self):
        """Where the machine stands that the watch has stopped: words, and the function if it is the kernel's."""
        words, cs = self.machine.registers()
        if cs & 3:
            return f"in the program at {words[gdb_remote.RIP]:#x}", ""
        place = self._symbols.name(words[gdb_remote.RIP])
        return f"in the kernel at {place}", place.partition("+")[0]

    def _watched_verdict(self):
        """The watch has stopped the machine."""
        reason = self._watch.reason
        try:
            place, function = self._where()
        except gdb_remote.Ended:
            place, function = "", ""
        self.machine.kill()
        if reason.kind != verdict.LIVELOCK:
            reason.seen += f"; it stands {place}" if place else ""
            reason.gdb = "Ctrl-C, then bt"
            if function == "sched_idle":        # everybody waits
                reason.gdb = "Ctrl-C, then lz ps"
            elif function and not function.startswith("0x"):
                reason.gdb = f"hbreak {function}"
        return reason

    def _end_verdict(self, wanted):
        """The machine is gone or has been stopped, and should not be."""
        if self._watch.reason:
            return self._watched_verdict()
        outcome = self.machine.wait_outcome()
        self._watch.done.set()
        self._watch.join()
        if outcome is None:
            return Verdict(verdict.HARNESS, wanted, "QEMU has gone without a word")
        inside = re.search(r"the kernel at (\w+)\+", outcome.text)
        stop = f"hbreak {inside[1]}" if inside else "hbreak machine_end"
        if outcome.kind == "triple-fault" or self._watch.triple:
            return Verdict(verdict.TRIPLE, wanted, outcome.text, stop)
        if outcome.kind == "panic":
            return Verdict(verdict.PANIC, wanted, outcome.text, "hbreak panic")
        if outcome.kind == "hang":
            return Verdict(verdict.HANG, wanted, outcome.text, stop)
        if outcome.kind == "exit":
            killed = f": killed by signal {outcome.status - 128}" if outcome.status > 128 else ""
            return Verdict(verdict.WRONG, wanted, f"the program ended with status {outcome.status}{killed}")
        if outcome.kind == "selftest-failed":
            return Verdict(verdict.WRONG, wanted, "the test in the kernel fails: its words are in the log (--verbose)")
        if outcome.kind == "power-off":
            return Verdict(verdict.WRONG, wanted, "the machine was switched off")
        return Verdict(verdict.HARNESS, wanted, f"{outcome.kind}: {outcome.text}")

    # ---- looking

    def _root(self):
        text = self.machine.monitor("info registers")
        return int(re.search(r"CR3=([0-9a-f]+)", text)[1], 16) & MASK

    def physical(self, address, length):
        """Bytes of RAM, whatever the page tables say."""
        return self.machine.physical(address, length)

    def virtual(self, address, length):
        """Bytes at an address as the kernel sees it; None: nothing is mapped there."""
        data = b""
        while len(data) < length:
            piece = self.machine.memory(address + len(data), min(length - len(data), 1024))
            if piece is None:
                return None
            data += piece
        return data

    def kernel_number(self, name):
        """What a variable of the kernel holds, 8 bytes."""
        return struct.unpack("<Q", self.virtual(self.kernel_symbols[name], 8))[0]

    def _table(self, address):
        if address not in self._tables:
            self._tables[address] = struct.unpack("<512Q", self.physical(address, PAGE))
        return self._tables[address]

    def walk(self, root, address):
        """The Entries on the way to an address, from the root table down, up to the first that is not present."""
        steps, table = [], root
        for shift in (39, 30, 21, 12):
            bits = self._table(table)[address >> shift & 511]
            steps.append(Entry(table, bits))
            if not bits & PRESENT:
                break
            table = bits & MASK
        return steps

    def leaf(self, root, address):
        """The leaf entry, with the rights that are left on the way to it; not present where a table is missing."""
        steps = self.walk(root, address)
        if len(steps) < 4 or not steps[3].present:
            return Entry(0, 0)
        bits = steps[3].bits
        if not all(step.bits & WRITE for step in steps):
            bits &= ~WRITE
        return Entry(steps[3].table, bits)

    def leaves(self, root, start, pages):
        return [self.leaf(root, start + i * PAGE) for i in range(pages)]

    def page(self, root, address):
        """The contents of the page that is mapped there; None: none is."""
        frame = self.leaf(root, address).frame
        return None if frame is None else self.physical(frame, PAGE)

    def tables(self, root):
        """The physical addresses of the tables of the user half, the root included."""
        found = {root}
        below = [(root, 4)]
        while below:
            table, level = below.pop()
            for bits in self._table(table)[:256 if level == 4 else 512]:
                if level > 1 and bits & PRESENT and bits & MASK not in found:
                    found.add(bits & MASK)
                    below.append((bits & MASK, level - 1))
        return found

    def faults(self, since, until=None, start=0, end=1 << 47, root=None):
        """The page faults at addresses in [start, end) between two records, in order; of one address space if `root`."""
        with open(self._log.name, "rb") as file:
            file.seek(since.at)
            data = file.read(until.at - since.at) if until else file.read()
        return [Fault(cr2, bool(error & 2), bool(error & 1), bool(error & 4), bool(error & 16), level, rip, cr3)
                for vector, error, level, rip, cr2, cr3 in exceptions(data)
                if vector == VECTOR_PAGE_FAULT and start <= cr2 < end and root in (None, cr3 & MASK if cr3 else None)]
