"""Tokens against the number of image-text pairs: Fig. 4, drawn to docs/goldenmem.png and printed.

    python benchmarks/goldenmem_tokens.py
    python benchmarks/goldenmem_tokens.py --out elsewhere.png

Frames of 400 x 800, which are 25 x 50 tokens.  P pairs are the one that is drawn, at full size, and the P - 1
before it as memory holds them; what does not fit is dropped with its words, so those curves go flat.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cinema_cli.context.goldenmem import GoldenMem

GRID, TEXT, MOST = (25, 50), 512, 48
FULL = GRID[0] * GRID[1]
SCHEDULES = {
    "full size": (GoldenMem(schedule="full", frames=MOST), "#6b6b6b"),
    "GoldenMem, 3 groups": (GoldenMem(groups=3, frames=MOST), "#c8860a"),
    "FramePack f1k1f2k2f16k4": (GoldenMem(schedule="framepack"), "#2a6fb0"),
    "GoldenMem, 5 groups of one frame": (GoldenMem(groups=5, frames=1), "#a3324a"),
}
PRINTED = (1, 2, 4, 6, 8, 16, 20, 32, 48)

Point = tuple[float, float]
SCALE = 2
"""Drawn so many times larger and made smaller: PIL's lines have no smooth edges."""
PANEL, MARGIN, HEAD, GAP = (520, 400), (70, 62), 130, 30
"""Pixels: width and height of a panel, room for its ticks, for the legend, and between panels."""
INK, FAINT, FONT = "#222222", "#dddddd", 15


def tokens(memory: GoldenMem, pairs: int, text: int) -> int:
    """Of the frame that is drawn and of those it remembers, each with its words."""
    remembered = min(pairs - 1, memory.capacity(GRID))
    return FULL + memory.cost(remembered, GRID) + (1 + remembered) * text


def table(text: int) -> str:
    lines = ["| pairs | " + " | ".join(SCHEDULES) + " |", "|---" * (len(SCHEDULES) + 1) + "|"]
    for pairs in PRINTED:
        cells = (f"{tokens(memory, pairs, text):,}" for memory, _ in SCHEDULES.values())
        lines.append(f"| {pairs} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw_panel(draw: ImageDraw.ImageDraw, left: int, title: str, text: int, top: int, step: int) -> None:
    """One plot with its axes; ``top`` is the largest value of the y axis, ``step`` between its lines."""
    font = ImageFont.load_default(FONT * SCALE)
    (width, height), (side, _) = PANEL, MARGIN

    def place(pairs: float, value: float) -> Point:
        x = left + side + width * pairs / MOST
        return x * SCALE, (HEAD + height * (1 - value / top)) * SCALE

    for value in range(0, top + 1, step):
        draw.line([place(0, value), place(MOST, value)], FAINT, SCALE)
        x, y = place(0, value)
        draw.text((x - 8 * SCALE, y), f"{value // 1000}k" if value else "0", INK, font, "rm")
    for pairs in range(0, MOST + 1, 8):
        x, y = place(pairs, 0)
        draw.text((x, y + 8 * SCALE), str(pairs), INK, font, "ma")
    x, y = place(MOST / 2, 0)
    draw.text((x, y + 28 * SCALE), "image-text pairs", INK, font, "ma")
    draw.text((x, (HEAD - 12) * SCALE), title, INK, font, "mb")
    for memory, colour in SCHEDULES.values():
        line = [place(pairs, tokens(memory, pairs, text)) for pairs in range(1, MOST + 1)]
        draw.line(line, colour, 3 * SCALE, joint="curve")


def draw_legend(draw: ImageDraw.ImageDraw, place: Callable[[int], Point]) -> None:
    font = ImageFont.load_default(FONT * SCALE)
    for number, (name, (_, colour)) in enumerate(SCHEDULES.items()):
        x, y = place(number)
        draw.line([(x, y), (x + 34 * SCALE, y)], colour, 4 * SCALE)
        draw.text((x + 44 * SCALE, y), name, INK, font, "lm")


def draw_figure() -> Image.Image:
    """Image tokens alone, and with 512 text tokens a pair."""
    (width, height), (side, foot) = PANEL, MARGIN
    size = 2 * (side + width + GAP), HEAD + height + foot
    large = Image.new("RGB", (size[0] * SCALE, size[1] * SCALE), "white")
    draw = ImageDraw.Draw(large)
    draw_legend(draw, lambda n: ((side + n % 2 * (side + width + GAP)) * SCALE, (28 + n // 2 * 28) * SCALE))
    draw_panel(draw, 0, "image tokens", 0, 60_000, 10_000)
    draw_panel(draw, side + width + GAP, f"image and text tokens ({TEXT} a pair)", TEXT, 90_000, 15_000)
    return large.resize(size, Image.Resampling.LANCZOS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "goldenmem.png")
    options = parser.parse_args()
    for text in (0, TEXT):
        print(f"{text} text tokens a pair\n\n{table(text)}")
    draw_figure().quantize(64).save(options.out, optimize=True)
    print(f"drawn to {options.out}")


if __name__ == "__main__":
    main()
