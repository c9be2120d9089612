"""The curves of ``ablations.py``, their last values as a table, and what the arms of Fig. 7 draw.

    python benchmarks/ablation_curves.py runs/ablations
    python benchmarks/ablation_curves.py runs/ablations --out elsewhere

Panels: Fig. 7 (stages), section 3.2 (strides), Fig. 9 (bands) over time and by the memory's noise level.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib as mpl
from ablations import ARMS, BANDS, LEVELS
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from PIL import Image

Losses = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Of an arm, after so many steps, on what."""

COLOURS = ("#c8860a", "#2a6fb0", "#a3324a", "#4f7d3a")
DRAWN_AT = "memory at 0.1"
"""What the planner's memory is like."""
BAND_NAMES = {f"band-{i}": f"context {low:g} to {high:g}" for i, (low, high) in enumerate(BANDS, start=1)}


def curve(axes: Axes, losses: Losses, arm: str, on: str, label: str, colour: str, style: str = "-") -> None:
    """Loss against steps."""
    points = sorted((int(step), found[on]) for step, found in losses.get(arm, {}).items())
    if points:
        axes.plot(*zip(*points, strict=True), style, color=colour, label=label, marker="o", markersize=3)


def finish(axes: Axes, title: str, across: str = "steps of 16 frames") -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(across)
    axes.set_ylabel("loss on held-out movies")
    axes.grid(color="#dddddd", linewidth=0.5)
    axes.legend(frameon=False, fontsize=8)


def last(losses: Losses, arm: str) -> Mapping[str, float]:
    """What an arm came to."""
    return losses[arm][max(losses[arm], key=int)]


def draw(losses: Losses, out: Path) -> None:
    """Four panels: stages, strides, bands over time, bands by the memory's level."""
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, ((stages, strides), (bands, levels)) = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    curve(stages, losses, "progressive", "16 pairs", "8 pairs, then 16", COLOURS[0])
    curve(stages, losses, "direct", "16 pairs", "16 pairs at once", COLOURS[1])
    stages.axvline(ARMS["progressive"].stages[0][1], color="#999999", linestyle=":")
    finish(stages, "Fig. 7: progressive against direct, on 16 pairs")
    for on, style in (("consecutive", "--"), ("strided", "-")):
        for arm, colour in (("consecutive", COLOURS[0]), ("strided", COLOURS[1])):
            curve(strides, losses, arm, on, f"trained {arm}, on {on} ones", colour, style)
    finish(strides, "3.2: strided against consecutive sequences, 40 movies")
    for (arm, name), colour in zip(BAND_NAMES.items(), COLOURS, strict=True):
        curve(bands, losses, arm, DRAWN_AT, name, colour)
        if arm in losses:
            found = [last(losses, arm)[f"memory at {level}"] for level in LEVELS]
            levels.plot(LEVELS, found, color=colour, label=name, marker="o", markersize=3)
    finish(bands, "Fig. 9: noise of context in training; memory at 0.1")
    finish(levels, "Fig. 9: after the last step, by the noise of memory", "noise level of memory")
    figure.savefig(out, dpi=110)


def draw_frames(runs: Path, out: Path) -> None:
    """The 16 frames of a held-out sequence, half as large.

    Rows: truth, single frames alone, then also 8 pairs, 8 and then 16 pairs, 16 pairs at once.
    """
    progressive, direct = (
        Image.open(max((runs / arm / "checkpoints/keyframes/stage-16/previews").glob("step-*.png")))
        for arm in ("progressive", "direct")
    )
    rows = [(direct, 0), (direct, 3), (progressive, 3), (progressive, 1), (direct, 1)]
    width, height = direct.width // 2, direct.height // 8
    sheet = Image.new("RGB", (width, height * len(rows)))
    for place, (strip, row) in enumerate(rows):
        part = strip.crop((0, row * 2 * height, strip.width, (row + 1) * 2 * height))
        sheet.paste(part.resize((width, height), Image.Resampling.LANCZOS), (0, place * height))
    sheet.save(out, quality=88)


def table(losses: Losses, arms: Iterable[str]) -> str:
    lines = ["| arm | steps | loss on held-out movies |", "|---|---|---|"]
    for arm in arms:
        told = ", ".join(f"{on}: {value:.4f}" for on, value in last(losses, arm).items())
        lines.append(f"| {arm} | {max(losses[arm], key=int)} | {told} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, help="what ablations.py wrote")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs")
    options = parser.parse_args()
    losses = json.loads((options.runs / "losses.json").read_text())
    print(table(losses, [arm for arm in ARMS if arm in losses]))
    draw(losses, options.out / "ablations.png")
    draw_frames(options.runs, options.out / "ablation-frames.jpg")


if __name__ == "__main__":
    main()
