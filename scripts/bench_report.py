# SPDX-License-Identifier: MIT
"""The bench's figures for people: the tables and the plot of docs/performance.md, and an excerpt in README.md.

The pages belong to people; between two markers they belong to `make bench-linux`.
"""
import math
import os
import re

import bench_table
import qemu

PAGE = os.path.join(qemu.ROOT, "docs", "performance.md")
PLOT = os.path.join(qemu.ROOT, "docs", "fork-cost.svg")
README = os.path.join(qemu.ROOT, "README.md")


def number(value):
    return "-" if value is None else f"{value:,}"


def ratio(ours, theirs):
    """How many times Linux takes what Lazybones takes."""
    if not ours or theirs is None:
        return "-"
    value = theirs / ours
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def median(figures, name):
    return figures[name][1] if name in figures else None


def table(columns):
    """The rows of the comparison: name, words, ceiling, Lazybones, Linux, ratio, Linux at its defaults."""
    ours, theirs, defaults = columns
    rows = [["measure", "", "ceiling", "Lazybones", "Linux", "Linux / Lazybones", "Linux, defaults"]]
    for measure in bench_table.MEASURES:
        values = [median(figures, measure.name) for figures in columns]
        if values[0] is None:
            continue
        rows.append([f"`{measure.name}`", measure.title, number(measure.goal), number(values[0]), number(values[1]),
                     ratio(values[0], values[1]), number(values[2])])
    return rows


def markdown(rows):
    left = sum(not re.search(r"\d|^-$|^off$|Li|La|ceiling", cell) for cell in rows[0])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * left + "--:|" * (len(rows[0]) - left))
    return "\n".join(lines)


def linux_figures():
    """{name: median on Linux}, from the page; empty if there is none."""
    if not os.path.exists(PAGE):
        return {}
    with open(PAGE) as file:
        rows = re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\|[^|]*\| ([0-9,]+) \|", file.read(), re.M)
    return {name: int(count.replace(",", "")) for name, count in rows}


def page_write(text, name="figures", page=PAGE):
    """Puts `text` between a page's markers of this name. Raises CannotRun if they are not there."""
    with open(page) as file:
        contents = file.read()
    before, begin, rest = contents.partition(f"<!-- {name}: make bench-linux writes from here -->")
    _, end, after = rest.partition(f"<!-- {name}: to here -->")
    if not begin or not end:
        raise qemu.CannotRun(f"{os.path.relpath(page, qemu.ROOT)}: the markers of the {name} are gone")
    with open(page, "w") as file:
        file.write(f"{before}{begin}\n\n{text}\n\n{end}{after}")


# ---------------------------------------------------------------- the plot

WIDTH, HEIGHT = 780, 420
LEFT, RIGHT, TOP, BOTTOM = 90, 200, 30, 60
SIZES = [1, 16, 64, 256, 1024]                  # MiB
POWERS = range(4, 10)                           # of ten, instructions
CURVES = [("fork_exit", "linux", "Linux: fork, exit, wait"), ("fork", "linux", "Linux: fork"),
          ("fork_exit", "lazy", "Lazybones: fork, exit, wait"), ("fork", "lazy", "Lazybones: fork")]
STYLE = """\
text { font: 13px sans-serif; fill: #24292f } .grid { stroke: #d0d7de; stroke-width: 1 }
.linux { stroke: #b35900; fill: #b35900 } .lazy { stroke: #0550ae; fill: #0550ae }
polyline { fill: none !important; stroke-width: 2.5 } .fork_exit { stroke-dasharray: 7 4 }
circle { stroke: none } text.linux, text.lazy { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d7e0 } .grid { stroke: #3d444d }
  .linux { stroke: #f0a35e; fill: #f0a35e } .lazy { stroke: #79c0ff; fill: #79c0ff }
}"""


def place(mebibytes, count):
    """Both axes are logarithmic."""
    x = LEFT + math.log2(mebibytes) / math.log2(SIZES[-1]) * (WIDTH - LEFT - RIGHT)
    share = (math.log10(count) - POWERS[0]) / (POWERS[-1] - POWERS[0])
    return x, HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def grid():
    for size in SIZES:
        x, y = place(size, 10 ** POWERS[0])
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{x:.1f}" y="{y + 20:.1f}" text-anchor="middle">{size:,}</text>'
    for power in POWERS:
        x, y = place(1, 10 ** power)
        label = f"{10 ** power // 1000:,} k" if power < 6 else f"{10 ** (power - 6):,} M"
        yield f'<line class="grid" x1="{x:.1f}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">MiB written before fork</text>'
    yield f'<text x="14" y="{TOP - 12}">instructions</text>'


def curve(measure, kind, label, figures):
    points = [place(size, median(figures, f"{measure}_{size}M")) for size in SIZES]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline class="{kind} {measure}" points="{joined}"/>'
    for x, y in points:
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    yield f'<text class="{kind}" x="{points[-1][0] + 10:.1f}" y="{points[-1][1] + 4:.1f}">{label}</text>'


def plot(ours, theirs):
    """An SVG: what fork costs against what was written, on both kernels. Light and dark."""
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
             "<title>What fork costs, in instructions, against the memory that the process has written</title>",
             f"<style>{STYLE}</style>", *grid()]
    for measure, kind, label in CURVES:
        lines += curve(measure, kind, label, theirs if kind == "linux" else ours)
    return "\n".join([*lines, "</svg>", ""])
