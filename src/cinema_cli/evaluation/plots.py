"""Small plots as SVG text: a bar for every shot, lines against the length of the context (Fig. 11).

Nothing is needed to draw or to read them: no library, no script, no font of their own.  Words and grid take
the colour of the text around them, so that a plot can be read on dark and on light paper; alone in a file
they follow the reader's choice.  Lines differ in colour, dash and mark, for those who do not see colours.

Units: one is a pixel where a plot is shown at its own size.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH = 680
"""Of a plot of lines."""
NARROW = 440
"""Of a plot of bars: several stand beside each other."""
TALL = 230
"""Height of the area in which lines are drawn."""
LOW = 96
"""Height of the area in which bars are drawn."""
LEFT, RIGHT, TOP, BOTTOM = 58, 18, 36, 50
LINE = 20
"""From one row of the legend to the next."""
LETTER = 7.0
"""Width that is reckoned for a letter of the legend."""
BESIDE = 5.0
"""From a line's intervals to those of the next."""
LONGEST = 60
"""Letters of a name or title that are shown; the rest is left out."""

COLOURS = ("#3b8ed8", "#d97706", "#16a06a", "#c2569b", "#8a76d6", "#a0860b", "#d9534a", "#5f8291")
"""Of lines, in turn: each stands out at least 3 to 1 from white and from the page's dark grey."""
DASHES = ("", "7 4", "2 4", "9 4 2 4")

Points = Sequence[tuple[float, float]]

STYLE = (
    "<style>.plot{color:#26262b;font:12px system-ui,-apple-system,'Segoe UI',sans-serif}"
    "@media (prefers-color-scheme:dark){.plot{color:#e6e3dc}}"
    ".plot text{fill:currentColor}.plot .dim{fill-opacity:.72}"
    ".plot .grid{stroke:currentColor;stroke-opacity:.16}"
    ".plot .axis{stroke:currentColor;stroke-opacity:.5}</style>"
)


@dataclass(frozen=True)
class _Frame:
    """The area of a plot: where a pair of numbers lies in it."""

    x: tuple[float, float]
    """The numbers at the left and right edge."""
    y: tuple[float, float]
    """The numbers at the lower and upper edge."""
    top: float
    height: float
    width: float = WIDTH
    """Of the whole plot."""

    @property
    def right(self) -> float:
        return self.width - RIGHT

    def across(self, value: float) -> float:
        return LEFT + (self.right - LEFT) * (value - self.x[0]) / (self.x[1] - self.x[0])

    def down(self, value: float) -> float:
        return self.top + self.height * (self.y[1] - value) / (self.y[1] - self.y[0])


def line_plot(
    series: Mapping[str, Points],
    title: str,
    x: str,
    y: str,
    ticks: Sequence[float] = (),
    *,
    y_range: tuple[float, float] | None = None,
    spread: Mapping[str, Sequence[tuple[float, float, float]]] | None = None,
) -> str:
    """Lines as SVG.

    Args:
        series: Name and points (x, y) of every line, in the order of the legend; a line without points is
            only named, with "not measured".
        title: Stands above.
        x: What goes to the right, with its unit.
        y: What goes up, with its unit.
        ticks: Where the lower axis is labelled; round numbers where there are none.
        y_range: Lowest and highest number of the left axis; round numbers around the points otherwise.
        spread: For lines of those names (x, low, high): an interval, drawn as an upright stroke.  All lines
            are then moved a little to the side, so that intervals of the same x stand beside each other.
    """
    spread = spread or {}
    points = [point for line in series.values() for point in line]
    assert all(isfinite(number) for point in points for number in point), title
    xs = [point[0] for point in points] + list(ticks)
    ys = [point[1] for point in points] + [end for bars in spread.values() for bar in bars for end in bar[1:]]
    x_ticks = list(ticks) or _round_numbers(min(xs, default=0), max(xs, default=1))
    y_ticks = _round_numbers(*(y_range or (min(ys, default=0), max(ys, default=1))))
    rows = _legend_rows([_cut(name) + ("" if line else ": not measured") for name, line in series.items()])
    frame = _Frame(
        _padded(min(xs, default=0), max(xs, default=1)),
        y_range or (y_ticks[0], y_ticks[-1]),
        TOP + LINE * len(rows) + 6,
        TALL,
    )
    parts = [*_axes(frame, x_ticks, y_ticks), *_axis_names(frame, x, y), *_legend(rows)]
    for number, (name, line) in enumerate(series.items()):
        # Intervals at one place would hide each other, so lines that have any stand a little apart.
        shift = BESIDE * (number - (len(series) - 1) / 2) if spread else 0.0
        parts += _line(frame, number, shift, sorted(line), spread.get(name, ()))
    return _svg(title, WIDTH, frame.top + TALL + BOTTOM, parts)


def bar_plot(bars: Sequence[tuple[str, float | None]], title: str, y: str = "") -> str:
    """A bar for every shot as SVG; a shot without a value leaves a gap, named when pointed at."""
    values = [value for _, value in bars if value is not None]
    assert all(map(isfinite, values)), title
    y_ticks = _round_numbers(min(0.0, *values, 0.0), max(0.0, *values, 0.0), most=3)
    frame = _Frame((0, max(1, len(bars))), (y_ticks[0], y_ticks[-1]), TOP, LOW, NARROW)
    parts = list(_axes(frame, [], y_ticks))
    each = frame.across(1) - frame.across(0)
    gap = min(each * 0.25, 6)
    zero = frame.down(0)
    for number, (name, value) in enumerate(bars):
        left = frame.across(number) + gap / 2
        told = escape(f"{name}: {'not measured' if value is None else _short(value)}")
        ends = sorted((zero, frame.down(value))) if value is not None else [frame.top, zero]
        look = f'fill="{COLOURS[0]}"' if value is not None else 'fill="currentColor" fill-opacity=".06"'
        size = f'width="{each - gap:.2f}" height="{max(ends[1] - ends[0], 0.75):.2f}"'
        parts.append(f'<rect x="{left:.2f}" y="{ends[0]:.2f}" {size} {look}><title>{told}</title></rect>')
    parts += _bar_names(frame, [name for name, _ in bars], each)
    if y:
        parts += _axis_names(frame, "", y)
    return _svg(title, NARROW, frame.top + LOW + 24, parts)


def _svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
        f'width="{width}" height="{height:.0f}" role="img" aria-label="{escape(title)}">'
    )
    big = f'<text x="{LEFT}" y="20" font-size="15" font-weight="600">{escape(_cut(title))}</text>'
    return head + STYLE + big + "".join(parts) + "</svg>"


def _axes(frame: _Frame, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> Iterator[str]:
    """The grid, and numbers at it; the axis itself where a value is 0 or lowest."""
    right, bottom = frame.right, frame.top + frame.height
    base = 0.0 if frame.y[0] <= 0 <= frame.y[1] else frame.y[0]
    for tick in y_ticks:
        if frame.y[0] <= tick <= frame.y[1]:
            at = f"{frame.down(tick):.1f}"
            look = "axis" if tick == base else "grid"
            yield f'<path class="{look}" d="M{LEFT} {at}H{right}"/>'
            place = f'x="{LEFT - 8}" y="{at}" dy=".35em"'
            yield f'<text class="dim" {place} text-anchor="end">{_short(tick)}</text>'
    for tick in (tick for tick in x_ticks if frame.x[0] <= tick <= frame.x[1]):
        at = f"{frame.across(tick):.1f}"
        yield f'<path class="grid" d="M{at} {frame.top:.1f}V{bottom:.1f}"/>'
        yield f'<text class="dim" x="{at}" y="{bottom + 18:.1f}" text-anchor="middle">{_short(tick)}</text>'


def _axis_names(frame: _Frame, x: str, y: str) -> Iterator[str]:
    if x:
        middle, below = (LEFT + frame.right) / 2, frame.top + frame.height + 40
        yield f'<text x="{middle:.1f}" y="{below:.1f}" text-anchor="middle">{escape(_cut(x))}</text>'
    beside = frame.top + frame.height / 2
    yield (
        f'<text transform="translate(14 {beside:.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(_cut(y, int(frame.height / LETTER)))}</text>"
    )


def _line(
    frame: _Frame, number: int, shift: float, line: Points, bars: Sequence[tuple[float, float, float]]
) -> Iterator[str]:
    for px, low, high in bars:
        at, bottom, top = frame.across(px) + shift, frame.down(low), frame.down(high)
        path = f"M{at:.1f} {bottom:.1f}V{top:.1f}M{at - 4:.1f} {bottom:.1f}h8M{at - 4:.1f} {top:.1f}h8"
        yield f'<path d="{path}" fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-opacity=".8"/>'
    if line:
        path = " ".join(f"{frame.across(px) + shift:.1f},{frame.down(py):.1f}" for px, py in line)
        yield f'<polyline points="{path}" {_stroke(number)}/>'
    for px, py in line:
        told = f"<title>{_short(px)}: {_short(py)}</title>"
        yield _mark(number, frame.across(px) + shift, frame.down(py), told)


def _mark(number: int, left: float, top: float, inside: str = "") -> str:
    """A disc, a square, a diamond or a triangle, in turn."""
    shape = (
        f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4"',
        f'<path d="M{left - 3.6:.1f} {top - 3.6:.1f}h7.2v7.2h-7.2z"',
        f'<path d="M{left:.1f} {top - 5:.1f}l5 5l-5 5l-5 -5z"',
        f'<path d="M{left:.1f} {top - 5:.1f}l5 8.5h-10z"',
    )[number % 4]
    end = {"<c": "circle", "<p": "path"}[shape[:2]]
    return f'{shape} fill="{COLOURS[number % len(COLOURS)]}">{inside}</{end}>'


def _legend_rows(names: Sequence[str]) -> list[list[tuple[float, str]]]:
    """Where each name of the legend begins, row by row."""
    rows: list[list[tuple[float, str]]] = []
    left = float(WIDTH)
    for name in names:
        wide = 44 + LETTER * len(name)
        if left + wide > WIDTH - RIGHT:
            rows.append([])
            left = float(LEFT)
        rows[-1].append((left, name))
        left += wide
    return rows


def _legend(rows: Sequence[Sequence[tuple[float, str]]]) -> Iterator[str]:
    number = 0
    for row, names in enumerate(rows):
        top = TOP + LINE * row + 4
        for left, name in names:
            yield f'<path d="M{left:.1f} {top}h24" {_stroke(number)}/>{_mark(number, left + 12, top)}'
            yield f'<text x="{left + 30:.1f}" y="{top}" dy=".35em">{escape(name)}</text>'
            number += 1


def _stroke(number: int) -> str:
    """Colour and dash of a line."""
    dash = DASHES[number // 2 % len(DASHES)]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"{dashed}'


def _bar_names(frame: _Frame, names: Sequence[str], each: float) -> Iterator[str]:
    """Names below the bars: as many as there is room for."""
    longest = max((len(name) for name in names), default=1)
    every = max(1, ceil((LETTER * min(longest, 12) + 8) / each))
    below = frame.top + frame.height + 16
    for number in range(0, len(names), every):
        at = frame.across(number + 0.5)
        name, place = escape(_cut(names[number], 12)), f'x="{at:.1f}" y="{below:.1f}"'
        yield f'<text class="dim" {place} text-anchor="middle" font-size="11">{name}</text>'


def _round_numbers(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers, evenly apart, the first at most ``low`` and the last at least ``high``."""
    if high - low < 1e-9 * max(1.0, abs(low), abs(high)):
        low, high = (low - 0.5, high + 0.5) if low else (0.0, 1.0)
    rough = (high - low) / (most - 1)
    power = 10.0 ** floor(log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(step * number, 12) for number in range(first, last + 1)]


def _padded(low: float, high: float) -> tuple[float, float]:
    """A little room on both sides, so that no mark is cut."""
    room = (high - low) * 0.03 or 0.5
    return low - room, high + room


def _cut(text: str, length: int = LONGEST) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _short(value: float) -> str:
    """A number with three digits or as many as it has before the point; a true minus."""
    text = f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")
