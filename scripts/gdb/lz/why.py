# SPDX-License-Identifier: MIT
"""What an access would do now, and why: the case table at the head of mm/fault.c, read without touching anything.

The order of the questions is fault_serve()'s: the promise first, then the entry, then the backing, then memory.
"""
import dataclasses

from lz import frame, layout, process, pte, target, vma

ACCESSES = ("read", "write", "exec")
FAILURES = ("SEGV_MAPERR", "SEGV_ACCERR", "BUS", "OOM")
NO_FAULT = "no fault"


@dataclasses.dataclass
class Answer:
    """`kind` is one of enum fault_kind, or NO_FAULT: the CPU does it without asking."""
    kind: str
    reasons: list
    vma: object = None

    def at_fault(self):
        """The kind that mm_fault() comes to when the CPU has asked all the same: it knew an older entry."""
        return "SPURIOUS" if self.kind == NO_FAULT else self.kind


def why(aspace, address, access):
    """The Answer for an access ("read", "write", "exec") to an address of an address space; None: no address space."""
    page = address & -layout.PAGE_SIZE
    if aspace is None:
        return Answer("SEGV_MAPERR", ["the CPU runs on the kernel's tables alone: no promise covers user addresses"])
    if page >= layout.USER_END:
        return Answer("SEGV_MAPERR", [beyond_user_space(address)])
    found, below = aspace.find_first(page)
    if found and page >= found.start:
        return inside(aspace, found, page, access)
    return outside(aspace, found, below, page, access)


def beyond_user_space(address):
    if address >= layout.DIRECT_MAP_START:
        return f"{address:#x} is a kernel address: user programs get SIGSEGV for it"
    return (f"{address:#x} lies beyond user space ({layout.USER_END:#x}); where it is not even canonical the CPU raises a "
            "general protection exception instead of a page fault")


def outside(aspace, above, below, page, access):
    """No VMA holds the page; a stack above may grow down to it."""
    if not above:
        return Answer("SEGV_MAPERR", [f"no VMA covers {page:#x}, and none lies above it"])
    reasons = [f"no VMA covers {page:#x}; the next one above is {above}"]
    if not above.has("GROWSDOWN"):
        return Answer("SEGV_MAPERR", reasons + ["that one does not grow downwards"])
    refusal = growth_refusal(aspace, above, below, page)
    if refusal:
        return Answer("SEGV_MAPERR", reasons + [f"it is a stack, but may not grow down to here: {refusal}"])
    pages = (above.start - page) >> layout.PAGE_SHIFT
    reasons.append(f"it is a stack, and may grow by {target.count(pages, 'page')} down to here")
    answer = inside(aspace, above, page, access)
    answer.reasons = reasons + answer.reasons
    if answer.kind not in FAILURES:
        answer.kind = "STACK_GROW"
    return answer


def growth_refusal(aspace, stack, below, start):
    """Why a stack may not grow down to `start`; "" if it may (mm/stack.c)."""
    pages = (stack.start - start) >> layout.PAGE_SHIFT
    if start < layout.USER_START:
        return "page 0 is never mapped"
    if stack.end - start > aspace.number("stack_limit"):
        return f"RLIMIT_STACK is {aspace.number('stack_limit') >> 10:,} KiB, it would be {(stack.end - start) >> 10:,}"
    if below and not below.has("GROWSDOWN") and below.prot and \
            start < below.end + layout.VMA_GUARD_GAP * layout.PAGE_SIZE:
        return f"{layout.VMA_GUARD_GAP} pages must stay free above {below}"
    if aspace.pages() + pages > aspace.number("size_limit") >> layout.PAGE_SHIFT:
        return f"RLIMIT_AS is {aspace.number('size_limit') >> 10:,} KiB"
    locked = sum(each.pages() for each in aspace.vmas() if each.has("LOCKED"))
    if stack.has("LOCKED") and aspace.number("unprivileged") and \
            locked + pages > aspace.number("lock_limit") >> layout.PAGE_SHIFT:
        return f"RLIMIT_MEMLOCK is {aspace.number('lock_limit') >> 10:,} KiB"
    return commit_refusal(aspace, pages) if stack.has("ACCOUNTED") else ""


def commit_refusal(aspace, pages):
    """Why the ledger would not take `pages` more for this address space; "" if it would (mm/commit.c)."""
    policy, total = target.value("commit_policy"), int(target.value("'mm/frame.c'::figures")["total"])
    mode = int(policy["overcommit_memory"])
    if mode == 0:
        return "" if pages <= total else "one request exceeds all of RAM"
    if mode == 1:
        return ""
    page_kib = layout.PAGE_SIZE >> 10
    kbytes = int(policy["overcommit_kbytes"])
    limit = kbytes // page_kib if kbytes else total * int(policy["overcommit_ratio"]) // 100
    kept = int(policy["admin_reserve_kbytes"]) // page_kib if aspace.number("unprivileged") else 0
    kept += min(aspace.pages() // layout.USER_RESERVE_SHARE, int(policy["user_reserve_kbytes"]) // page_kib)
    committed = int(target.value("'mm/commit.c'::committed"))
    if committed + pages + kept < limit:
        return ""
    return f"mode 2, and {committed:,} + {pages:,} pages with {kept:,} kept back reach the limit of {limit:,}"


def inside(aspace, found, page, access):
    """The VMA holds the page, or will."""
    reasons = [f"{found}" + (f" is {aspace.name_of(found)}" if aspace.name_of(found) else "")]
    if not found.allows(access):
        return Answer("SEGV_ACCERR", reasons + [f"it does not allow {access}"], found)
    steps = pte.walk(aspace.root, page)
    bits = pte.leaf(steps)
    if bits and not pte.refusing_level(steps, access):
        return Answer(NO_FAULT, reasons + [f"every entry on the path allows {access}"], found)
    shared = pte.shared_level(steps)
    if shared:
        reasons.append(f"the path is shared from the level-{shared} table on: it is copied first")
    answer = present(found, steps, bits, access) if bits else absent(aspace, found, page, access)
    answer.reasons = reasons + answer.reasons
    answer.vma = found
    return memory_found(answer, aspace, steps, access)


def absent(aspace, found, page, access):
    """There is no entry: the backing provides a page (mm/anon.c, mm/filemap.c, mm/shm.c)."""
    if found.backing == "reaped":
        return Answer("OOM", ["there is no entry, and the OOM reaper has taken pages: nothing is served any more"])
    if found.backing == "anonymous":
        if access != "write" and int(target.value("lazy")["zeropage"]):
            return Answer("ZERO_READ", ["there is no entry: it will show the zero page, read-only"])
        return Answer("ZERO_FILL", ["there is no entry: it takes a new frame full of zeroes"])
    cache, index = vma.Cache(found.cache), found.index_of(page)
    name = found.file()
    if not cache.holds(index):
        return Answer("BUS", [f"page {index:,} lies beyond the end of {name} ({cache.size:,} bytes)"])
    in_memory = cache.find(index)
    if not in_memory and index >= cache.backed and cache.refuses_new():
        return Answer("BUS", [f"page {index:,} of {name} is not there, and {cache.refuses_new()}"])
    reason = f"there is no entry; page {index:,} of {name} is " + (
        f"in {in_memory}" if in_memory else "to be read" if index < cache.backed else "new")
    if access == "write" and found.backing == "file" and not found.has("SHARED"):
        return Answer("COW_COPY", [reason, "the mapping is private: the writer takes a copy at once"])
    if in_memory:
        return Answer("FILE_MAP", [reason])
    return Answer("FILE_READ" if index < cache.backed else "ZERO_FILL", [reason])


def present(found, steps, bits, access):
    """The entry holds a frame. A copy of a shared table takes a reference to it, and an anonymous page's write bit."""
    copied = pte.shared_level(steps) > 0
    page = steps[-1].below
    if copied and page.kind == "ANON":
        bits &= ~layout.PTE_WRITE
    if pte.allows(bits, access):
        if access != "write":
            return Answer("SPURIOUS", [f"the entry allows {access}"])
        return Answer("COW_REUSE", [f"the leaf entry allows a write to {page}; a table above it had lost its write bit by "
                                    "fork"])
    if found.has("SHARED"):
        return Answer("COW_REUSE", [f"{page} is shared on purpose: it may be written"])
    if page.kind == "ZERO":
        return Answer("ZERO_UPGRADE", ["the entry shows the zero page: a write takes a new frame full of zeroes"])
    if page.kind == "ANON" and page.refs == 1 and not copied:
        return Answer("COW_REUSE", [f"{page} is read-only, but nobody else holds it: the write bit comes back"])
    return Answer("COW_COPY", [f"{page} " + (
        "is seen by others through the shared table" if page.refs == 1 else "is read-only, and others hold it")
        + ": the writer takes a copy"])


def memory_found(answer, aspace, steps, access):
    """Is there memory for it? Tables may take half of the reserve, pages none of it (mm/frame.c)."""
    if answer.kind in FAILURES or spends_reserve():
        return answer
    shared = pte.shared_level(steps)
    tables = sum(1 for step in steps if not step.is_page and shared and step.level - 1 <= shared)
    tables += steps[-1].level - 1 if not steps[-1].is_page else 0
    pages = int(answer.kind in ("ZERO_FILL", "ZERO_UPGRADE", "COW_COPY", "FILE_READ", "STACK_GROW") and
                (access == "write" or answer.kind != "STACK_GROW"))
    free, reserve = frame.free(), frame.reserve()
    if (tables and free - tables < reserve // 2) or (pages and free - tables - pages < reserve):
        return Answer("OOM", answer.reasons + [
            f"it would be {answer.kind}, but only {target.count(free, 'frame')} are free and {reserve:,} are kept back: the "
            "OOM killer is asked, and if its victim is another process, the fault is tried again"], answer.vma)
    return answer


def spends_reserve():
    """Has the running process been chosen to die? It may take the last frames."""
    running = process.current()
    return bool(running and int(running.record["oom_victim"]))
