// SPDX-License-Identifier: MIT
// Colours, shapes and words: for each state of a page and each kind of fault a colour and a form, so that neither is
// needed to tell them apart. Colours are CSS variables, since light and dark have their own.

const STATE = [];
STATE[PRIVATE] = { name: "private", color: "--private", words: "memory of its own" };
STATE[COW] = { name: "shared, copy-on-write", color: "--cow", words: "a frame that others point at, too; copied by the first write" };
STATE[SHARED_TABLE] = { name: "in a shared table", color: "--table", words: "fork shared the page table itself; nothing below it was looked at" };
STATE[ZERO_PAGE] = { name: "zero page", color: "--zero", words: "only ever read: the one page of zeroes that all share" };
STATE[FILE_PAGE] = { name: "file", color: "--file", words: "the page cache's own page" };
STATE[SHARED_MEMORY] = { name: "shared memory", color: "--shm", words: "one page for all who map it" };
STATE[UNTOUCHED] = { name: "untouched", color: "--untouched", words: "promised, and nothing more" };

const KIND = {
    ZERO_READ: { name: "zero read", color: "--zero-mark", mark: "ring", words: "first read: the page of zeroes" },
    ZERO_FILL: { name: "zero fill", color: "--private", mark: "disc", words: "first write: a new page" },
    ZERO_UPGRADE: { name: "zero upgrade", color: "--private", mark: "half", words: "first write, after reads" },
    COW_COPY: { name: "copy", color: "--cow", mark: "square", words: "write to a shared page" },
    COW_REUSE: { name: "reuse", color: "--cow", mark: "box", words: "write; nobody else has it" },
    FILE_MAP: { name: "file, in memory", color: "--file", mark: "peak", words: "had been read before" },
    FILE_READ: { name: "file, read", color: "--file", mark: "triangle", words: "had to be fetched" },
    STACK_GROW: { name: "stack grows", color: "--table", mark: "down", words: "touched just below" },
    SPURIOUS: { name: "spurious", color: "--muted", mark: "dash", words: "the entry allowed it" },
    SEGV_MAPERR: { name: "no mapping", color: "--bad", mark: "cross", words: "SIGSEGV" },
    SEGV_ACCERR: { name: "forbidden", color: "--bad", mark: "plus", words: "SIGSEGV" },
    BUS: { name: "bus error", color: "--bad", mark: "diamond", words: "SIGBUS" },
    OOM: { name: "out of memory", color: "--bad", mark: "star", words: "no frame was left" },
};

const palette = {};

// After the colours of the page have changed.
function readPalette() {
    const style = getComputedStyle(document.documentElement);
    for (const { color } of [...STATE, ...Object.values(KIND)])
        palette[color] = style.getPropertyValue(color).trim();
    for (const name of ["--ink", "--muted", "--rule", "--paper", "--vsz", "--rss", "--committed"])
        palette[name] = style.getPropertyValue(name).trim();
}

// A canvas of this size in CSS pixels, sharp on any screen. Its context.
function sized(canvas, width, height) {
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
        canvas.width = Math.round(width * scale);
        canvas.height = Math.round(height * scale);
        canvas.style.width = width + "px";
        canvas.style.height = height + "px";
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
}

function polygon(context, ...points) {
    context.beginPath();
    points.forEach(([x, y], i) => i ? context.lineTo(x, y) : context.moveTo(x, y));
    context.closePath();
}

// The mark of a fault kind, centred, of radius r.
const MARK = {
    ring: (c, x, y, r) => { c.beginPath(); c.arc(x, y, r, 0, 7); c.stroke(); },
    disc: (c, x, y, r) => { c.beginPath(); c.arc(x, y, r, 0, 7); c.fill(); },
    half: (c, x, y, r) => {
        MARK.ring(c, x, y, r);
        c.beginPath(); c.arc(x, y, r, Math.PI / 2, Math.PI * 3 / 2); c.fill();
    },
    square: (c, x, y, r) => c.fillRect(x - r, y - r, 2 * r, 2 * r),
    box: (c, x, y, r) => c.strokeRect(x - r, y - r, 2 * r, 2 * r),
    triangle: (c, x, y, r) => { polygon(c, [x, y - r], [x + r, y + r], [x - r, y + r]); c.fill(); },
    peak: (c, x, y, r) => { polygon(c, [x, y - r], [x + r, y + r], [x - r, y + r]); c.stroke(); },
    down: (c, x, y, r) => { polygon(c, [x, y + r], [x + r, y - r], [x - r, y - r]); c.fill(); },
    dash: (c, x, y, r) => c.fillRect(x - r, y - r / 4, 2 * r, r / 2),
    cross: (c, x, y, r) => {
        c.beginPath(); c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x + r, y - r); c.lineTo(x - r, y + r); c.stroke();
    },
    plus: (c, x, y, r) => { c.beginPath(); c.moveTo(x - r, y); c.lineTo(x + r, y); c.moveTo(x, y - r); c.lineTo(x, y + r); c.stroke(); },
    diamond: (c, x, y, r) => { polygon(c, [x, y - r], [x + r, y], [x, y + r], [x - r, y]); c.fill(); },
    star: (c, x, y, r) => { MARK.plus(c, x, y, r); MARK.cross(c, x, y, r * 0.7); },
};

function drawMark(context, kind, x, y, radius = 4) {
    context.fillStyle = context.strokeStyle = palette[kind.color];
    context.lineWidth = 1.6;
    MARK[kind.mark](context, x, y, radius);
}

// The form of a state over its colour, where a cell (or its strip) has room for it.
const PATTERN = [];
PATTERN[COW] = (c, x, y, w, h) => { c.moveTo(x, y + h); c.lineTo(x + w, y); };
PATTERN[SHARED_TABLE] = (c, x, y, w, h) => {
    c.moveTo(x, y + h / 3); c.lineTo(x + w, y + h / 3); c.moveTo(x, y + h * 2 / 3); c.lineTo(x + w, y + h * 2 / 3);
};
PATTERN[ZERO_PAGE] = (c, x, y, w, h) => {
    c.moveTo(x + w / 2 + h / 4, y + h / 2); c.ellipse(x + w / 2, y + h / 2, h / 4, h / 4, 0, 0, 7);
};
PATTERN[FILE_PAGE] = (c, x, y, w, h) => { c.moveTo(x, y + h / 2); c.lineTo(x + w / 2, y + h); };
PATTERN[SHARED_MEMORY] = (c, x, y, w, h) => { c.moveTo(x + w / 2, y); c.lineTo(x + w / 2, y + h); };

// A rectangle in the colour and form of a state.
function drawState(context, state, x, y, width, height) {
    if (state === UNTOUCHED) {
        context.strokeStyle = palette["--untouched"];
        context.lineWidth = 1;
        context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
        return;
    }
    context.fillStyle = palette[STATE[state].color];
    context.fillRect(x, y, width, height);
    if (PATTERN[state] && height >= 7 && width >= 7) {
        context.strokeStyle = palette["--paper"];
        context.lineWidth = 1.2;
        context.beginPath();
        PATTERN[state](context, x, y, width, height);
        context.stroke();
    }
}

// A cell that stands for pages in several states: a strip for each, as high as its share, and never invisible.
function drawCell(context, counts, x, y, size) {
    drawState(context, UNTOUCHED, x, y, size, size);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const strips = counts.map((count, state) => ({ count, state })).filter(({ count, state }) => count && state !== UNTOUCHED);
    let bottom = y + size, left = size;
    strips.forEach(({ count, state }, i) => {
        const room = left - 2 * (strips.length - 1 - i) - (counts[UNTOUCHED] ? 2 : 0);
        const height = strips.length === 1 && count === total ? size : Math.min(room, Math.max(2, Math.round(size * count / total)));
        bottom -= height;
        left -= height;
        drawState(context, state, x, bottom, size, height);
    });
}

// ---- words

function bytes(pages) {
    let amount = pages * 4, unit = 0;
    while (amount >= 1024 && unit < 3) {
        amount /= 1024;
        unit++;
    }
    const shown = amount >= 100 || Number.isInteger(amount) ? Math.round(amount) : amount.toPrecision(3);
    return `${shown} ${["KiB", "MiB", "GiB", "TiB"][unit]}`;
}

const number = count => count.toLocaleString("en-US");
const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;
const address = page => "0x" + (page * PAGE).toString(16);
