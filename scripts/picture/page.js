// SPDX-License-Identifier: MIT
// The page as a whole: unpacks the picture, and moves all parts to the step that the slider says.

const SHOWN_MOST = 4;                       // processes side by side
const PLAY_SECONDS = { slow: 60, normal: 20, fast: 6 }, STEPS_A_SECOND = { slow: 1.5, normal: 4, fast: 12 };

const by = id => document.getElementById(id);

async function unpack() {
    const packed = Uint8Array.from(atob(by("picture").textContent.trim()), letter => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
}

class Page {
    constructor(picture) {
        this.picture = picture;
        this.replay = new Replay(picture);
        this.last = this.replay.steps.length - 1;
        this.focus = this.replay.steps[0].pid;
        this.playing = 0;
        const tell = (...told) => this.tell(...told), go = step => this.show(step);
        readPalette();
        this.timeline = new Timeline(this.replay, picture.kinds, go);
        this.pages = new Pages(this.replay, tell, go, pid => this.choose(pid));
        this.tree = new TableTree(this.replay, tell);
        this.makeHead();
        this.makeLegend();
        this.listen();
        this.redraw();
        this.show(this.stepOfAddress());
    }

    makeHead() {
        const { name, command, parameters, frames, events, deterministic } = this.picture;
        document.title = `${name}: lazy memory, event by event`;
        by("name").textContent = name;
        by("command").textContent = [command, parameters].filter(Boolean).join(" with ");
        by("machine").textContent = `${bytes(frames)} of memory, ${plural(events, "event")}`;
        by("clock").hidden = !deterministic;
        by("slider").max = this.last;
    }

    makeLegend() {
        this.states = STATE.map(({ name, words }) => {
            const item = document.createElement("li");
            item.innerHTML = `<canvas aria-hidden="true"></canvas><span></span><b></b><small></small>`;
            item.querySelector("span").textContent = name;
            item.querySelector("small").textContent = words;
            item.dataset.state = name;
            by("states").append(item);
            return item;
        });
    }

    // ---- what the user does

    listen() {
        by("slider").addEventListener("input", () => { this.stop(); this.show(Number(by("slider").value)); });
        by("play").addEventListener("click", () => this.playing ? this.stop() : this.play());
        for (const [id, move] of [["first", -Infinity], ["back", -1], ["forward", 1], ["end", Infinity]])
            by(id).addEventListener("click", () => { this.stop(); this.show(this.replay.at + move); });
        by("scale").addEventListener("click", () => {
            this.timeline.byTime = !this.timeline.byTime;
            by("scale").textContent = this.timeline.byTime ? "time" : "events";
            this.redraw();
            this.show(this.replay.at);
        });
        by("theme").addEventListener("click", () => this.turn());
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.redraw(); this.show(this.replay.at); });
        document.addEventListener("keydown", event => this.key(event));
        addEventListener("resize", () => { this.redraw(); this.show(this.replay.at); });
        addEventListener("hashchange", () => this.show(this.stepOfAddress()));
    }

    key(event) {
        const inControl = /^(BUTTON|SELECT|A)$/.test(event.target.tagName), onSlider = event.target === by("slider");
        const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
        if (event.altKey || event.ctrlKey || event.metaKey)
            return;
        if (event.key === " " && !inControl)
            this.playing ? this.stop() : this.play();
        else if (event.key === "Escape")
            this.tell(null);
        else if (move && !onSlider && event.target.tagName !== "SELECT") {
            this.stop();
            this.show(this.replay.at + move);
        } else
            return;
        event.preventDefault();
    }

    choose(pid) {
        this.focus = pid;
        this.redraw();
        this.show(this.replay.at);
    }

    // Light or dark, against what the system says.
    turn() {
        const root = document.documentElement;
        const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
        root.dataset.theme = dark ? "light" : "dark";
        this.redraw();
        this.show(this.replay.at);
    }

    // The event that the page's address names (#event=17), or the last before anything of the program is gone.
    stepOfAddress() {
        const named = /^#event=(\d+)$/.exec(location.hash);
        const exit = this.replay.steps.findIndex(({ event }) => event === "EXIT");
        return named ? Number(named[1]) - 1 : exit > 0 ? exit - 1 : this.last;
    }

    // ---- playing

    play() {
        if (this.replay.at >= this.last)
            this.show(0);
        const speed = by("speed").value;
        const rate = Math.max(STEPS_A_SECOND[speed], this.last / PLAY_SECONDS[speed]);
        let begun = performance.now(), from = this.replay.at;
        const turn = now => {
            const target = Math.min(this.last, from + Math.floor((now - begun) / 1000 * rate));
            if (target !== this.replay.at)
                this.show(target);
            this.playing = target < this.last ? requestAnimationFrame(turn) : 0;
            if (!this.playing)
                this.stop();
        };
        this.playing = requestAnimationFrame(turn);
        by("play").textContent = "Pause";
    }

    stop() {
        cancelAnimationFrame(this.playing);
        this.playing = 0;
        by("play").textContent = "Play";
    }

    // ---- what the page shows

    // All that does not depend on the step.
    redraw() {
        readPalette();
        this.states.forEach((item, state) => drawState(sized(item.querySelector("canvas"), 14, 14), state, 0, 0, 14, 14));
        this.timeline.show(this.focus);
    }

    show(step) {
        const { replay } = this;
        replay.goto(Math.max(0, Math.min(this.last, step)));
        const living = replay.living(), census = replay.census();
        this.showFigures(living);
        this.timeline.update();
        const shown = this.shown(living);
        const totals = this.pages.update(shown, this.focus, census);
        this.states.forEach((item, state) => { item.querySelector("b").textContent = number(totals[state]); });
        this.tree.update(shown, census);
        by("nobody").hidden = living.length > 0;
        const hidden = living.length - shown.length;
        by("more").textContent = hidden ? `and ${number(hidden)} more` : "";
    }

    // The process of the time line, the one that acts, and the lowest numbers, up to SHOWN_MOST.
    shown(living) {
        const actor = this.replay.steps[this.replay.at].pid;
        const rank = ({ pid }) => pid === this.focus ? 0 : pid === actor ? 1 : 2;
        return [...living].sort((a, b) => rank(a) - rank(b) || a.pid - b.pid).slice(0, SHOWN_MOST).sort((a, b) => a.pid - b.pid);
    }

    showFigures(living) {
        const { replay } = this, step = replay.steps[replay.at], process = living.find(({ pid }) => pid === this.focus);
        const space = process && replay.spaces.get(process.root);
        const figure = (id, pages) => {
            by(id).textContent = pages === null ? "–" : bytes(pages);
            by(id).dataset.pages = pages === null ? "" : pages;
        };
        figure("promised", space ? space.vsz : null);
        figure("held", space ? space.rss : null);
        figure("committed", replay.committed);
        figure("free", replay.free);
        by("faults").textContent = number([...replay.faultsSoFar().values()].reduce((sum, count) => sum + count, 0));
        by("whose").textContent = `process ${this.focus}`;
        by("slider").value = replay.at;
        by("slider").setAttribute("aria-valuetext", `event ${replay.at + 1}: ${step.text}`);
        by("event").textContent = `Event ${number(replay.at + 1)} of ${number(this.last + 1)}`;
        by("who").textContent = `process ${step.pid}`;
        by("told").textContent = step.text + ".";
    }

    // A text near a place of the window; null takes it away.
    tell(text, x, y) {
        const note = by("note");
        note.hidden = text === null;
        if (text === null)
            return;
        note.textContent = text;
        const { width, height } = note.getBoundingClientRect();
        note.style.left = Math.max(8, Math.min(x + 12, innerWidth - width - 8)) + "px";
        note.style.top = (y + 16 + height > innerHeight ? Math.max(8, y - height - 12) : y + 16) + "px";
    }
}

unpack().then(picture => {
    new Page(picture);
    document.documentElement.dataset.ready = "yes";
});
