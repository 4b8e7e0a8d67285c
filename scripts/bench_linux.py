# SPDX-License-Identifier: MIT
"""Linux beside Lazybones: the same program on the distribution's kernel, in the same QEMU; and how both of them boot.

Linux is booted twice: with mitigations, huge pages and the clearing of what the kernel allocates for itself off, which
compares like with like, and with its defaults. The
kernel's console is ttyS1, as for Lazybones; `quiet` keeps all but errors from it, as loglevel=4 does.
"""
import contextlib
import os
import re
import struct
import subprocess
import tempfile

import gdb_remote
import linux_guest
import newc
import qemu

MEMORY = "2G"
TIMEOUT = 1800
LIKE = "mitigations=off transparent_hugepage=never init_on_alloc=0"
COMMON = "quiet panic=-1"

LINUX_ENTRY = 0x100000                  # where the setup code jumps: startup_32 (Linux, x86/boot.rst, "code32_start")
PHYSICAL = 0x7fffffff                   # the kernel runs there first, and is linked 2 GiB below the end of addresses
SEGMENT_LOAD = 1
RDTSC = b"\x0f\x31"

INIT = """\
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/bench {words} </dev/null >/dev/ttyS0 2>&1
/bin/busybox poweroff -f
"""


def busybox():
    return next(filter(os.path.exists, ["/bin/busybox", "/usr/bin/busybox"]))


class LinuxBoot:
    """A Linux medium whose initial files (bytes) stay on the disk as long as it is used."""

    def __init__(self, files, words):
        self._file = tempfile.NamedTemporaryFile(prefix="bench-linux-")
        self._file.write(files)
        self._file.flush()
        self.boot = qemu.linux_medium(linux_guest.kernel_path(), self._file.name, f"{COMMON} {words}")

    def __enter__(self):
        return self.boot

    def __exit__(self, *_):
        self._file.close()


# ---------------------------------------------------------------- the bench

def output(names, words):
    """What user/bench prints on Linux with these kernel parameters. Raises CannotRun."""
    archive = newc.Archive()
    for room in "dev", "proc":
        archive.add_directory(room)
    archive.add("init", INIT.format(words=" ".join(names)).encode(), 0o100755)
    archive.add_host("bin/busybox", busybox())
    archive.add_host("bin/bench", qemu.built("user/bench"))
    with LinuxBoot(archive.to_bytes(), f"console=ttyS1 {words}") as boot:
        guest = qemu.Guest(qemu.Machine(memory=MEMORY, icount=True), boot, framed=False)
        outcome = guest.run(TIMEOUT)
    text = guest.sinks["console"].data.decode(errors="replace").replace("\r", "")
    if outcome.kind not in ("exit", "power-off"):
        raise qemu.CannotRun(f"{text}Linux: {linux_guest.panic_text(outcome.log) or outcome.text}")
    return text


# ---------------------------------------------------------------- from kernel entry to the first user instruction

class Image:
    """A file that starts with an instruction that can be replaced by RDTSC."""

    def __init__(self, path, address, offset):
        self.path, self.address, self._offset = path, address, offset

    def original(self):
        with open(self.path, "rb") as file:
            return file.read()

    def counting(self):
        """The file with RDTSC in that place."""
        data = bytearray(self.original())
        data[self._offset:self._offset + len(RDTSC)] = RDTSC
        return bytes(data)


def elf_image(path, address=None):
    """An ELF file and an address in it, its entry if none is given."""
    with open(path, "rb") as file:
        data = file.read()
    entry, table = struct.unpack_from("<QQ", data, 24)
    size, count = struct.unpack_from("<HH", data, 54)
    address = address or entry
    for i in range(count):
        kind, _, offset, start, _, length = struct.unpack_from("<IIQQQQ", data, table + size * i)
        if kind == SEGMENT_LOAD and start <= address < start + length:
            return Image(path, address, offset + address - start)
    raise qemu.CannotRun(f"{path}: {address:#x} is in none of its segments")


def program_image():
    """The program that boots as /init."""
    return elf_image(qemu.built("user/bench"))


def lazybones_symbol(name):
    symbols = subprocess.check_output(["nm", qemu.built("release/lazybones.elf")], text=True)
    return int(re.search(rf"^([0-9a-f]+) \w {name}$", symbols, re.M)[1], 16)


def lazybones_image():
    return elf_image(qemu.built("release/lazybones"), lazybones_symbol("boot_entry"))


def linux_image():
    """The setup code takes (setup_sects + 1) sectors; then comes what runs at LINUX_ENTRY (Linux, x86/boot.rst)."""
    path = linux_guest.kernel_path()
    with open(path, "rb") as file:
        head = file.read(512)
    return Image(path, LINUX_ENTRY, (head[0x1f1] + 1) * 512)


def archive_of(init):
    archive = newc.Archive()
    archive.add("init", init, 0o100755)
    return archive.to_bytes()


@contextlib.contextmanager
def lazybones_medium(kernel, init):
    """Boots these bytes as kernel and /init."""
    with tempfile.NamedTemporaryFile(prefix="bench-kernel-") as file:
        file.write(kernel)
        file.flush()
        yield qemu.run_medium(file.name, ["init=/init", "log=ttyS1", "loglevel=4"], archive_of(init))


@contextlib.contextmanager
def linux_medium(kernel, init, words):
    with tempfile.NamedTemporaryFile(prefix="bench-kernel-") as file, \
            tempfile.NamedTemporaryFile(prefix="bench-initrd-") as files:
        file.write(kernel)
        file.flush()
        files.write(archive_of(init))
        files.flush()
        yield qemu.linux_medium(file.name, files.name, f"{COMMON} console=ttyS1 {words}")


def time_stamp(guest):
    """What RDTSC, the last instruction, has read."""
    words, _ = guest.registers()
    return (words[gdb_remote.RDX] & 0xffffffff) << 32 | words[gdb_remote.RAX] & 0xffffffff


def boot_lazybones(memory=MEMORY):
    """From the kernel's first instruction, whose time it keeps, to the first of /init, which is RDTSC."""
    kernel, program = lazybones_image(), program_image()
    with lazybones_medium(kernel.original(), program.counting()) as boot, \
            gdb_remote.Stopped(qemu.Machine(memory=memory, icount=True), boot, timeout=TIMEOUT) as guest:
        guest.run_to(program.address + len(RDTSC), level=3)
        return time_stamp(guest) - int.from_bytes(guest.memory(lazybones_symbol("boot_tsc"), 8), "little")


def boot_linux(words, memory=MEMORY):
    """The same by two boots, each with RDTSC at one of the two places. Nothing before the kernel depends on the host's mood."""
    kernel, program = linux_image(), program_image()
    counts = []
    for address, level, files in ((kernel.address, 0, (kernel.counting(), program.original())),
                                  (program.address, 3, (kernel.original(), program.counting()))):
        with linux_medium(*files, words) as boot, \
                gdb_remote.Stopped(qemu.Machine(memory=memory, icount=True), boot, timeout=TIMEOUT) as guest:
            guest.run_to(address + len(RDTSC), level)
            counts.append(time_stamp(guest))
    return counts[1] - counts[0]


# ---------------------------------------------------------------- the smallest memory with a shell

QUESTION, ANSWER, PROMPT = b"echo $((6 * 7)) is right\n", b"42 is right", b"# "


class Talk:
    """Types the question at the first prompt; `answered` when the answer has come."""

    def __init__(self):
        self.guest, self._text, self._asked, self.answered = None, b"", False, False

    def take(self, data):
        self._text += data
        if not self._asked and PROMPT in self._text:
            self._asked = True
            self.guest.send(QUESTION)
        if not self.answered and ANSWER in self._text:
            self.answered = True
            self.guest.process.kill()


def shell_answers(boot, mebibytes):
    """Does busybox's shell, as the first program, work out a sum on a machine of so many MiB?"""
    talk = Talk()
    guest = qemu.Guest(qemu.Machine(memory=f"{mebibytes}M"), boot, console=qemu.Callback(talk.take), framed=False)
    talk.guest = guest
    guest.run(60)
    return talk.answered


def smallest(answers, low, high):
    """The least number of MiB with which `answers` is true, between `low` (false) and `high` (true)."""
    if not answers(high):
        raise qemu.CannotRun(f"no shell with {high} MiB")
    while high - low > 1:
        middle = (low + high) // 2
        if answers(middle):
            high = middle
        else:
            low = middle
    return high


def shell_files():
    archive = newc.Archive()
    archive.add_host("bin/busybox", busybox())
    return archive.to_bytes()


def smallest_lazybones():
    words = ["init=/bin/busybox", "log=ttyS1", "--", "sh"]
    return smallest(lambda mebibytes: shell_answers(
        qemu.run_medium(qemu.built("release/lazybones"), words, shell_files()), mebibytes), 1, 32)


def smallest_linux(words):
    def answers(mebibytes):
        with LinuxBoot(shell_files(), f"{words} console=ttyS0 rdinit=/bin/busybox -- sh") as boot:
            return shell_answers(boot, mebibytes)
    return smallest(answers, 16, 256)


def kernel_name():
    return re.sub(r"^vmlinuz-", "", os.path.basename(linux_guest.kernel_path()))
