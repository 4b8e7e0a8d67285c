#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# time: 30
"""scripts/run says what is wrong with its arguments before anything boots, and ends with status 2."""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import built, done, ok, run

with tempfile.TemporaryDirectory(prefix="lazybones run ") as folder:
    def file(name, data, mode=0o755):
        path = os.path.join(folder, name)
        with open(path, "wb") as out:
            out.write(data)
        os.chmod(path, mode)
        return path

    with open(built("tests/system/guest"), "rb") as program:
        static = program.read()
    good = file("good", static)
    arm = file("arm", static[:18] + b"\xb7\0" + static[20:])
    narrow = file("narrow", static[:4] + b"\1" + static[5:])
    short = file("short", static[:60])
    headless = file("headless", static[:32] + (1 << 40).to_bytes(8, "little") + static[40:])
    relocatable = file("relocatable", static[:16] + b"\1\0" + static[18:])
    script = file("script", b"#!/bin/sh\necho hello\n")
    empty = file("empty", b"")
    plain = file("plain", static, 0o644)
    with open("/bin/ls", "rb") as program:
        dynamic = program.read()
    linker = b"/lib64/ld-linux-x86-64.so.2"
    unlinkable = file("unlinkable", dynamic.replace(linker, b"/lib64/nobody-has-this.so.2"))
    library = re.search(rb"libc\.so\.6", dynamic)[0]
    lacking = file("lacking", dynamic.replace(library, b"libq.so.6"))
    large = file("large", static + bytes(5 << 20))

    for arguments, complaint in [
            ([], "PROGRAM"), ([folder + "/absent"], "No such file"), ([folder], "is a directory"),
            ([script], "a script; run its interpreter"), ([plain], "not executable"),
            (["--mem", "8M", large], "too large"), (["--mem", "0", good], "not a size"),
            ([empty], "not an ELF"), ([short], "not an ELF"),
            ([arm], "not for x86-64"), ([narrow], "not for x86-64"), ([relocatable], "not a program"), ([headless], "damaged"),
            ([unlinkable], "dynamic linker /lib64/nobody-has-this.so.2"), ([lacking], "libq.so.6"),
            (["--mem", "many", good], "--mem"), (["--smp", "0", good], "--smp"),
            (["--timeout", "soon", good], "--timeout"), (["--file", folder + "/absent", good], "No such file"),
            (["--env", "novalue", good], "NAME=VALUE"),
            (["--log", folder + "/absent/log", good], "No such file"), (["--nonsense", good], "--nonsense")]:
        status, output, errors = run("scripts/run", *arguments)
        shown = " ".join(os.path.basename(argument) for argument in arguments) or "no arguments"
        ok(status == 2 and complaint in errors and "Traceback" not in errors and not output,
           f"{shown}: {complaint}", f"status {status}\n{errors}")
done()
