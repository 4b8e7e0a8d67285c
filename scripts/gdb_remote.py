# SPDX-License-Identifier: MIT
"""A machine that stops where we say: QEMU's gdb port, spoken to from Python.

    with Stopped(machine, boot, kernel=...) as guest:
        guest.run_to(address, level=3)

Under --icount the clock jumps to the next timer whenever a stopped guest goes on: what counts by the time-stamp counter
must not be stopped in between.

The guest waits before its first instruction. Every stop is at an address, asked for with the privilege level (0 to 3)
that the CPU must be at, since the firmware and the boot loader may run through the same numbers; `level` None: any.
Protocol: "Debugging with GDB", appendix "GDB Remote Serial Protocol". Registers come in the order of gdb's
org.gnu.gdb.i386.core for 64 bits: 16 general ones and rip of 8 bytes, then eflags and cs of 4.
"""
import os
import socket
import threading

import qemu

RAX, RDX, RIP = 0, 3, 16


class Ended(Exception):
    """The guest ended before it came to where it was to stop. The text says how."""


class Port:
    """Packets over a stream: $data#checksum, each acknowledged with +."""

    def __init__(self, sock):
        self._sock, self._rest = sock, b""

    def _more(self):
        data = self._sock.recv(65536)
        if not data:
            raise Ended("QEMU has closed its gdb port")
        self._rest += data

    def send(self, text):
        data = text.encode()
        try:
            self._sock.sendall(b"$" + data + b"#%02x" % (sum(data) & 255))
        except OSError as error:
            raise Ended("QEMU is gone") from error

    def receive(self):
        while True:
            start = self._rest.find(b"$")
            end = self._rest.find(b"#", start)
            if start >= 0 and end >= 0 and len(self._rest) >= end + 3:
                break
            self._more()
        data, self._rest = self._rest[start + 1:end], self._rest[end + 3:]
        self._sock.sendall(b"+")
        return data.decode("latin1")

    def ask(self, text):
        self.send(text)
        return self.receive()


class Stopped:
    """The machine (class qemu.Machine) with what boots in it (class qemu.Boot), halted. Other arguments: qemu.Guest's."""

    def __init__(self, machine, boot, timeout=600, **options):
        ours, theirs = socket.socketpair()
        fd = os.dup(theirs.fileno())            # Guest closes it when QEMU has it
        theirs.close()
        boot = qemu.Boot([*boot.arguments, "-S", "-gdb", "chardev:gdb", "-chardev", f"socket,id=gdb,fd={fd}"],
                         [*boot.descriptors, fd])
        self._guest, self._outcome, self._interrupted = qemu.Guest(machine, boot, **options), None, False
        self._sock, self._port = ours, Port(ours)
        self._relay = threading.Thread(target=self._run, args=(timeout,), daemon=True)
        self._relay.start()

    def _run(self, timeout):
        self._outcome = self._guest.run(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self._relay.join()
        self._sock.close()

    def kill(self):
        self._guest.process.kill()

    def interrupt(self):
        """From another thread: have run_to() end with Ended, the guest standing where it is."""
        self._interrupted = True
        self._sock.sendall(b"\x03")

    @property
    def pid(self):
        return self._guest.process.pid

    def wait_outcome(self, seconds=10):
        """How the machine ended (qemu.Outcome); None: it has not."""
        self._relay.join(seconds)
        return self._outcome

    @property
    def outcome(self):
        return self._outcome

    # ---- state

    def registers(self):
        """The general registers and rip; and cs."""
        data = bytes.fromhex(self._port.ask("g"))
        words = [int.from_bytes(data[i * 8:i * 8 + 8], "little") for i in range(17)]
        return words, int.from_bytes(data[17 * 8 + 4:17 * 8 + 8], "little")

    def memory(self, address, length):
        """Bytes at a virtual address, or None where nothing is mapped."""
        answer = self._port.ask(f"m{address:x},{length:x}")
        return None if answer.startswith("E") else bytes.fromhex(answer)

    def physical(self, address, length):
        """Bytes of RAM at a physical address."""
        self._port.ask("Qqemu.PhyMemMode:1")
        try:
            data = b""
            while len(data) < length:
                data += bytes.fromhex(self._port.ask(f"m{address + len(data):x},{min(length - len(data), 1024):x}"))
            return data
        finally:
            self._port.ask("Qqemu.PhyMemMode:0")

    def monitor(self, command):
        """A command of QEMU's monitor; what it prints."""
        text = ""
        self._port.send("qRcmd," + command.encode().hex())
        while (answer := self._port.receive()) != "OK":
            if not answer.startswith("O"):
                raise Ended(f"{command}: {answer}")
            text += bytes.fromhex(answer[1:]).decode()
        return text

    # ---- motion

    def step(self):
        self._stopped(self._port.ask("s"))

    def _stopped(self, answer):
        if answer[:1] not in "TS":
            raise Ended(f"the guest ended ({answer})")

    def run_to(self, address, level=None):
        """Go on until the instruction at `address` is next. From there it goes on, not from the same again."""
        while True:
            self.step()
            self._port.ask(f"Z1,{address:x},1")
            try:
                answer = self._port.ask("c")
            except Ended:
                outcome = self.wait_outcome()
                raise Ended(f"{outcome.kind}: {outcome.text}" if outcome else "QEMU is gone") from None
            self._stopped(answer)
            if self._interrupted:
                raise Ended("interrupted")
            self._port.ask(f"z1,{address:x},1")
            words, cs = self.registers()
            if words[RIP] == address and level in (None, cs & 3):
                return
