// SPDX-License-Identifier: MIT
// The time line: virtual size, resident size and commitment (uPlot), and below it a lane of marks for each kind of fault.

const LANE = 20, AXIS = 64, RIGHT = 22, SIGN = 15;

class Timeline {
    // seek(step) is called where the user clicks.
    constructor(replay, kinds, seek) {
        this.replay = replay;
        this.kinds = kinds;
        this.chart = document.getElementById("chart");
        this.lanes = document.getElementById("lanes");
        this.playhead = document.getElementById("playhead");
        this.byTime = false;
        this.used = kinds.map((_, number) => number).filter(number => replay.steps.some(({ faults }) =>
            faults.some((kind, i) => i % 2 === 0 && kind === number)));
        this.plot = null;
        for (const surface of [this.chart, this.lanes])
            surface.addEventListener("click", event => seek(this.stepAt(event.clientX)));
        this.makeLabels();
    }

    makeLabels() {
        const list = document.getElementById("kinds");
        this.counters = new Map();
        for (const number of this.used) {
            const kind = KIND[this.kinds[number]], item = document.createElement("li");
            item.innerHTML = `<canvas aria-hidden="true"></canvas><span class="kind"></span><b></b>`;
            item.querySelector(".kind").append(kind.name);
            item.title = `${this.kinds[number]}: ${kind.words}`;
            item.dataset.kind = this.kinds[number];
            list.append(item);
            const words = document.createElement("small");
            words.textContent = kind.words;
            item.querySelector(".kind").append(" ", words);
            this.counters.set(number, item.querySelector("b"));
        }
    }

    x(step) {
        return this.byTime ? this.replay.steps[step].time : step + 1;
    }

    // From CSS pixels of the chart's left edge to x, and back: linear, between the two ends.
    range() {
        const first = this.x(0);
        return [first, Math.max(first + 1, this.x(this.replay.steps.length - 1))];
    }

    width() {
        return this.chart.clientWidth - AXIS - RIGHT;
    }

    position(step) {
        const [first, last] = this.range();
        return AXIS + (this.x(step) - first) / (last - first) * this.width();
    }

    stepAt(clientX) {
        const [first, last] = this.range();
        const x = first + (clientX - this.chart.getBoundingClientRect().left - AXIS) / this.width() * (last - first);
        let best = 0;
        for (let i = 0; i < this.replay.steps.length; i++)
            if (Math.abs(this.x(i) - x) <= Math.abs(this.x(best) - x))
                best = i;
        return best;
    }

    // Of a process, or anew for other colours, another width, another scale.
    show(pid) {
        this.pid = pid;
        const { rss, vsz } = this.replay.series(pid);
        const positive = values => values.map(value => value || null);
        this.data = [this.replay.steps.map((_, i) => this.x(i)), positive(vsz), positive(rss), positive(this.replay.machine)];
        if (this.plot)
            this.plot.destroy();
        this.chart.replaceChildren();
        const most = values => values.reduce((most, value) => Math.max(most, value || 0), 1);
        this.top = Math.max(most(vsz), most(this.replay.machine));
        this.logarithmic = this.top > 8 * most(rss);
        this.plot = new uPlot(this.options(), this.data, this.chart);
        this.drawLanes();
    }

    options() {
        const line = (label, color, width, dash) => ({
            label, stroke: palette[color], width, dash, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) });
        const axis = { stroke: palette["--muted"], font: "11px system-ui, sans-serif", ticks: { show: false } };
        return {
            width: this.chart.clientWidth, height: 180, padding: [SIGN + 6, RIGHT, 0, 0],
            legend: { show: false }, cursor: { show: false }, select: { show: false },
            scales: { x: { time: false, range: this.range() }, y: this.logarithmic
                ? { distr: 3, log: 2, range: [1, 2 ** Math.ceil(Math.log2(this.top * 1.2))] } : { range: [0, this.top * 1.08] } },
            axes: [
                { ...axis, grid: { show: false }, size: 26, values: (_, ticks) => ticks.map(tick => this.byTime
                    ? `${tick >= 1000 ? tick / 1000 + " ms" : tick + " µs"}` : Number.isInteger(tick) ? number(tick) : "") },
                { ...axis, size: AXIS, grid: { stroke: palette["--rule"], width: 1 },
                    splits: () => this.ticks(), filter: (_, ticks) => ticks, values: (_, ticks) => ticks.map(bytes) },
            ],
            hooks: { draw: [plot => this.drawSigns(plot.ctx)] },
            series: [{}, line("promised", "--vsz", 2), line("held", "--rss", 2.5), line("committed", "--committed", 1.5, [5, 4])],
        };
    }

    // Where the pages axis has its figures.
    ticks() {
        const ticks = [];
        if (this.logarithmic) {
            const step = Math.log2(this.top) > 12 ? 16 : 4;
            for (let tick = 1; tick <= this.top * 2; tick *= step)
                ticks.push(tick);
        } else {
            const step = 2 ** Math.max(0, Math.floor(Math.log2(this.top / 3)));
            for (let tick = 0; tick <= this.top * 1.08; tick += step)
                ticks.push(tick);
        }
        return ticks;
    }

    // The word over the chart for a step: births, execs and ends of processes, the OOM killer, marks of the program.
    sign({ event, pid, text, operations }, step) {
        const child = () => operations.find(([code, born]) => code === "p" && born !== pid);
        switch (event) {
        case "CHILD": return `fork ${child() ? child()[1] : ""}`;
        case "EXEC": return step > 0 ? `exec ${pid}` : "";
        case "EXIT": return `exit ${pid}`;
        case "OOM": return "OOM";
        case "MARK": return text.replace(/^Mark: /, "");
        default: return "";
        }
    }

    // Each has a stroke; a word only where it does not lie over the one before.
    drawSigns(context) {
        const scale = devicePixelRatio || 1;
        let free = 0;
        context.save();
        context.scale(scale, scale);
        context.font = "11px system-ui, sans-serif";
        context.fillStyle = palette["--muted"];
        context.textBaseline = "bottom";
        context.textAlign = "left";
        this.replay.steps.forEach((step, i) => {
            const word = this.sign(step, i), x = this.position(i);
            if (!word)
                return;
            context.fillRect(x - 0.5, SIGN + 1, 1, 6);
            const width = context.measureText(word).width;
            const left = Math.max(0, Math.min(x - width / 2, this.chart.clientWidth - width));
            if (left >= free) {
                context.fillText(word, left, SIGN);
                free = left + width + 6;
            }
        });
        context.restore();
    }

    drawLanes() {
        const width = this.chart.clientWidth, context = sized(this.lanes, width, this.used.length * LANE);
        this.used.forEach((_, lane) => {
            context.fillStyle = palette["--rule"];
            context.fillRect(AXIS, lane * LANE + LANE / 2, width - AXIS - RIGHT, 1);
        });
        const drawn = new Set();
        this.replay.steps.forEach(({ faults, pid }, step) => {
            for (let i = 0; i < faults.length; i += 2) {
                const lane = this.used.indexOf(faults[i]), x = this.position(step);
                const key = `${lane} ${Math.round(x)} ${pid === this.pid}`;
                if (drawn.has(key))
                    continue;
                drawn.add(key);
                context.globalAlpha = pid === this.pid ? 1 : 0.3;
                drawMark(context, KIND[this.kinds[faults[i]]], x, lane * LANE + LANE / 2 + 0.5);
            }
        });
        context.globalAlpha = 1;
        for (const [number, counter] of this.counters)
            drawMark(sized(counter.parentNode.querySelector("canvas"), 14, 14), KIND[this.kinds[number]], 7, 7);
    }

    // The line at the step, and the counts up to it.
    update() {
        this.playhead.style.left = this.position(this.replay.at) + "px";
        const counts = this.replay.faultsSoFar();
        for (const [number, counter] of this.counters)
            counter.textContent = (counts.get(number) || 0).toLocaleString("en-US");
    }
}
