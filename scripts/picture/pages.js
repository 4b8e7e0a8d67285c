// SPDX-License-Identifier: MIT
// The grids: for each process its mappings, for each mapping its pages. A cell is 2^n pages, so that even the largest
// mapping has no more than ROWS_MOST rows of cells.

const CELL = 12, GAP = 2, PITCH = CELL + GAP, ROWS_MOST = 12;

class Grid {
    // One mapping of one address space. `tell` shows a text near a place, or hides it (null); `go` moves to a step.
    constructor(replay, root, tell, go) {
        Object.assign(this, { replay, root, tell, go, cursor: 0, cells: [] });
        this.canvas = document.createElement("canvas");
        this.canvas.tabIndex = 0;
        this.canvas.setAttribute("role", "img");
        this.canvas.addEventListener("pointermove", event => this.point(this.cellAt(event), event));
        this.canvas.addEventListener("pointerleave", () => this.point(-1));
        this.canvas.addEventListener("click", event => this.jump(this.cellAt(event)));
        this.canvas.addEventListener("keydown", event => this.key(event));
        this.canvas.addEventListener("focus", () => this.focus());
        this.canvas.addEventListener("blur", () => { this.draw(); this.tell(null); });
    }

    show(promise, census, width) {
        this.promise = promise;
        this.columns = Math.max(1, Math.floor((width + GAP) / PITCH));
        if (this.columns >= 16)
            this.columns -= this.columns % 16;
        this.count(census);
        this.draw();
    }

    // Pages of the mapping, counted by state and cell.
    count(census) {
        const [start, end] = [this.promise[0] / PAGE, this.promise[1] / PAGE];
        this.start = start;
        this.size = 2 ** Math.max(0, Math.ceil(Math.log2((end - start) / (this.columns * ROWS_MOST))));
        this.cells = Array.from({ length: Math.ceil((end - start) / this.size) }, (_, i) => {
            const counts = new Array(STATES).fill(0);
            counts[UNTOUCHED] = Math.min(this.size, end - start - i * this.size);
            return counts;
        });
        this.totals = new Array(STATES).fill(0);
        this.replay.eachPage(this.root, start, end, census, (page, state) => {
            const counts = this.cells[Math.floor((page - start) / this.size)];
            counts[state]++;
            counts[UNTOUCHED]--;
            this.totals[state]++;
        });
        this.totals[UNTOUCHED] = end - start - this.totals.reduce((sum, count) => sum + count, 0);
        this.cursor = Math.min(this.cursor, this.cells.length - 1);
    }

    draw() {
        const rows = Math.ceil(this.cells.length / this.columns);
        const context = sized(this.canvas, Math.min(this.columns, this.cells.length) * PITCH, rows * PITCH);
        this.cells.forEach((counts, i) => drawCell(context, counts, ...this.place(i), CELL));
        const now = this.replay.steps[this.replay.at];
        if (now.root === this.root && now.end > now.start)
            this.frame(context, now.start, now.end, palette["--ink"]);
        if (document.activeElement === this.canvas)
            this.frameCell(context, this.cursor, palette["--ink"], 2);
        this.canvas.setAttribute("aria-label", `${this.promise[4]}, ${this.promise[2]}: ${this.summary(this.totals)}`);
    }

    place(i) {
        return [i % this.columns * PITCH, Math.floor(i / this.columns) * PITCH];
    }

    frameCell(context, i, color, width) {
        const [x, y] = this.place(i);
        context.strokeStyle = color;
        context.lineWidth = width;
        context.strokeRect(x, y, CELL, CELL);
    }

    // Frame the cells of the pages [start, end), if they are few: what the step has just changed.
    frame(context, start, end, color) {
        const first = Math.max(0, Math.floor((start - this.start) / this.size));
        const last = Math.min(this.cells.length - 1, Math.floor((end - 1 - this.start) / this.size));
        for (let i = first; i <= last && last - first < 16; i++)
            this.frameCell(context, i, color, 1.5);
    }

    summary(counts) {
        return counts.map((count, state) => count ? `${number(count)} ${STATE[state].name}` : "").filter(Boolean).join(", ");
    }

    // What there is to say about a cell.
    words(i) {
        const start = this.start + i * this.size;
        const end = Math.min(start + this.size, this.promise[1] / PAGE);
        const last = this.replay.lastStepAt(this.root, start, end);
        const where = end - start === 1 ? `Page ${address(start)}` : `${plural(end - start, "page")} from ${address(start)}`;
        const state = this.cells[i].findIndex(count => count === end - start);
        const what = state < 0 ? this.summary(this.cells[i]) : `${STATE[state].name} (${STATE[state].words})`;
        const step = this.replay.steps[last];
        const story = step ? `\nEvent ${number(last + 1)}, process ${step.pid}: ${step.text}.` : "";
        return `${where}, ${this.promise[4]}: ${what}.${this.frames(start, end)}${story}`;
    }

    // The frame behind a single page, and how many entries point at it.
    frames(start, end) {
        let told = "";
        if (end - start === 1) {
            const census = this.replay.census();
            this.replay.eachPage(this.root, start, end, census, (page, state, value) => {
                const frame = Math.floor(value / 8);
                if (frame && value % 8 === ANON)
                    told = ` Frame 0x${frame.toString(16)}, ${plural(census.frames[frame], "reference")}.`;
            });
        }
        return told;
    }

    // ---- pointer and keyboard

    cellAt(event) {
        const x = Math.floor(event.offsetX / PITCH), y = Math.floor(event.offsetY / PITCH), i = y * this.columns + x;
        return x < this.columns && i < this.cells.length ? i : -1;
    }

    point(i, event) {
        this.tell(i < 0 ? null : this.words(i), event && event.clientX, event && event.clientY);
    }

    jump(i) {
        if (i < 0)
            return;
        const start = this.start + i * this.size;
        const last = this.replay.lastStepAt(this.root, start, start + this.size);
        if (last >= 0)
            this.go(last);
    }

    focus() {
        const box = this.canvas.getBoundingClientRect(), [x, y] = this.place(this.cursor);
        this.draw();
        this.tell(this.words(this.cursor), box.left + x + CELL, box.top + y + CELL);
    }

    key(event) {
        const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns }[event.key];
        if (event.key === "Enter")
            this.jump(this.cursor);
        else if (move)
            this.cursor = Math.max(0, Math.min(this.cells.length - 1, this.cursor + move));
        else
            return;
        event.preventDefault();
        event.stopPropagation();
        this.focus();
    }
}

// All processes that are shown, side by side.
class Pages {
    constructor(replay, tell, go, choose) {
        Object.assign(this, { replay, tell, go, choose });
        this.place = document.getElementById("processes");
        this.cards = new Map();         // pid: what is on the page for it
    }

    // Bring the page to the step. Returns the pages of all that is shown by state.
    update(shown, focus, census) {
        const totals = new Array(STATES).fill(0);
        for (const [pid, card] of this.cards)
            if (!shown.some(process => process.pid === pid)) {
                card.element.remove();
                this.cards.delete(pid);
            }
        shown.forEach((process, i) => {
            if (!this.cards.has(process.pid))
                this.cards.set(process.pid, this.makeCard(process.pid));
            const card = this.cards.get(process.pid);
            if (this.place.children[i] !== card.element)
                this.place.insertBefore(card.element, this.place.children[i] || null);
            this.updateCard(card, process);
            card.element.classList.toggle("focus", process.pid === focus);
            card.button.setAttribute("aria-pressed", process.pid === focus);
        });
        // Drawn when all are in place, and so as wide as they stay.
        for (const { pid, root } of shown)
            this.replay.spaces.get(root).promises.forEach((promise, i) => {
                const row = this.cards.get(pid).rows[i];
                this.showRow(row, promise, census);
                row.grid.totals.forEach((count, state) => { totals[state] += count; });
            });
        return totals;
    }

    makeCard(pid) {
        const element = document.createElement("section");
        element.className = "process";
        element.innerHTML = `<h3><button type="button"></button><span></span></h3><div class="mappings"></div>`;
        const button = element.querySelector("button");
        button.addEventListener("click", () => this.choose(pid));
        button.title = "show this process in the time line";
        element.dataset.pid = pid;
        return { element, button, figures: element.querySelector("span"), list: element.querySelector(".mappings"), rows: [], root: 0 };
    }

    updateCard(card, process) {
        const space = this.replay.spaces.get(process.root);
        card.button.textContent = `${process.name} · ${process.pid}`;
        card.figures.textContent = `holds ${plural(space.rss, "page")} of ${number(space.vsz)} promised`;
        if (card.root !== process.root) {
            card.list.replaceChildren();
            card.rows = [];
            card.root = process.root;
        }
        while (card.rows.length > space.promises.length)
            card.rows.pop().element.remove();
        while (card.rows.length < space.promises.length)
            card.rows.push(this.makeRow(card));
    }

    makeRow(card) {
        const element = document.createElement("div");
        element.className = "mapping";
        element.innerHTML = `<p><b></b> <span></span></p><div class="cells"></div>`;
        const grid = new Grid(this.replay, card.root, this.tell, this.go);
        const cells = element.querySelector(".cells");
        cells.append(grid.canvas);
        card.list.append(element);
        return { element, grid, cells, name: element.querySelector("b"), more: element.querySelector("span") };
    }

    showRow(row, promise, census) {
        const [start, end, rights, , name] = promise;
        row.grid.show(promise, census, row.cells.clientWidth);
        row.name.textContent = name;
        const cell = row.grid.size > 1 ? `; a cell is ${number(row.grid.size)} pages` : "";
        row.more.textContent = `${rights}, ${bytes((end - start) / PAGE)}${cell}`;
        row.more.title = `0x${start.toString(16)} to 0x${end.toString(16)}`;
    }
}
