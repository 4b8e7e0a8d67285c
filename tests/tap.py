# SPDX-License-Identifier: MIT
"""What the tests written in Python share: TAP on standard output, and short ways to start a guest.

    from tap import ok, equal, done, guest
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import newc  # noqa: E402
import qemu  # noqa: E402

_count = 0
_failed = 0


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def ok(truth, name, explanation=""):
    """One test point; the explanation is printed where it failed. Returns the truth."""
    global _count, _failed
    _count += 1
    print(f"{'ok' if truth else 'not ok'} {_count} - {name}", flush=True)
    if not truth:
        _failed += 1
        note(explanation)
    return bool(truth)


def equal(got, wanted, name):
    return ok(got == wanted, name, f"got    {got!r}\nwanted {wanted!r}")


def contains(text, part, name):
    return ok(part in text, name, f"not found: {part!r}\nin: {text[-2000:]!r}")


def skip(reason, name):
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {reason}", flush=True)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def done():
    """The plan, and the end of the test."""
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed else 0)


def run(*arguments, stdin=b"", limit=120, **environment):
    """Run a command, paths relative to the tree's root. (status, stdout as bytes, stderr as text)."""
    finished = subprocess.run(arguments, cwd=ROOT, input=stdin, capture_output=True, timeout=limit,
                              env={**os.environ, **environment})
    return finished.returncode, finished.stdout, finished.stderr.decode(errors="replace")


def built(name):
    """A file under build/, made if need be."""
    qemu.build(f"build/{name}")
    return qemu.built(name)


def boot_program(program, *arguments, machine=None, kind="debug", parameters=(), iso=False, trace=None, timeout=60,
                 files=()):
    """Boot a kernel with `program`, a host path, as the one that user/run starts, and `files` ((guest path, host path)).
    (Outcome, console, errors)."""
    qemu.build(f"build/{kind}/lazybones", f"build/{kind}/lazybones.iso", "build/grub.iso", "build/user/run")
    parameters = ["init=/init", "stdio=stream", "log=ttyS1", "stderr=ttyS2", "report=ttyS3", *parameters]
    boot = qemu.run_medium(qemu.built(f"{kind}/lazybones"), parameters, qemu.program_archive(program, arguments, files=files),
                           iso=qemu.built(f"{kind}/lazybones.iso") if iso else None)
    guest = qemu.Guest(machine or qemu.Machine(), boot, handshake=True,
                       kernel=qemu.built(f"{kind}/lazybones.elf"), trace=trace)
    outcome = guest.run(timeout)
    return outcome, bytes(guest.sinks["console"].data), bytes(guest.sinks["errors"].data)


def boot_selftests(machine=None, kind="debug", parameters=(), timeout=60):
    """Boot with `selftest`. (Outcome, what came on the console: the KTAP)."""
    qemu.build(f"build/{kind}/lazybones", "build/grub.iso")
    boot = qemu.run_medium(qemu.built(f"{kind}/lazybones"), ["selftest", "report=ttyS3", *parameters],
                           newc.Archive().to_bytes())
    guest = qemu.Guest(machine or qemu.Machine(), boot, kernel=qemu.built(f"{kind}/lazybones.elf"))
    outcome = guest.run(timeout)
    return outcome, bytes(guest.sinks["console"].data).decode(errors="replace")
