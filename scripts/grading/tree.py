# SPDX-License-Identifier: MIT
"""The tree that is graded: everything pristine but the kernel's sources, which are the student's.

Scripts, tests, Makefile, the linker's script and the boot loader's menu come from the lab as it was handed out. Of a
submission only C, header and assembly files of the kernel's rooms are taken, as plain files. So an edited test or
harness changes nothing, and what a student's tree cannot bring in cannot do harm on the host: kernel code runs in QEMU alone.
"""
import os
import stat
import subprocess

ROOMS = ("arch", "boot", "kernel", "mm")        # where the kernel is: what students hand in
SOURCES = (".c", ".h", ".asm")
SIZE_LIMIT = 1 << 20            # of one source, bytes


class BadSubmission(Exception):
    """It cannot be graded; the text says why."""


def first_commit(root):
    """{path: (bytes, may be executed)} of the lab as it was handed out: the first commit of the student's repository."""
    def git(*words):
        done = subprocess.run(["git", "-C", root, *words], stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise BadSubmission(f"git {words[0]} fails in this tree, which must be the lab's repository: "
                                f"{done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    commit = git("rev-list", "--max-parents=0", "HEAD").decode().split()[-1]
    tree = {}
    for line in git("ls-tree", "-r", "-z", commit).decode().split("\0"):
        if line:
            mode, _, rest = line.partition(" ")
            tree[line.partition("\t")[2]] = (rest.split()[1].partition("\t")[0], mode == "100755")
    wanted = sorted({name for name, _ in tree.values()})
    done = subprocess.run(["git", "-C", root, "cat-file", "--batch"], input="\n".join(wanted).encode(), capture_output=True)
    blobs, data, at = {}, done.stdout, 0
    for name in wanted:
        end = data.index(b"\n", at)
        size = int(data[at:end].split()[2])
        blobs[name] = data[end + 1:end + 1 + size]
        at = end + 2 + size
    return {path: (blobs[name], executable) for path, (name, executable) in tree.items()}


def is_source(path):
    return path.startswith(tuple(room + "/" for room in ROOMS)) and path.endswith(SOURCES)


def kernel_sources(root):
    """{path: (bytes, False)} of the kernel's sources in a tree. Links are not followed. Raises BadSubmission."""
    found = {}
    for room in ROOMS:
        if os.path.islink(os.path.join(root, room)):
            raise BadSubmission(f"{room} is a link")
        for folder, _, names in os.walk(os.path.join(root, room)):
            for name in names:
                path = os.path.join(folder, name)
                place = os.path.relpath(path, root)
                if not is_source(place):
                    continue
                status = os.lstat(path)
                if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_LIMIT:
                    raise BadSubmission(f"{place} is no plain file of less than {SIZE_LIMIT >> 20} MiB")
                with open(path, "rb") as file:
                    found[place] = (file.read(), False)
    if not found:
        raise BadSubmission("there are no kernel sources in it")
    return found


def lay(pristine, submission, where):
    """Write the tree that is graded: `pristine` with the sources of `submission` (a directory; None: its own)."""
    tree = dict(pristine)
    if submission:
        tree = {path: entry for path, entry in tree.items() if not is_source(path)} | kernel_sources(submission)
    os.makedirs(where, exist_ok=True)
    write(tree, where)


def write(tree, where):
    """Make the directory hold exactly these files, besides build/ and .git. What is the same already is not written, so that
    make has no more to do than need be."""
    for folder, names, here in os.walk(where, topdown=True):
        if folder == where:
            names[:] = [name for name in names if name not in ("build", ".git")]
        for name in here:
            path = os.path.join(folder, name)
            if os.path.relpath(path, where) not in tree:
                os.remove(path)
    for path, (data, executable) in tree.items():
        write_file(os.path.join(where, path), data, executable)


def write_file(path, data, executable):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, "rb") as file:
            same = file.read() == data
    except FileNotFoundError:
        same = False
    if not same:
        with open(path, "wb") as file:
            file.write(data)
    os.chmod(path, 0o755 if executable else 0o644)
