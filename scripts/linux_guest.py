# SPDX-License-Identifier: MIT
"""The oracle: the distribution's own Linux kernel, booted in QEMU, never installed.

    scripts/linux-guest fetch
        downloads and unpacks the kernel package (once), prints the kernel's path
    scripts/linux-guest boot --initrd FILE [--mem 512M] [--append "words"] [--log FILE]
                             [--cpu MODEL] [--timeout S] [--icount]
        boots it with FILE as its initial files; 0 if it powers off in order

The guest's ttyS0 is this command's standard input and output and belongs to the programs. The
kernel speaks on ttyS1, which goes to --log. The guest never reboots: power-off, panic and
triple fault all end it.

The package is Debian's linux-image-cloud-amd64, on Ubuntu linux-image-virtual: whichever apt
knows. It is unpacked under build/linux/ with dpkg -x, so nothing here needs root.
"""
import argparse
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys

import qemu

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.path.join(ROOT, "build", "linux")
PACKAGES = ["linux-image-cloud-amd64", "linux-image-virtual"]

# Huge pages off: the rows of the behaviour table speak of 4 KiB pages. Four table levels, not five.
WORDS = "console=ttyS1 quiet panic=-1 mitigations=off transparent_hugepage=never no5lvl"


def fail(text):
    sys.exit(f"linux-guest: {text}\n"
             "linux-guest: LINUX=no leaves the Linux half of the tests out")


def private_apt():
    """apt's options for package lists of our own, for a machine whose lists are empty."""
    lists = os.path.join(HOME, "apt", "lists")
    cache = os.path.join(HOME, "apt", "cache")
    os.makedirs(os.path.join(lists, "partial"), exist_ok=True)
    os.makedirs(os.path.join(cache, "archives", "partial"), exist_ok=True)
    return ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}",
            "-o", "Debug::NoLocking=1"]


def resolve(options):
    """The real package behind the meta-package, or None. Follows Depends at most three times."""
    for name in PACKAGES:
        for _ in range(3):
            out = subprocess.run(["apt-cache", *options, "depends", name],
                                 capture_output=True, text=True).stdout
            real = re.search(r"Depends: (linux-image-\S+)", out)
            if not real:
                break
            name = real.group(1)
        if name not in PACKAGES:
            return name
    return None


def download():
    """Downloads the real package into build/linux/ and returns the .deb's path."""
    options = []
    package = resolve(options)
    if package is None:
        options = private_apt()
        subprocess.run(["apt-get", *options, "update", "-q"], stdout=sys.stderr)
        package = resolve(options)
    if package is None:
        fail("apt knows none of " + ", ".join(PACKAGES))
    print(f"linux-guest: downloading {package}", file=sys.stderr)
    got = subprocess.run(["apt-get", *options, "download", "-q", package], cwd=HOME,
                         stdout=sys.stderr)
    debs = glob.glob(os.path.join(glob.escape(HOME), package + "_*.deb"))
    if got.returncode or not debs:
        fail(f"apt-get download {package} failed")
    return debs[0]


def kernel_path():
    """The unpacked kernel image, fetched if it is not there yet. Safe to call in parallel."""
    os.makedirs(HOME, exist_ok=True)
    with open(os.path.join(HOME, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = os.path.join(HOME, "root")
        images = os.path.join(glob.escape(root), "boot", "vmlinuz-*")
        if not glob.glob(images):
            deb = download()
            fresh = root + ".new"
            shutil.rmtree(fresh, ignore_errors=True)
            subprocess.run(["dpkg", "-x", deb, fresh], check=True)
            shutil.rmtree(root, ignore_errors=True)
            os.rename(fresh, root)
            os.unlink(deb)
        found = sorted(glob.glob(images))
        if not found:
            fail("the package holds no boot/vmlinuz-*")
        return found[-1]


def boot_medium(initrd, append=""):
    """What scripts/qemu.py boots: this kernel with a file of initial files and more parameters."""
    return qemu.linux_medium(kernel_path(), initrd, (WORDS + " " + append).strip())


def boot(options):
    """Runs a guest with its console on standard input and output; the status for the shell."""
    machine = qemu.Machine(memory=options.mem, cpu=options.cpu, icount=options.icount)
    with open(options.log or os.devnull, "wb", buffering=0) as log:
        guest = qemu.Guest(machine, boot_medium(options.initrd, options.append), framed=False,
                           console=qemu.Writer(sys.stdout.fileno()), log=qemu.Tee(log),
                           stdin=sys.stdin.fileno())
        outcome = guest.run(options.timeout)
    if outcome.kind in ("exit", "power-off"):
        return 0
    panic = panic_text(outcome.log)
    print(f"linux-guest: {panic or outcome.kind + ': ' + outcome.text}", file=sys.stderr)
    return 1


def panic_text(log):
    """Linux's own word on why it went down, or None. log: the end of the kernel's log, bytes."""
    found = re.search(r"Kernel panic.*", log.decode(errors="replace"))
    return found.group(0).strip() if found else None


def main():
    parser = argparse.ArgumentParser(description="boot the distribution's Linux kernel in QEMU")
    orders = parser.add_subparsers(dest="order", required=True)
    orders.add_parser("fetch", help="download and unpack the kernel, print its path")
    order = orders.add_parser("boot", help="boot it")
    order.add_argument("--initrd", required=True, help="cpio archive with /init")
    order.add_argument("--mem", default="512M")
    order.add_argument("--append", default="", help="more kernel parameters")
    order.add_argument("--log", help="file for the kernel's console")
    order.add_argument("--cpu", default="", help="QEMU's CPU model")
    order.add_argument("--timeout", type=float, metavar="S", help="end it after S seconds")
    order.add_argument("--icount", action="store_true", help="deterministic instruction counts")
    options = parser.parse_args()
    if options.order == "fetch":
        print(kernel_path())
        return 0
    return boot(options)
