#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The picture (scripts/picture.py) in headless Chromium: at every step it shows what the trace's model says, it obeys
slider, keyboard and pointer, in light and dark, without a word on the console and without the network."""
import collections
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap  # noqa: E402
from tap import equal, ok  # noqa: E402

import browser  # noqa: E402
import picture  # noqa: E402
import qemu  # noqa: E402
import trace_model  # noqa: E402

SIZE_MOST = 5_000_000       # bytes of a page
# Fork and its writes; a shell with a pipe, exec and a mark; a gigabyte that is filled with zeroes here and there.
PROGRAMS = (
    (tap.built("user/forkvars"), (), "128M"),
    ("/bin/busybox", ("sh", "-c", "ls / | wc -l; echo mark here >/proc/lazy/trace; cat /proc/self/maps"), "128M"),
    (tap.built("user/sparse"), (), "1536M"))


# ---------------------------------------------------------------- what should be seen

class Witness:
    """Takes down, at the end of each step, what the model says about all that the page shows."""

    def __init__(self, shown):
        self.picture, self.expected, self._faults = shown, [], 0
        shown.on_step = self._note

    def take(self, record):
        self.picture.take(record)
        space = self.picture.model.spaces.get(record.root)
        if record.event == trace_model.Event.FAULT and self._is_ours(space):
            self._faults += 1

    def _is_ours(self, space):
        return space and any(space is ours for ours in self._living().values())

    def _living(self):
        """Address spaces by process: the program, and all who come from it."""
        model, program = self.picture.model, self.picture.steps[0].pid if self.picture.steps else None
        family = {}
        for pid, space in sorted(model.processes.items()):
            ancestor = pid
            while ancestor and ancestor != program:
                ancestor = model.parents.get(ancestor)
            if ancestor or program is None and model.names.get(pid) == self.picture.program:
                family[pid] = space
        return family

    def _note(self):
        living = self._living()
        states, boxes = collections.Counter(), {}
        for space in living.values():
            states.update(self._states(space))
            boxes |= self._tables(space.root)
        first = living.get(self.picture.steps[0].pid if self.picture.steps else next(iter(living), None))
        self.expected.append({
            "states": {name: count for name, count in states.items() if count},
            "promised": first.vsz if first else None, "held": first.rss if first else None,
            "committed": self.picture.model.committed, "free": self.picture.model.free, "faults": self._faults,
            "tables": len(boxes), "shared": sorted(refs for level, refs in boxes.values() if level < 4 and refs > 1)})

    def _states(self, space):
        """Pages of the promises by state, in the page's words."""
        counts = collections.Counter({"untouched": space.vsz})

        def walk(table, base, shared):
            for index, child in table.entries.items():
                addr = base + index * trace_model.span(table.level)
                if table.level > trace_model.LEAF:
                    walk(child, addr, shared or child.refs > 1)
                elif space.promise_at(addr):
                    counts[self._state(child, shared)] += 1
                    counts["untouched"] -= 1
        walk(space.root, 0, False)
        return counts

    @staticmethod
    def _state(page, shared):
        if shared:
            return "in a shared table"
        if page.kind == trace_model.FrameKind.ANON:
            return "shared, copy-on-write" if page.refs > 1 else "private"
        return {"ZERO": "zero page", "FILE": "file", "SHM": "shared memory"}[page.kind.name]

    def _tables(self, table):
        found = {table.frame: (table.level, table.refs)}
        if table.level > trace_model.LEAF:
            for child in table.entries.values():
                found |= self._tables(child)
        return found


def record(program, *arguments, memory="128M"):
    """Run a program under its trace; the Witness of it."""
    witness = Witness(picture.Picture(os.path.basename(program), program))
    reader = trace_model.Reader()

    def take(data):
        for each in reader.take(data):
            witness.take(each)
    outcome, _, _ = tap.boot_program(program, *arguments, machine=qemu.Machine(memory=memory), kind="release",
                                     parameters=["trace=port"], trace=take)
    equal(outcome.status, 0, f"{witness.picture.program} runs")
    return witness


# ---------------------------------------------------------------- what is seen

SEEN = """(() => {
    const number = text => Number(text.replaceAll(",", "")), by = id => document.getElementById(id);
    const pages = id => by(id).dataset.pages === "" ? null : Number(by(id).dataset.pages);
    const states = {}, boxes = [...document.querySelectorAll("#tree .box")];
    for (const item of document.querySelectorAll("#states li"))
        if (number(item.querySelector("b").textContent))
            states[item.dataset.state] = number(item.querySelector("b").textContent);
    return {
        states, promised: pages("promised"), held: pages("held"), committed: pages("committed"), free: pages("free"),
        faults: number(by("faults").textContent),
        tables: boxes.reduce((sum, { dataset }) => sum + Number(dataset.count), 0),
        shared: boxes.flatMap(box => [...box.querySelectorAll(".times")].flatMap(
            ({ textContent }) => Array(Number(box.dataset.count)).fill(Number(textContent.slice(1))))).sort((a, b) => a - b),
    };
})()"""
EVENT = "Number(document.getElementById('event').textContent.replaceAll(',', '').match(/\\d+/)[0])"
FOCUSED = """(() => {
    const at = document.activeElement;
    return at.id || at.dataset.frame || at.getAttribute("aria-label") || at.textContent || at.tagName;
})()"""
# The points of a canvas, by way of a copy: a canvas that is read is drawn more slowly ever after.
POINTS = """(canvas => {
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height).data;
})"""
COLOURS = f"""(() => [getComputedStyle(document.body).backgroundColor,
    String({POINTS}(document.querySelector("#states canvas")).slice(0, 4))])()"""
SLIDE = """(step => {
    const slider = document.getElementById("slider");
    slider.value = step;
    slider.dispatchEvent(new Event("input"));
})(%d)"""


def check_steps(page, witness, program):
    """Every step in order, forward with the slider and backward with the key, against the model."""
    expected = witness.expected
    wrong = []
    last = len(expected) - 1
    for step in range(last + 1):
        page.evaluate(SLIDE % step)
        wrong += differences(page, expected[step], step)
    ok(last > 20 and not wrong, f"{program}: {last + 1} steps forward, each as the trace says", "\n".join(wrong[:5]))
    wrong = []
    for step in range(last - 1, -1, -1):
        page.key("ArrowLeft")
        wrong += differences(page, expected[step], step)
    ok(not wrong, f"{program}: and backward", "\n".join(wrong[:5]))
    page.key("End")
    equal(page.evaluate(SEEN), expected[-1], f"{program}: the figures at the end are those of the model")


def differences(page, expected, step):
    seen = page.evaluate(SEEN)
    return [f"step {step}, {name}: seen {seen[name]}, expected {expected[name]}"
            for name in expected if seen[name] != expected[name]]


def open_page(chromium, path, name):
    page = chromium.open(path)
    ok(page.wait("document.documentElement?.dataset.ready"), f"{name}: the page renders", "\n".join(chromium.complaints))
    return page


def check_fork(page, witness):
    """The moment of fork: all that is there is in shared tables; the child's writes part them."""
    fork = next(i for i, step in enumerate(witness.picture.steps) if step.event == trace_model.Event.CHILD)
    page.evaluate(SLIDE % fork)
    seen = page.evaluate(SEEN)
    equal(set(seen["states"]), {"in a shared table", "untouched"}, "fork: every page that is there is in a shared table")
    ok(len(seen["shared"]) == 2, "fork: two entries of the root share all that hangs on them", str(seen))
    equal(page.evaluate("document.querySelectorAll('.process').length"), 2, "fork: parent and child stand side by side")
    page.key("ArrowRight")
    after = page.evaluate(SEEN)
    ok("private" in after["states"] and len(after["shared"]) == 1, "fork: the first write takes one of the two paths out",
       str(after))
    held = page.evaluate("document.getElementById('whose').textContent")
    page.evaluate("document.querySelectorAll('.process button')[1].click()")
    ok(page.evaluate("document.getElementById('whose').textContent") != held, "the child's button puts it into the time line")
    page.evaluate("document.querySelectorAll('.process button')[0].click()")


def check_keyboard(page, last):
    page.evaluate("document.activeElement.blur()")
    page.key("Home")
    equal(page.evaluate(EVENT), 1, "Home goes to the first event")
    page.key("ArrowRight")
    page.key("ArrowRight")
    equal(page.evaluate(EVENT), 3, "the right arrow goes one event on")
    page.key(" ")
    ok(page.wait(f"{EVENT} > 5"), "space plays")
    page.key(" ")
    stopped = page.evaluate(EVENT)
    equal(page.evaluate("document.getElementById('play').textContent"), "Play", "space again stops")
    equal(page.evaluate(f"new Promise(done => setTimeout(() => done({EVENT}), 600))"), stopped, "and nothing moves any more")
    page.key("End")
    equal(page.evaluate(EVENT), last, "End goes to the last event")
    page.evaluate(SLIDE % (last // 2))
    page.evaluate("document.activeElement.blur()")
    reached, wanted = set(), page.evaluate("document.querySelectorAll('button, select, input, [tabindex]').length")
    for _ in range(wanted + 2):
        page.key("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    ok(len(reached) >= wanted, f"Tab reaches all of {wanted} controls, grids and tables", f"only {len(reached)}")
    page.evaluate("document.getElementById('slider').focus()")
    before = page.evaluate(EVENT)
    page.key("ArrowRight")
    equal(page.evaluate(EVENT), before + 1, "the arrow keys move the slider itself")


def check_cells(page):
    page.evaluate("document.querySelector('.mapping canvas').focus()")
    first = page.evaluate("document.getElementById('note').textContent")
    ok(re.match(r"Page 0x[0-9a-f]+, program .*\bprocess \d+: ", first, re.DOTALL),
       "a cell that has the focus tells its state, and the event that made it", first)
    page.key("Enter")
    named = int(re.search(r"Event (\d+)", first)[1])
    equal(page.evaluate(EVENT), named, "Enter goes to that event")
    page.evaluate("document.querySelectorAll('.mapping canvas')[1].focus()")
    at_first = page.evaluate("document.getElementById('note').textContent")
    page.key("ArrowRight")
    ok(page.evaluate("document.getElementById('note').textContent") != at_first, "the arrow keys go from cell to cell", at_first)
    page.evaluate("document.activeElement.blur()")
    ok(page.evaluate("document.getElementById('note').hidden"), "without the focus it says nothing")
    place = page.evaluate("(() => { const box = document.querySelector('.mapping canvas'); box.scrollIntoView({block: 'center'});"
                          "const { left, top } = box.getBoundingClientRect(); return [left + 6, top + 6]; })()")
    page.point(*place)
    ok(page.wait("!document.getElementById('note').hidden"), "a cell under the pointer tells it, too")
    page.point(5, 5)
    place = page.evaluate("(() => { const box = document.querySelector('#tree .box'); box.scrollIntoView({block: 'center'});"
                          "const { left, top } = box.getBoundingClientRect(); return [left + 20, top + 10]; })()")
    page.point(*place)
    ok(page.wait("document.getElementById('note').textContent.startsWith('Root table 0x')"), "and so does a table")


def check_chart(page, last):
    """The chart has lines, and a click on it goes there."""
    inked = page.evaluate(f"""[...document.querySelectorAll("#chart canvas, #lanes, .mapping canvas")].every(canvas =>
        {POINTS}(canvas).some(value => value))""")
    ok(inked, "every canvas is drawn on")
    page.evaluate("scrollTo(0, 0)")
    left, top, width = page.evaluate("""(() => { const { left, top, width } = document.getElementById("chart").getBoundingClientRect();
                                        return [left, top, width]; })()""")
    page.click(left + width - 15, top + 50)
    equal(page.evaluate(EVENT), last, "a click at the time line's end goes to the last event")
    page.evaluate("document.getElementById('scale').click()")
    page.click(left + 65, top + 50)
    equal(page.evaluate(EVENT), 1, "also along time: at its beginning is the first")
    page.evaluate("document.getElementById('scale').click()")


def check_colours(page):
    page.prefer("light")
    light = page.evaluate(COLOURS)
    page.prefer("dark")
    for i, where in enumerate(("on the page", "in the grids")):
        ok(page.wait(f"{COLOURS}[{i}] !== '{light[i]}'"), f"dark has colours of its own {where}", str(light))
    dark = page.evaluate(COLOURS)
    page.evaluate("document.getElementById('theme').click()")
    equal(page.evaluate(COLOURS), light, "the button turns dark into light")
    page.evaluate("document.getElementById('theme').click()")
    equal(page.evaluate(COLOURS), dark, "and back")
    page.prefer("light")


def check_document(page, path):
    """What is true of the file itself."""
    text = open(path).read()
    ok(len(text.encode()) < SIZE_MOST, f"it has {len(text.encode()):,} bytes")
    ok(not re.search(r"""(?:src=|href=|url\()(?!["']?data:)""", text.split("<script")[0]), "it loads nothing from elsewhere")
    equal(page.evaluate("""(() => { const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
                           return ids.length - new Set(ids).size; })()"""), 0, "no id is there twice")
    equal(page.evaluate("document.compatMode"), "CSS1Compat", "it is in standards mode")
    equal(page.evaluate("""[...document.querySelectorAll("button, select, input, canvas[tabindex], [role=img]")].filter(each =>
          !(each.getAttribute("aria-label") || each.textContent.trim())).length"""), 0, "every control has a name")
    ok(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the window")


def check_thinning(chromium, witness, place):
    """With fewer steps than events the end is the same, and no fault is lost."""
    full, limit = witness.picture.steps, 30
    ok(len(full) > 2 * limit, f"there are {len(full)} steps")
    kept, picture.STEP_LIMIT = picture.STEP_LIMIT, limit
    path = os.path.join(place, "thin.html")
    witness.picture.write(path)
    picture.STEP_LIMIT = kept
    page = open_page(chromium, path, "joined steps")
    last = page.evaluate("Number(document.getElementById('slider').max)")
    ok(0 < last < limit, f"they are {last + 1} when {limit} is the limit")
    page.key("End")
    equal(page.evaluate(SEEN), witness.expected[-1], "and end in the same state, with the same faults")


def check_command(place):
    """scripts/run --html, as people use it."""
    path = os.path.join(place, "page.html")
    status, out, errors = tap.run("scripts/run", "--html", path, "build/user/forkvars")
    ok(status == 0 and b"addresses" in out and path in errors,
       "scripts/run --html runs the program, and says where the page is", f"status {status}\n{errors}")
    status, _, errors = tap.run("scripts/run", "--html", "/nowhere/page.html", "build/user/forkvars")
    ok(status == 2 and "--html /nowhere/page.html" in errors, "a page that cannot be written is an error",
       f"status {status}\n{errors}")
    return path


def prepare():
    """The browser and the plotting library; without them there is nothing to test."""
    missing = ["picture"] + ([] if browser.find() else ["browser"])
    setup = subprocess.run([os.path.join(tap.ROOT, "scripts", "setup"), *missing], capture_output=True, text=True)
    if not browser.find():
        tap.skip_all("no Chromium here: " + (setup.stderr.strip().splitlines() or ["not installed"])[-1])
    try:
        picture.plot_library()
    except qemu.CannotRun as reason:
        tap.skip_all(str(reason).splitlines()[0])


def main():
    prepare()
    with tempfile.TemporaryDirectory() as place, browser.Browser() as chromium:
        for path, arguments, memory in PROGRAMS:
            witness = record(path, *arguments, memory=memory)
            program = witness.picture.program
            path = os.path.join(place, program + ".html")
            ok(witness.picture.finish(), f"{program} has a picture")
            witness.picture.write(path)
            last = len(witness.expected)
            page = open_page(chromium, path, program)
            check_steps(page, witness, program)
            if program == "forkvars":
                check_fork(page, witness)
                check_keyboard(page, last)
                check_cells(page)
                check_chart(page, last)
                check_colours(page)
                check_document(page, path)
        check_thinning(chromium, witness, place)
        open_page(chromium, check_command(place), "scripts/run --html")
        equal(chromium.complaints, [], "not a word on the console")
        equal([url for url in chromium.requests if not url.startswith(("file:", "data:"))], [], "no request to any network")
        ok(len(chromium.requests) >= 5, "(and requests are heard of)", str(chromium.requests))
    tap.done()


if __name__ == "__main__":
    main()
