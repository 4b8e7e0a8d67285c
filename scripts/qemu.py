#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The only place that knows QEMU's command line.

A guest is made of a `Machine` (memory, CPU, accelerator), of arguments that say what boots in it
(`run_medium`, `iso_medium`, `linux_medium`), and of four serial ports, each a socket to QEMU:

    console   ttyS0, both ways: the program's standard input and output
    log       ttyS1, the kernel's log
    errors    ttyS2, the program's standard error
    trace     (if wanted) the debug port at 0xe9: the records of mm/trace.h
    report    ttyS3, for machines: lines `stat NAME VALUE`, `exit STATUS`, `panic TEXT`, `selftest pass|fail N M`

`Guest.run` relays them and tells how it ended, as an `Outcome`: in order, panic, failed self-tests, triple
fault, hang, time-out, QEMU killed or not started. It never guesses from output alone: the isa-debug-exit device
gives QEMU's exit status, QMP tells a reset from a power-off, and the registers that QMP shows tell a CPU that
has nothing left to do (hang) from one that is still at work (time-out).

    scripts/qemu.py probe                     what accelerator runs are given, and why
    scripts/qemu.py iso ISO                   boot an ISO with its console on this terminal
    scripts/qemu.py debug [OPTION...] KERNEL ISO [GDB ARGUMENT...]
                                              the same, halted, with gdb on this terminal; options: class DebugOptions
    scripts/qemu.py console                   this terminal on the console of the guest under gdb
"""
import base64
import bisect
import collections
import contextlib
import dataclasses
import fcntl
import functools
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty

import libraries
import newc

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
OVMF = "/usr/share/ovmf/OVMF.fd"

# What QEMU exits with when the kernel writes V to isa-debug-exit: 2 V + 1.
STATUS_POWER_OFF, STATUS_PANIC, STATUS_SELFTEST_FAILED, STATUS_PROBE = 33, 65, 97, 85

DLE, EOT, STX = b"\x10", b"\x04", b"\x02"   # the console's escape, end of input, "the program starts now"
READ_SIZE = 65536
PIPE_SIZE = 1 << 20                         # what a guest may be ahead of its readers
BACKLOG_LIMIT = 1 << 20                     # do not listen to the guest while this much waits for a reader
LOG_TAIL = 65536
MEDIUM_MINIMUM = 1 << 20                    # SeaBIOS gives a disk smaller than a cylinder no geometry
SAMPLES, SAMPLE_INTERVAL = 10, 0.05         # registers looked at to tell a hang from a time-out
TRACE_BUFFER, TRACE_INTERVAL = 1 << 28, 0.2 # bytes that may wait; seconds between looks at them
DEAD_CHECK_INTERVAL = 1.0                   # seconds between looks for a dead CPU, while the guest is silent


class CannotRun(Exception):
    """Nothing was booted; the text says why."""


# ---------------------------------------------------------------- what the host can do

def build(*targets):
    """Bring these make targets up to date, silently if all goes well. Raises CannotRun."""
    done = os.environ.get("LAZYBONES_BUILT")    # the tree in which `make test` has built all there is: we run side by side
    if done and os.path.samefile(done, ROOT):
        return
    # A make above this one must not hand down its flags.
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS"))}
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make = subprocess.run(["make", "-s", "-C", ROOT, *targets], env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if make.returncode:
        raise CannotRun(f"the build failed:\n{make.stdout.rstrip()}\n(is a tool missing? make doctor)")


def built(name):
    """The path of a file under build/; raises CannotRun if it is not there."""
    path = os.path.join(BUILD, name)
    if not os.path.exists(path):
        raise CannotRun(f"{os.path.relpath(path, ROOT)} is missing (make {os.path.relpath(path, ROOT)})")
    return path


def _kvm_key():
    """Changes whenever the probe's answer might: another boot of the host, another QEMU, another user."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    binary = shutil.which(QEMU) or QEMU
    changed = os.stat(binary).st_mtime if os.path.exists(binary) else 0
    return [boot, binary, changed, os.getuid()]


def _kvm_runs_a_guest():
    """Boots scripts/kvm-probe.asm under KVM: (truth, why)."""
    try:
        build("build/kvm-probe.img")
        probe = built("kvm-probe.img")
    except CannotRun as reason:
        return False, f"the probe of KVM could not be built: {reason}"
    command = [QEMU, "-nodefaults", "-display", "none", "-accel", "kvm", "-cpu", "max", "-m", "16",
               "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
               "-drive", f"file={escaped(probe)},format=raw,if=virtio,readonly=on"]
    try:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, timeout=2).returncode
    except subprocess.TimeoutExpired:
        return False, "a 64-bit guest of a few instructions had not ended under KVM after 2 seconds"
    if status == STATUS_PROBE:
        return True, "a 64-bit guest ran under KVM"
    return False, f"a 64-bit guest of a few instructions failed under KVM (QEMU's status {status})"


@functools.lru_cache(None)
def accelerator():
    """("kvm" or "tcg", why). KVM only where a 64-bit guest truly ran; the answer is kept under build/."""
    if not os.path.exists("/dev/kvm"):
        return "tcg", "there is no /dev/kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "/dev/kvm may not be opened by this user"
    cache = os.path.join(BUILD, "kvm-probe.json")
    key = _kvm_key()
    with contextlib.suppress(OSError, ValueError, KeyError):
        with open(cache) as file:
            known = json.load(file)
        if known["key"] == key:
            return known["accelerator"], known["why"]
    works, why = _kvm_runs_a_guest()
    answer = {"key": key, "accelerator": "kvm" if works else "tcg", "why": why}
    with tempfile.NamedTemporaryFile("w", dir=BUILD, delete=False) as file:
        json.dump(answer, file)
    os.replace(file.name, cache)
    return answer["accelerator"], why


# ---------------------------------------------------------------- the machine and what boots in it

def memory_bytes(text):
    """What a size like 128M or 2G is in bytes; a bare number is MiB, as for QEMU. Raises CannotRun."""
    match = re.fullmatch(r"([1-9]\d*)([kmg]?)", text, re.I)
    if not match:
        raise CannotRun(f"{text}: not a size of memory (128M, 2G)")
    return int(match[1]) << {"k": 10, "": 20, "m": 20, "g": 30}[match[2].lower()]


@dataclasses.dataclass
class Machine:
    memory: str = "128M"        # as QEMU's -m takes it; a bare number is MiB
    cpu: str = ""               # "": `max`, or the fixed model that --icount needs
    smp: int = 1
    icount: bool = False        # deterministic: one instruction is one nanosecond, a CPU without ERMS
    firmware: str = "bios"      # or "uefi"
    tcg: bool = False           # TCG even where KVM works

    def arguments(self, exit_device=True):
        """`exit_device`: the guest ends QEMU by it; else it powers off, and QEMU stays for a last look."""
        arguments = ["-nodefaults", "-display", "none", "-m", self.memory, "-smp", str(self.smp), "-no-reboot"]
        if exit_device:
            arguments += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        if self.icount:
            arguments += ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
                          "-rtc", "base=2026-01-01,clock=vm", "-cpu", self.cpu or "qemu64"]
        else:
            accel = "tcg" if self.tcg else accelerator()[0]
            # TCG goes through `rep movsb` byte by byte. A CPU without ERMS has kernels and libraries move words.
            arguments += ["-accel", accel, "-cpu", self.cpu or ("max,-erms,-fsrm" if accel == "tcg" else "max")]
        if self.firmware == "uefi":
            if not os.path.exists(OVMF):
                raise CannotRun(f"{OVMF} is missing (run scripts/setup)")
            arguments += ["-bios", OVMF]
        return arguments


def escaped(path):
    """A path inside one of QEMU's comma-separated options."""
    return path.replace(",", ",,")


def grub_quoted(word):
    """One word of GRUB script."""
    if re.fullmatch(r"[A-Za-z0-9_./=,:@%+-]+", word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def memory_file(data):
    """The bytes as a file without a name, which goes when nobody holds it. QEMU opens it as /proc/self/fd/N."""
    fd = os.memfd_create("lazybones-medium")
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    return fd


@dataclasses.dataclass
class Boot:
    """What boots: arguments for QEMU, and the descriptors that it must inherit for them."""
    arguments: list
    descriptors: list = dataclasses.field(default_factory=list)


def run_medium(kernel, parameters, initrd, iso=None):
    """Boots a kernel file with a list of parameters and an archive (bytes) of initial files.

    GRUB comes from an ISO that is made once (build/grub.iso, or `iso`). Its menu (boot/grub.cfg) finds the rest
    on a second disk: a cpio archive with the kernel, the initial files and a few lines of GRUB script.
    """
    with open(kernel, "rb") as file:
        image = file.read()
    script = "multiboot2 ($run)/kernel " + " ".join(grub_quoted(word) for word in parameters) + "\n"
    script += "module2 ($run)/initrd\nboot\n"
    medium = newc.Archive()
    medium.add("run.cfg", script.encode())
    medium.add("kernel", image)
    medium.add("initrd", initrd)
    data = medium.to_bytes()
    fd = memory_file(data + bytes(max(MEDIUM_MINIMUM - len(data), -len(data) % 512)))
    arguments = ["-drive", f"file=/proc/self/fd/{fd},format=raw,if=virtio,readonly=on"]
    return Boot(iso_medium(iso or built("grub.iso")).arguments + arguments, [fd])


def iso_medium(iso):
    return Boot(["-cdrom", iso, "-boot", "d"])


def linux_medium(kernel, initrd, command_line):
    """Boots a Linux kernel file with an initramfs file."""
    return Boot(["-kernel", kernel, "-initrd", initrd, "-append", command_line])


# ---------------------------------------------------------------- how it ended

@dataclasses.dataclass
class Outcome:
    # exit, power-off (in order, but nobody's status), panic, selftest-failed, triple-fault, hang, timeout,
    # killed (QEMU, by a signal), failed (QEMU could not go on), quit (by the user or a closed pipe)
    kind: str
    text: str = ""                                              # one line for a person
    status: int = 0                                             # init's for "exit", 128 + N for "quit"
    stats: dict = dataclasses.field(default_factory=dict)       # name: value, in the order of the report
    selftest: str = ""                                          # "pass 41 41" or "fail 40 41", if any ran
    log: bytes = b""                                            # the end of the kernel's log


class Report:
    """The lines of the report port."""

    def __init__(self):
        self._rest = b""
        self.stats, self.status, self.panic, self.selftest = {}, None, None, ""

    def take(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace").strip())

    def _line(self, line):
        word, _, rest = line.partition(" ")
        if word == "panic":
            self.panic = rest
        elif word == "selftest":
            self.selftest = rest
        elif match := re.fullmatch(r"exit (\d+)", line):
            self.status = int(match[1])
        elif match := re.fullmatch(r"stat (\S+) (-?\d+)", line):
            self.stats[match[1]] = int(match[2])


class Symbols:
    """Names for the addresses of a kernel file."""

    def __init__(self, kernel):
        self._addresses, self._names = [], []
        nm = subprocess.run(["nm", "-n", kernel], capture_output=True, text=True) if kernel else None
        for line in nm.stdout.splitlines() if nm else []:
            fields = line.split()
            if len(fields) == 3 and fields[1] in "tTwW":
                self._addresses.append(int(fields[0], 16))
                self._names.append(fields[2])

    def name(self, address):
        index = bisect.bisect_right(self._addresses, address) - 1
        if index < 0 or address - self._addresses[index] >= 1 << 16:
            return f"{address:#x}"
        return f"{self._names[index]}+{address - self._addresses[index]:#x}"


Registers = collections.namedtuple("Registers", "rip level halted interrupts cr2")


def parse_registers(text):
    """QEMU's `info registers -a`, a Registers for each CPU."""
    found = []
    pattern = r"[RE]IP=([0-9a-f]+) [RE]FL=([0-9a-f]+).*?CPL=(\d).*?HLT=(\d)(.*?CR2=([0-9a-f]+))?"
    for match in re.finditer(pattern, text, re.S):
        rip, flags, level, halted, _, cr2 = match.groups()
        found.append(Registers(int(rip, 16), int(level), halted == "1", bool(int(flags, 16) & 0x200),
                               int(cr2 or "0", 16)))
    return found


# ---------------------------------------------------------------- sinks: where a port's bytes go

class Collector:
    """Keeps the last `limit` bytes."""
    fd, backlog = None, b""

    def __init__(self, limit=None):
        self.data, self._limit = bytearray(), limit

    def take(self, data):
        self.data += data
        if self._limit and len(self.data) > 2 * self._limit:
            del self.data[:-self._limit]


class Writer:
    """Writes to a descriptor, never blocking on a slow reader: select.PIPE_BUF bytes, when poll allows them."""

    def __init__(self, fd):
        self.fd, self.backlog = fd, bytearray()

    def take(self, data):
        self.backlog += data

    def drain(self):
        """Raises BrokenPipeError when the reader is gone."""
        count = os.write(self.fd, self.backlog[:select.PIPE_BUF])
        del self.backlog[:count]


class Tee:
    """The kernel's log: its end kept for whoever asks, all of it into a file if there is one."""
    fd, backlog = None, b""

    def __init__(self, file=None):
        self.tail, self._file = Collector(LOG_TAIL), file

    def take(self, data):
        self.tail.take(data)
        if self._file:
            self._file.write(data)


class Callback:
    """Hands each piece to a function as it comes."""
    fd, backlog = None, b""

    def __init__(self, function):
        self.take = function


# ---------------------------------------------------------------- QMP

class Monitor:
    """QEMU's machine protocol on a socket. Events are noted, answers are waited for."""

    def __init__(self, sock):
        self.sock, self.shutdown_reason = sock, None
        self._rest, self._answers, self._number = b"", {}, 0
        self._post("qmp_capabilities")

    def _post(self, command, **arguments):
        self._number += 1
        message = {"execute": command, "id": self._number}
        if arguments:
            message["arguments"] = arguments
        with contextlib.suppress(OSError):
            self.sock.sendall(json.dumps(message).encode() + b"\n")
        return self._number

    def receive(self):
        """Take in what has come. False at the end."""
        try:
            data = self.sock.recv(READ_SIZE)
        except OSError:
            data = b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if message.get("event") == "SHUTDOWN":
                    self.shutdown_reason = message["data"].get("reason", "")
                elif "id" in message:
                    self._answers[message["id"]] = message.get("return")
        return bool(data)

    def ask(self, command, **arguments):
        """The answer, or None when QEMU ends or says nothing for five seconds."""
        number = self._post(command, **arguments)
        deadline = time.monotonic() + 5
        while number not in self._answers:
            ready, _, _ = select.select([self.sock], [], [], max(0, deadline - time.monotonic()))
            if not ready or not self.receive():
                return None
        return self._answers.pop(number)

    def registers(self):
        answer = self.ask("human-monitor-command", **{"command-line": "info registers -a"})
        return parse_registers(answer or "")

    def quit(self):
        self._post("quit")


# ---------------------------------------------------------------- the guest

class Pipe:
    """The reading end of a pipe that QEMU writes to, as far as it must look like a socket."""

    def __init__(self):
        self._fd, self.theirs = os.pipe()
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)

    def fileno(self):
        return self._fd

    def recv(self, size):
        return os.read(self._fd, size)

    def setblocking(self, blocking):
        os.set_blocking(self._fd, blocking)

    def settimeout(self, seconds):
        pass        # the writer is gone when this is asked for

    def close(self):
        os.close(self._fd)


PORTS = ("console", "log", "errors", "report")


def _die_with_parent():
    """In the child before QEMU: be killed when the Python process is, however that one ends."""
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


class Guest:
    """One machine that runs once.

    Sinks (anything with take(data), .fd and .backlog) for console, log and errors may be given; the default
    collects. `stdin`: a descriptor to read the guest's input from, bytes, or None for no input. `framed`: escape
    the input and mark its end as `stdio=stream` wants it. `handshake`: hold input, and drop output, until the
    guest's DLE STX. `kernel`: the file with symbols for messages. `trace`: a function that is given the bytes of
    the debug port, where the kernel's trace goes with trace=port; None: the machine has no such port. `has_input`
    False: none will ever come, and the guest knows that (stdin=none).
    """

    def __init__(self, machine, boot, console=None, log=None, errors=None, stdin=None, framed=True,
                 handshake=False, kernel=None, trace=None, has_input=True):
        self.report = Report()
        self.sinks = {"console": console or Collector(), "log": log or Tee(), "errors": errors or Collector(),
                      "report": Callback(self.report.take)}
        self._stdin = stdin if isinstance(stdin, int) else None
        self._input = bytearray()
        self._framed, self._started, self._preamble = framed, not handshake, b""
        self._has_input = has_input
        if not has_input:
            self._stdin = None
        elif isinstance(stdin, bytes):
            self._queue_input(stdin)
            self._queue_end()
        elif stdin is None and framed:
            self._queue_end()
        self._kernel, self._trace = kernel, trace
        self._escape_seen = False
        self._start(machine, boot)

    def _start(self, machine, boot):
        # A socket takes few single bytes before it makes the guest wait, and for how long is the host's mood.
        sockets = {name: socket.socketpair() for name in ("monitor", *(["console"] if self._has_input else []))}
        pipes = {name: Pipe() for name in PORTS if name not in sockets}
        arguments = [QEMU, *machine.arguments(exit_device=not self._trace), *boot.arguments]
        for name, (_, theirs) in sockets.items():
            arguments += ["-chardev", f"socket,id={name},fd={theirs.fileno()}"]
        for name, pipe in pipes.items():
            arguments += ["-chardev", f"file,id={name},path=/proc/self/fd/{pipe.theirs}"]
        for name in PORTS:
            arguments += ["-serial", f"chardev:{name}"]
        if self._trace:     # into a buffer of QEMU's own: anything else would cost a system call a byte
            arguments += ["-chardev", f"ringbuf,id=trace,size={TRACE_BUFFER}",
                          "-device", "isa-debugcon,iobase=0xe9,chardev=trace"]
        arguments += ["-mon", "chardev=monitor,mode=control", "-no-shutdown"]
        inherited = [theirs.fileno() for _, theirs in sockets.values()] + [pipe.theirs for pipe in pipes.values()]
        self._complaints = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(arguments, pass_fds=inherited + boot.descriptors, stdin=subprocess.DEVNULL,
                                            stdout=self._complaints, stderr=self._complaints,
                                            start_new_session=True, preexec_fn=_die_with_parent)
        except OSError as error:
            raise CannotRun(f"cannot start {QEMU}: {error.strerror} (is it missing? make doctor)") from error
        finally:
            for _, theirs in sockets.values():
                theirs.close()
            for fd in [pipe.theirs for pipe in pipes.values()] + boot.descriptors:
                os.close(fd)
        self.monitor = Monitor(sockets.pop("monitor")[0])
        self._sockets = pipes | {name: ours for name, (ours, _) in sockets.items()}
        for sock in self._sockets.values():
            sock.setblocking(False)

    # ---- input

    def send(self, data):
        """Queue input for the console; a sink may do this while the guest runs."""
        self._queue_input(data)

    def _queue_input(self, data):
        self._input += data.replace(DLE, DLE + DLE) if self._framed else data

    def _queue_end(self):
        if self._framed:
            self._input += DLE + EOT

    def _read_stdin(self):
        try:
            data = os.read(self._stdin, 4096)
        except OSError:
            data = b""
        if not self._framed and self._is_quit_key(data):
            return "quit"
        if data:
            self._queue_input(data)
        else:
            self._queue_end()
            self._stdin = None
        return None

    def _is_quit_key(self, data):
        """Ctrl-A X, as in QEMU's own terminal."""
        for byte in data:
            if self._escape_seen and byte in b"xX":
                return True
            self._escape_seen = byte == 1
        return False

    def _send_input(self):
        with contextlib.suppress(BlockingIOError, ConnectionError, BrokenPipeError):
            count = self._sockets["console"].send(self._input[:4096])
            del self._input[:count]

    # ---- output

    def _receive(self, name):
        """Move what a port has to its sink. False at its end."""
        try:
            data = self._sockets[name].recv(READ_SIZE)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            self._sockets.pop(name).close()
            return False
        self._last_output = time.monotonic()
        if name == "console" and not self._started:
            data = self._await_start(data)
        if data:
            self.sinks[name].take(data)
        return True

    def _await_start(self, data):
        before, mark, after = (self._preamble + data).partition(DLE + STX)
        self._preamble = before
        self._started = bool(mark)
        return after

    # ---- the loop

    def run(self, timeout=None):
        """Relay until the guest ends; its Outcome. Seconds; None waits for ever."""
        self._begun = self._last_output = time.monotonic()
        self._next_check = self._begun + DEAD_CHECK_INTERVAL
        self._next_trace = self._begun + TRACE_INTERVAL if self._trace else self._next_check
        deadline = timeout and self._begun + timeout
        try:
            verdict = None
            while verdict is None and self._sockets:
                verdict = self._turn(deadline)
            if verdict is None:
                verdict = self._verdict_of_exit()
        except BrokenPipeError:
            verdict = Outcome("quit", "nobody reads the output any more", status=128 + signal.SIGPIPE)
        finally:
            self.kill()
        self._flush()
        verdict.stats, verdict.selftest = self.report.stats, self.report.selftest
        if isinstance(self.sinks["log"], Tee):
            verdict.log = bytes(self.sinks["log"].tail.data)
        if not self._started:                       # the kernel's words before it knew where its log goes
            verdict.log = self._preamble + verdict.log
        return verdict

    def _turn(self, deadline):
        """Wait for something to move, move it. An Outcome if that is the end."""
        poll, actions = select.poll(), {}

        def watch(fd, events, action):
            poll.register(fd, events)
            actions[fd] = action

        for name, sock in self._sockets.items():
            events = select.POLLIN if len(self.sinks[name].backlog) < BACKLOG_LIMIT else 0
            if name == "console" and self._input and self._started:
                events |= select.POLLOUT
            watch(sock.fileno(), events, name)
        for sink in self.sinks.values():
            if sink.backlog:
                watch(sink.fd, select.POLLOUT, sink)
        if self._stdin is not None and self._started and len(self._input) < READ_SIZE:
            watch(self._stdin, select.POLLIN, "stdin")
        watch(self.monitor.sock.fileno(), select.POLLIN, "monitor")

        times = deadline, self._next_check, self._trace and self._next_trace
        pause = min(filter(None, times)) - time.monotonic()
        for fd, events in poll.poll(max(0, pause * 1000)):
            verdict = self._act(actions[fd], events)
            if verdict:
                return verdict
        return self._check_clock(deadline)

    def _act(self, action, events):
        if action == "stdin":
            if self._read_stdin() == "quit":
                return Outcome("quit", "ended by Ctrl-A X", status=128 + signal.SIGINT)
        elif action == "monitor":
            if not self.monitor.receive():
                return self._verdict_of_exit()
            if self.monitor.shutdown_reason is not None:
                return self._verdict_of_shutdown()
        elif isinstance(action, Writer):
            action.drain()
        else:
            if events & select.POLLOUT:
                self._send_input()
            if events & (select.POLLIN | select.POLLHUP):
                self._receive(action)
        return None

    def _take_trace(self):
        """What has come through the debug port."""
        while self._trace:
            data = self.monitor.ask("ringbuf-read", device="trace", size=1 << 20, format="base64")
            if not data:
                break
            self._trace(base64.b64decode(data))
        self._next_trace = time.monotonic() + TRACE_INTERVAL

    def _check_clock(self, deadline):
        now = time.monotonic()
        if self._trace and now >= self._next_trace:
            self._take_trace()
        if self.monitor.shutdown_reason is not None:    # came along with an answer
            return self._verdict_of_shutdown()
        if deadline and now >= deadline:
            return self._verdict_of_timeout(now - self._begun)
        if now >= self._next_check:
            self._next_check = now + DEAD_CHECK_INTERVAL
            if now - self._last_output >= DEAD_CHECK_INTERVAL:
                return self._verdict_if_dead()
        return None

    def _flush(self):
        """Hand over what is still on its way: the guest is gone, so all sockets end."""
        for name in list(self._sockets):
            self._sockets[name].setblocking(True)
            self._sockets[name].settimeout(5)
            while name in self._sockets and self._receive(name):
                pass
        for sink in self.sinks.values():
            with contextlib.suppress(BrokenPipeError):
                while sink.backlog:
                    select.select([], [sink.fd], [])
                    sink.drain()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    # ---- verdicts

    def _place(self, registers):
        where = Symbols(self._kernel).name(registers.rip) if registers.level == 0 else f"{registers.rip:#x}"
        return f"{'user code' if registers.level else 'the kernel'} at {where}"

    def _verdict_of_exit(self):
        """QEMU has ended, or is about to."""
        try:
            status = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return Outcome("failed", "QEMU closed its sockets but did not end")
        self._flush()
        if status < 0:
            return Outcome("killed", f"QEMU was killed by signal {-status} ({signal.Signals(-status).name})")
        if status == STATUS_PANIC:
            return Outcome("panic", self.report.panic or "(no text)")
        if status == STATUS_SELFTEST_FAILED:
            return Outcome("selftest-failed", self.report.selftest)
        if status == STATUS_POWER_OFF:
            return self._verdict_of_power_off()
        self._complaints.seek(0)
        complaint = self._complaints.read().decode(errors="replace").strip().replace("\n", "; ")
        return Outcome("failed", f"QEMU ended with status {status}: {complaint or 'no message'}")

    def _verdict_of_power_off(self):
        if self.report.status is None:
            return Outcome("power-off", "powered off without an exit status")
        return Outcome("exit", f"exited with status {self.report.status}", status=self.report.status)

    def _verdict_of_shutdown(self):
        """A reset or an ACPI power-off; -no-shutdown has kept the machine for a look at it."""
        self._take_trace()
        if "report" in self._sockets:
            self._receive("report")
        if self.monitor.shutdown_reason == "guest-reset" and self.report.status is None:
            cpus = self.monitor.registers()
            where = f": {self._place(cpus[0])}, cr2 {cpus[0].cr2:#x}" if cpus else ""
            return Outcome("triple-fault", f"the CPU was reset{where}")
        if self.monitor.shutdown_reason in ("guest-shutdown", "guest-reset"):
            self.monitor.quit()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            self._flush()
            return self._verdict_of_power_off()
        return self._verdict_of_exit()

    def _verdict_if_dead(self):
        """A hang for certain: no CPU can ever run again."""
        cpus = self.monitor.registers()
        if cpus and all(cpu.halted and not cpu.interrupts for cpu in cpus):
            self._take_trace()
            if self.report.panic:       # without an exit device that is how a panic ends
                return Outcome("panic", self.report.panic)
            if self.report.status is not None or self.monitor.shutdown_reason is not None:
                return None                         # it has asked for its end, and QEMU will say so
            return Outcome("hang", f"the CPU is halted with interrupts off, in {self._place(cpus[0])}")
        return None

    def _verdict_of_timeout(self, elapsed):
        """Tell a guest in which nothing happens any more from one that needs more time."""
        self._take_trace()
        silent = time.monotonic() - self._last_output
        samples = []
        for _ in range(SAMPLES):
            cpus = self.monitor.registers()
            if not cpus:
                return self._verdict_of_exit()
            samples.append(cpus)
            time.sleep(SAMPLE_INTERVAL)
        every = [cpu for cpus in samples for cpu in cpus]
        place = self._place(samples[-1][0])
        if silent > elapsed / 2 and all(cpu.halted for cpu in every):
            return Outcome("hang", f"all CPUs idle, no output for {silent:.0f} s (time limit {elapsed:.0f} s)")
        if all(cpu.level == 0 and not cpu.interrupts and not cpu.halted for cpu in every):
            return Outcome("hang", f"stuck with interrupts off, in {place}, after {elapsed:.0f} s")
        return Outcome("timeout", f"still running after {elapsed:.0f} s, in {place}")


# ---------------------------------------------------------------- terminals

@contextlib.contextmanager
def raw_terminal(fd):
    """The terminal passes each key through, and is itself again afterwards whatever happens."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def asked_memory():
    """MEM, which `make run` and `make debug` take."""
    size = os.environ.get("MEM", "128M")
    memory_bytes(size)
    return size


def boot_iso(iso):
    """`make run`: QEMU's own terminal handling, Ctrl-A X and all. The status for the shell."""
    command = [QEMU, *Machine(memory=asked_memory()).arguments(), *iso_medium(iso).arguments,
               "-serial", "mon:stdio"]
    print("Lazybones starts. Ctrl-A X ends QEMU, Ctrl-A C switches to its monitor.", flush=True)
    status = subprocess.run(command).returncode
    endings = {0: None, STATUS_POWER_OFF: None, STATUS_PANIC: "kernel panic",
               STATUS_SELFTEST_FAILED: "self-tests failed"}
    ending = endings.get(status, f"QEMU ended with status {status}")
    if ending:
        print(f"\n{ending}", file=sys.stderr)
    return 1 if ending else 0


@dataclasses.dataclass
class DebugOptions:
    """What `debug` is told before KERNEL and ISO."""
    program: str = ""       # --program FILE: boot this program instead of the ISO's menu
    append: str = ""        # --append PARAMETERS: for the kernel
    wait: str = ""          # --wait PORT: no gdb here; listen on that TCP port of this machine for one
    session: str = ""       # --session NAME: sockets of its own, so that two can run at a time

    def path(self, name):
        """Relative: a socket's path must be short, and the tree's may be long."""
        stem, extension = os.path.splitext(name)
        return f"build/{stem}{'-' if self.session else ''}{self.session}{extension}"


def debug_options(arguments):
    """(DebugOptions, the rest). Raises CannotRun on what is no option."""
    options, rest = DebugOptions(), list(arguments)
    while rest and rest[0].startswith("--"):
        name = rest.pop(0)[2:]
        if name not in vars(options) or not rest:
            raise CannotRun(f"--{name}: no such option of debug, or its value is missing")
        setattr(options, name, rest.pop(0))
    return options, rest


def program_archive(program, arguments=(), environment=("PATH=/bin",), files=()):
    """The initial files (bytes) of a guest that runs one program: user/run as init, what it shall start, and `files`
    ((guest path, host path), directories with all that is in them). Dynamically linked ones bring their libraries."""
    archive = newc.Archive()
    try:
        for host in (program, *(host for _, host in files if os.path.isfile(host))):
            for library in libraries.libraries_of(host):
                archive.add_host(library, library)
    except libraries.Missing as lack:
        raise CannotRun(str(lack)) from lack
    for guest, host in files:
        archive.add_host(guest, host)
    path = "/bin/" + os.path.basename(program)
    archive.add_host("init", built("user/run"))
    archive.add_directory("tmp", 0o1777)
    archive.add("run/argv", b"".join(os.fsencode(word) + b"\0" for word in (path, *arguments)))
    archive.add("run/env", b"".join(os.fsencode(word) + b"\0" for word in environment))
    archive.add_host(path, program)
    return archive.to_bytes()


def debug_medium(kernel, iso, options):
    """What boots under gdb: the ISO and its menu, or one program, or the kernel with parameters."""
    if options.program:
        if not os.path.isfile(options.program):
            raise CannotRun(f"{options.program}: no such file")
        build("build/grub.iso", "build/user/run")
        parameters = ["init=/init", "stdio=tty", *options.append.split()]
        return run_medium(kernel.removesuffix(".elf"), parameters, program_archive(options.program))
    if options.append:
        build("build/grub.iso", "build/initrd.cpio")
        with open(built("initrd.cpio"), "rb") as file:
            return run_medium(kernel.removesuffix(".elf"), options.append.split(), file.read())
    return iso_medium(iso)


def debug_machine(kernel, iso, options):
    """QEMU, halted before the first instruction and listening for gdb; and where it listens."""
    machine = Machine(memory=asked_memory(), tcg=True)
    boot = debug_medium(kernel, iso, options)
    listen = f"socket,id=gdb,path={options.path('gdb.sock')},server=on,wait=off"
    if options.wait:
        listen = f"socket,id=gdb,host=127.0.0.1,port={options.wait},server=on,wait=off"
    console = f"socket,id=console,path={options.path('console.sock')},server=on,wait=off"
    command = [QEMU, *machine.arguments(), *boot.arguments, "-S", "-gdb", "chardev:gdb", "-chardev", listen,
               "-chardev", f"{console},logfile={options.path('console.log')}", "-serial", "chardev:console"]
    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=boot.descriptors,
                            preexec_fn=_die_with_parent)
    for fd in boot.descriptors:
        os.close(fd)
    while not os.path.exists(options.path("console.sock")):
        if qemu.poll() is not None:
            raise CannotRun(f"QEMU ended with status {qemu.returncode}")
        time.sleep(0.02)
    return qemu, f"localhost:{options.wait}" if options.wait else options.path("gdb.sock")


def debug(options, kernel, iso, gdb_arguments):
    """`make debug`: the guest halted before its first instruction, gdb on this terminal. gdb's status."""
    options.program = options.program and os.path.abspath(options.program)
    os.chdir(ROOT)
    for name in ("gdb.sock", "console.sock"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(options.path(name))
    qemu, address = debug_machine(kernel, iso, options)
    try:
        if options.wait:
            print(f"QEMU waits for a debugger: `target remote {address}` in gdb, or VS Code. Ctrl-C ends it.", flush=True)
            qemu.wait()
            return 0
        print("QEMU waits. `continue` boots to the first page fault: breakpoints are set on mm_fault, and on machine_end\n"
              "for a last look, after a panic too. `lz help` lists what gdb knows of Lazybones.\n"
              f"The console: {options.path('console.log')}, or `scripts/qemu.py console` in another terminal.", flush=True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)            # Ctrl-C is gdb's
        # A hardware breakpoint: the kernel is not in memory yet, so there is nothing to write a trap into.
        symbols = ["-ex", f"lz user {shlex.quote(options.program)}"] if options.program else []
        return subprocess.run(["gdb", "-q", "-ex", "set confirm off", "-ex", "source scripts/gdb/lazybones.py",
                               "-ex", f"target remote {address}", "-ex", "hbreak mm_fault", "-ex", "hbreak machine_end",
                               *symbols, *gdb_arguments, kernel],
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)).returncode
    finally:
        qemu.kill()
        qemu.wait()
        for name in ("gdb.sock", "console.sock"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(options.path(name))


def attach_console():
    """This terminal on the console of the guest that `debug` runs; Ctrl-A X leaves."""
    os.chdir(ROOT)
    console = socket.socket(socket.AF_UNIX)
    try:
        console.connect(DebugOptions().path("console.sock"))
    except OSError as error:
        raise CannotRun(f"no guest under gdb here ({error.strerror}); start one with `make debug`") from error
    print("Ctrl-A X leaves the console.", flush=True)
    escape_seen = False
    with raw_terminal(sys.stdin.fileno()) if sys.stdin.isatty() else contextlib.nullcontext():
        while True:
            ready, _, _ = select.select([sys.stdin, console], [], [])
            if console in ready:
                data = console.recv(READ_SIZE)
                if not data:
                    return 0
                os.write(sys.stdout.fileno(), data)
            if sys.stdin in ready:
                data = os.read(sys.stdin.fileno(), 4096)
                if not data or (escape_seen and data in b"xX"):
                    return 0
                escape_seen = data == b"\x01"
                console.sendall(data)


def main(arguments):
    match arguments:
        case ["probe"]:
            name, why = accelerator()
            print(f"{name}: {why}")
            return 0
        case ["iso", iso]:
            return boot_iso(iso)
        case ["debug", *rest]:
            options, words = debug_options(rest)
            if len(words) >= 2:
                return debug(options, words[0], words[1], words[2:])
        case ["console"]:
            return attach_console()
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CannotRun as reason:
        sys.exit(f"qemu.py: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
