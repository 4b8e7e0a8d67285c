#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 128M  time: 120
"""gdb's lz commands: predictions for every kind of fault, and the difference that each makes; launch.json."""
import json
import os
import re
import signal
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, built, contains, done, equal, note, ok, run

SCRIPT = "tests/system/gdb-lz.py"


def session(part, *options, kind="debug"):
    """One machine under gdb that runs a part of the script. Its checks become ours."""
    kernel, iso = built(f"{kind}/lazybones.elf"), f"build/{kind}/lazybones.iso"
    begun = time.monotonic()
    status, output, errors = run("scripts/qemu.py", "debug", "--session", f"lz-{part.replace(' ', '-')}", *options, kernel, iso,
                                 "-batch", "-x", SCRIPT, limit=100, LZ_PART=part)
    text = output.decode(errors="replace")
    checks = re.findall(r"^check (pass|fail|note) (.*)$", text, re.M)
    for verdict, name in checks:
        if verdict == "note":
            note(name)
        else:
            ok(verdict == "pass", name)
    note(f"{part}: {time.monotonic() - begun:.1f} s")
    ok(status == 0 and checks and "Traceback" not in text + errors, f"the session ends well: {part}", text[-2000:] + errors[-2000:])


def constants_agree():
    """scripts/gdb/lz/layout.py repeats what C has in macros."""
    sys.path.insert(0, os.path.join(ROOT, "scripts/gdb/lz"))
    import layout
    names = {"PAGE_SIZE": 1 << layout.PAGE_SHIFT, "VMA_GUARD_GAP": layout.VMA_GUARD_GAP * layout.PAGE_SIZE}
    texts = ""
    for path in ("arch/x86_64/page.h", "arch/x86_64/pte.h", "mm/vma.h", "mm/pagecache.c"):
        with open(os.path.join(ROOT, path)) as file:
            texts += file.read()
    for name in dir(layout):
        found = re.search(rf"^#define {name} (.+?)(?: /\*.*)?$", texts, re.M)
        if not found:
            continue
        expression = re.sub(r"(?<=[0-9a-f])ul\b", "", found[1])
        wanted = eval(expression, {"PAGE_SHIFT": layout.PAGE_SHIFT, "PAGE_SIZE": layout.PAGE_SIZE})
        equal(names.get(name, getattr(layout, name)), wanted, f"layout.py: {name}")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def launch_json():
    """VS Code's configuration, done by hand: the same commands in the same order, to a guest that waits."""
    with open(os.path.join(ROOT, ".vscode/launch.json")) as file:
        configuration = json.load(file)["configurations"][0]
    program = configuration["program"].replace("${workspaceFolder}", ROOT)
    ok(os.path.isfile(program), "launch.json: the kernel is where it says")
    equal(configuration["miDebuggerServerAddress"], "localhost:1234", "launch.json: the port that the README names")
    commands = [each["text"].replace("${workspaceFolder}", ROOT)
                for each in configuration["setupCommands"]]
    after = [each["text"].replace("${workspaceFolder}", ROOT) for each in configuration["postRemoteConnectCommands"]]
    port = free_port()
    waiting = subprocess.Popen(["scripts/qemu.py", "debug", "--session", "lz-wait", "--wait", str(port),
                                "--program", "build/tests/system/kinds", program, "build/debug/lazybones.iso"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        contains(waiting.stdout.readline(), f"localhost:{port}", "--wait says where it listens")
        arguments = [word for command in [*commands, f"target remote localhost:{port}", *after, "continue", "lz why"]
                     for word in ("-ex", command)]
        finished = subprocess.run(["gdb", "-q", "-batch", *arguments, program], cwd=ROOT, capture_output=True, text=True,
                                  timeout=60)
        ok(re.search(r"Breakpoint 1, mm_fault", finished.stdout), "launch.json: it stops at the first fault",
           finished.stdout + finished.stderr)
        contains(finished.stdout, "exec: FILE_READ", "launch.json: and lz is there")
    finally:
        waiting.send_signal(signal.SIGINT)
        waiting.wait()


start = time.monotonic()
built("tests/system/kinds")
built("release/lazybones")
built("debug/lazybones.iso")
constants_agree()
program = ("--program", "build/tests/system/kinds")
session("before_the_kernel kinds", *program, "--append", "trace=on")
with tempfile.TemporaryDirectory(prefix="lazy bones ") as room:
    session("places", "--program", shutil.copy2(built("tests/system/kinds"), room))     # a path with spaces
session("every_fault", "--program", "build/user/forkvars")
session("spurious", "--append", "selftest=fault")
session("panic", "--append", "panic=test")
session("optimised", *program, "--append", "trace=on", kind="release")
launch_json()
note(f"{time.monotonic() - start:.0f} s")
done()
