// SPDX-License-Identifier: MIT
// The tree of page tables of the processes shown: the root at the left, the leaf tables at the right. A table of several
// trees is drawn once, with a line from each of its parents and the number of them.

const BOX_WIDTH = 92, BOX_HEIGHT = 30, COLUMN = 128, ROW = 40, SIBLINGS_MOST = 8;
const LEVEL_NAME = ["", "leaf table", "directory", "level 3", "root"];

function svg(name, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes))
        element.setAttribute(key, value);
    element.append(...children);
    return element;
}

class TableTree {
    constructor(replay, tell) {
        Object.assign(this, { replay, tell });
        this.place = document.getElementById("tree");
    }

    // Boxes for the tables below: of many siblings alike, one box.
    children(table, census) {
        const runs = [];
        table.entries.forEach((frame, index) => {
            if (!frame)
                return;
            const shared = census.tables.get(frame) > 1, run = runs[runs.length - 1];
            if (run && run.shared === shared && run.references === census.tables.get(frame))
                run.frames.push(frame);
            else
                runs.push({ shared, references: census.tables.get(frame), frames: [frame], first: index });
        });
        const total = runs.reduce((sum, run) => sum + run.frames.length, 0);
        if (total <= SIBLINGS_MOST || table.level !== LEAF + 1)
            return runs.flatMap(run => run.frames.map(frame => ({ ...run, frames: [frame] })));
        return runs;
    }

    entriesUsed(frame) {
        return this.replay.tables.get(frame).entries.reduce((used, value) => used + (value ? 1 : 0), 0);
    }

    // Give each box its place; a box that is met again keeps the one it has. Returns the boxes by their first frame.
    layout(shown, census) {
        const boxes = new Map(), edges = [];
        let row = 0;
        const place = (box, level) => {
            const key = box.frames[0];
            const known = boxes.get(key);
            if (known)
                return known;
            boxes.set(key, box);
            box.level = level;
            const below = level > LEAF ? this.children(this.replay.tables.get(key), census) : [];
            const ys = below.map(child => {
                const fresh = !boxes.has(child.frames[0]), placed = place(child, level - 1);
                edges.push([box, placed]);
                return fresh ? placed.y : null;
            }).filter(y => y !== null);
            box.y = ys.length ? (ys[0] + ys[ys.length - 1]) / 2 : ROW * row++;
            box.x = (ROOT_LEVEL - level) * COLUMN;
            return box;
        };
        const roots = new Map();
        for (const process of shown)
            roots.set(process.root, [...roots.get(process.root) || [], process]);
        for (const [root, processes] of roots)
            place({ frames: [root], references: processes.length, shared: false, processes }, ROOT_LEVEL);
        return { boxes: [...boxes.values()], edges, height: Math.max(1, row) * ROW };
    }

    words(box) {
        const used = box.frames.reduce((sum, frame) => sum + this.entriesUsed(frame), 0);
        if (box.processes)
            return `Root table 0x${box.frames[0].toString(16)} of process ${box.processes.map(({ pid }) => pid).join(", ")}: `
                 + `${used} of 512 entries used.`;
        const which = box.frames.length > 1 ? `${number(box.frames.length)} ${LEVEL_NAME[box.level]}s side by side`
            : `${LEVEL_NAME[box.level]} 0x${box.frames[0].toString(16)}`;
        const sharing = box.shared ? `shared: ${box.references} entries above point at ${box.frames.length > 1 ? "each" : "it"}, `
            + "all of them read-only, and the first write copies it" : "of one tree alone";
        return `${which[0].toUpperCase()}${which.slice(1)}, ${number(used)} of ${number(512 * box.frames.length)} entries used; ${sharing}.`;
    }

    update(shown, census) {
        const { boxes, edges, height } = this.layout(shown, census);
        const width = (ROOT_LEVEL - 1) * COLUMN + BOX_WIDTH + 14;
        const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.frame : null;
        const drawing = svg("svg", { viewBox: `-4 -6 ${width} ${height + 4}`, width, height: height + 4, role: "group",
            "aria-label": "page tables" });
        for (const [from, to] of edges) {
            const x = from.x + BOX_WIDTH, y = from.y + BOX_HEIGHT / 2, end = to.y + BOX_HEIGHT / 2, bend = (x + to.x) / 2;
            drawing.append(svg("path", { class: to.shared ? "edge shared" : "edge", d: `M${x} ${y}C${bend} ${y} ${bend} ${end} ${to.x} ${end}` }));
        }
        for (const box of boxes)
            drawing.append(this.box(box));
        this.place.replaceChildren(drawing);
        if (focused)
            drawing.querySelector(`[data-frame="${focused}"]`)?.focus();
        return boxes;
    }

    box(box) {
        const { x, y, frames } = box, words = this.words(box);
        const used = frames.reduce((sum, frame) => sum + this.entriesUsed(frame), 0);
        const title = box.processes ? `root · ${box.processes.map(({ pid }) => pid).join(", ")}`
            : frames.length > 1 ? `${number(frames.length)} tables` : `0x${frames[0].toString(16)}`;
        const group = svg("g", { class: box.shared ? "box shared" : "box", tabindex: 0, role: "img", "aria-label": words,
            transform: `translate(${x} ${y})`, "data-frame": frames[0], "data-count": frames.length });
        for (let i = Math.min(2, frames.length - 1); i > 0; i--)
            group.append(svg("rect", { x: 3 * i, y: -3 * i, width: BOX_WIDTH, height: BOX_HEIGHT, rx: 4 }));
        group.append(svg("rect", { width: BOX_WIDTH, height: BOX_HEIGHT, rx: 4 }),
            svg("rect", { class: "fill", x: 0, y: BOX_HEIGHT - 3, height: 3, rx: 1.5,
                width: Math.max(2, BOX_WIDTH * used / (ENTRIES * frames.length)) }),
            svg("text", { x: 7, y: 13 }, title),
            svg("text", { x: 7, y: 24, class: "small" }, `${number(used)} used`));
        if (box.shared)
            group.append(svg("text", { x: BOX_WIDTH - 7, y: 19, class: "times", "text-anchor": "end" }, `×${box.references}`));
        const show = () => {
            const frame = group.getBoundingClientRect();
            this.tell(words, frame.right, frame.bottom);
        };
        group.addEventListener("pointerenter", show);
        group.addEventListener("focus", show);
        group.addEventListener("pointerleave", () => this.tell(null));
        group.addEventListener("blur", () => this.tell(null));
        return group;
    }
}
