// SPDX-License-Identifier: MIT
// The memory of the program at one step, moved to and fro by the operations that scripts/picture.py names.
//
// Only entries are kept. References, and with them what is shared, are counted from the roots of the address spaces
// that live: see census().

const PAGE = 4096, ENTRIES = 512, LEAF = 1, ROOT_LEVEL = 4;
const ANON = 1, ZERO = 2, FILE = 3, SHM = 4;

// What a page can be. The order is that of the legend, and of the strips in a cell that stands for many pages.
const PRIVATE = 0, COW = 1, SHARED_TABLE = 2, ZERO_PAGE = 3, FILE_PAGE = 4, SHARED_MEMORY = 5, UNTOUCHED = 6, STATES = 7;

const span = level => ENTRIES ** (level - 1);           // pages that one entry of this level covers

const copyOfTable = table => table && { ...table, entries: table.entries.slice() };

class Replay {
    constructor(picture) {
        this.steps = picture.steps.map(([time, pid, root, event, faults, start, end, text, operations]) =>
            ({ time, pid, root, event, faults, start, end, text, operations }));
        this.tables = new Map();        // frame: { level, entries }
        this.spaces = new Map();        // root: { root, promises, rss, vsz }
        this.processes = new Map();     // pid: { pid, root, parent, name }
        this.committed = this.free = 0;
        this.at = -1;
        this.frameLimit = 0;
        this.log = [];                  // what the time line needs: [step, "f" or "p" operation]
        this.machine = [];              // committed pages after each step
        this.undo = this.steps.map((step, index) => this.firstTime(step, index));
    }

    firstTime(step, index) {
        this.at = index;
        const undo = step.operations.map(operation => {
            if (operation[0] === "f" || operation[0] === "p")
                this.log.push([index, operation]);
            return this.apply(operation);
        });
        this.machine.push(this.committed);
        return undo.reverse();
    }

    goto(target) {
        while (this.at < target)
            this.steps[++this.at].operations.forEach(operation => this.apply(operation));
        while (this.at > target)
            this.undo[this.at--].forEach(operation => this.apply(operation));
    }

    // Do one operation; what undoes it. That is done many times over, so it holds copies of what will change.
    apply([code, first, ...rest]) {
        return this["do_" + code](first, ...rest);
    }

    do_n(frame, level, from) {
        const before = copyOfTable(this.tables.get(frame));
        const entries = from ? this.tables.get(from).entries.slice() : new Float64Array(ENTRIES);
        this.tables.set(frame, { frame, level, entries });
        return ["table", frame, before];
    }

    do_table(frame, table) {
        const before = copyOfTable(this.tables.get(frame));
        this.tables.set(frame, copyOfTable(table));
        return ["table", frame, before];
    }

    do_e(frame, index, ...values) {
        const { level, entries } = this.tables.get(frame);
        const before = Array.from(entries.subarray(index, index + values.length));
        values.forEach((value, i) => {
            entries[index + i] = value;
            this.frameLimit = Math.max(this.frameLimit, level === LEAF ? Math.floor(value / 8) + 1 : 0);
        });
        return ["e", frame, index, ...before];
    }

    do_s(root, space) {
        this.spaces.set(root, space ? { ...space } : { root, promises: [], rss: 0, vsz: 0 });
        return ["t", root];
    }

    do_t(root) {
        const space = { ...this.spaces.get(root) };
        this.spaces.delete(root);
        return ["s", root, space];
    }

    do_m(root, at, count, ...promises) {
        const space = this.spaces.get(root);
        const before = space.promises.slice(at, at + count);
        space.promises = [...space.promises.slice(0, at), ...promises, ...space.promises.slice(at + count)];
        return ["m", root, at, promises.length, ...before];
    }

    do_f(root, rss, vsz) {
        const space = this.spaces.get(root), before = ["f", root, space.rss, space.vsz];
        [space.rss, space.vsz] = [rss, vsz];
        return before;
    }

    do_c(committed, free) {
        const before = ["c", this.committed, this.free];
        [this.committed, this.free] = [committed, free];
        return before;
    }

    do_p(pid, root, parent, name) {
        const before = this.processes.get(pid);
        this.processes.set(pid, { pid, root, parent, name });
        return ["process", pid, before];
    }

    do_process(pid, process) {
        const before = this.processes.get(pid);
        this.processes.set(pid, process);
        return ["process", pid, before];
    }

    // ---- questions about this step

    // The processes that live, in the order of their numbers.
    living() {
        return [...this.processes.values()].filter(process => process && process.root).sort((a, b) => a.pid - b.pid);
    }

    // References to each table, and to each frame by leaf entries, in the trees of all that live.
    census() {
        const tables = new Map(), frames = new Int32Array(this.frameLimit);
        const visit = frame => {
            const count = tables.get(frame) || 0;
            tables.set(frame, count + 1);
            if (count)
                return;
            const { level, entries } = this.tables.get(frame);
            for (const value of entries) {
                if (value && level > LEAF)
                    visit(value);
                else if (value && value % 8 === ANON)
                    frames[Math.floor(value / 8)]++;
            }
        };
        for (const root of this.spaces.keys())
            visit(root);
        return { tables, frames };
    }

    // Calls found(page, state, value) for each page of [start, end), page numbers, that has an entry.
    eachPage(root, start, end, census, found) {
        const state = (value, shared) => {
            switch (shared ? -1 : value % 8) {
            case -1: return SHARED_TABLE;
            case ZERO: return ZERO_PAGE;
            case FILE: return FILE_PAGE;
            case SHM: return SHARED_MEMORY;
            default: return census.frames[Math.floor(value / 8)] > 1 ? COW : PRIVATE;
            }
        };
        const walk = (frame, base, shared) => {
            const { level, entries } = this.tables.get(frame), size = span(level);
            const first = Math.max(0, Math.floor((start - base) / size));
            for (let index = first; index < ENTRIES && base + index * size < end; index++) {
                const value = entries[index];
                if (!value)
                    continue;
                if (level > LEAF)
                    walk(value, base + index * size, shared || census.tables.get(value) > 1);
                else
                    found(base + index, state(value, shared), value);
            }
        };
        walk(root, 0, false);
    }

    // The last step up to this one that did something to a page of [start, end), or -1.
    lastStepAt(root, start, end) {
        for (let i = this.at; i >= 0; i--) {
            const step = this.steps[i];
            if (step.root === root && step.start < end && start < step.end)
                return i;
        }
        return -1;
    }

    // ---- figures over the whole time

    // Pages resident and promised of a process after each step; null where it does not live.
    series(pid) {
        const rss = [], vsz = [], figures = new Map();
        let root = 0, next = 0;
        for (let i = 0; i < this.steps.length; i++) {
            for (; next < this.log.length && this.log[next][0] === i; next++) {
                const [code, first, ...rest] = this.log[next][1];
                if (code === "f")
                    figures.set(first, rest);
                else if (first === pid)
                    root = rest[0];
            }
            const now = root ? figures.get(root) || [0, 0] : [null, null];
            rss.push(now[0]);
            vsz.push(now[1]);
        }
        return { rss, vsz };
    }

    // Faults by kind up to this step, of one process or of all (null).
    faultsSoFar(pid = null) {
        const counts = new Map();
        for (let i = 0; i <= this.at; i++) {
            const { faults, pid: by } = this.steps[i];
            if (pid === null || by === pid)
                for (let j = 0; j < faults.length; j += 2)
                    counts.set(faults[j], (counts.get(faults[j]) || 0) + faults[j + 1]);
        }
        return counts;
    }
}
