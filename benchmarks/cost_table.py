"""What FLUX.1-dev costs over 16, 32 and 48 pairs, with Table 3 beside, and Wan2.2-TI2V-5B over four shots.

The tables of docs/cost.md:

    python benchmarks/cost_table.py

Arithmetic of ``models/cost.py`` and ``models/video_cost.py``; nothing is loaded or timed.  Frames of
400 x 800 are 1,250 image tokens, each with 512 text tokens, FLUX.1-dev's default.
"""

from collections.abc import Callable, Iterator, Sequence

from cinema_cli.context.goldenmem import GoldenMem, golden_sides, shrunken
from cinema_cli.models.cost import FLUX_DEV, Pairs, Window, mask_bytes
from cinema_cli.models.rates import EFFICIENCY, PEAK_BF16
from cinema_cli.models.video_cost import WAN_TI2V_5B, Shots

GRID, TEXT, STEPS = (25, 50), 512, 50
PAIRS = (16, 32, 48)
FULL = tuple(h * w for h, w in (shrunken(GRID, side) for side in golden_sides(25, 3)))
"""Image tokens of a full frame and of the three shrunken groups: 1250, 450, 162, 50."""
PAPER = {"full size": ("30", "55", "OOM"), "GoldenMem": ("21", "35", "52")}
"""Table 3, PFLOPS (Est.)."""

WINDOW, OTHERS, LATENT_FRAME = 4, 8, 11 * 22
"""Shots that are made together, others that show their keyframe, tokens of a latent frame."""
CLIPS = (25, 73, 121)
"""Frames of a shot: 1, 3 and 5 seconds."""

Layout = Callable[[int, int], list[Pairs]]


def pair(image: int, count: int = 1) -> Pairs:
    return Pairs(count, TEXT, image)


def table_3(pairs: int) -> list[Pairs]:
    """The window of Table 3: a quarter of the frames at full size, and of each shrunken group."""
    return [pair(image, pairs // 4) for image in FULL]


def spread(remembered: int, frames: int) -> list[Pairs]:
    """Memory as it is built: in equal groups from the start; newest first."""
    layout = GoldenMem(groups=3, frames=frames).layout(remembered, GRID)
    return [pair(h * w) for h, w in layout]


def filled(remembered: int, frames: int) -> list[Pairs]:
    """A group is filled before the next one begins; newest first."""
    return [pair(FULL[1 + rank // frames]) for rank in range(remembered)]


def windows(pairs: int, at_once: int, layout: Layout) -> Iterator[Window]:
    """A film: so many frames at a time, beside what memory holds by then."""
    for done in range(0, pairs, at_once):
        memory = layout(min(done, pairs // 4 * 3), pairs // 4)
        yield Window((pair(FULL[0], at_once),), tuple(memory))


def by_change_of_scale(pairs: int) -> int:
    """One frame at a time; a remembered one is computed when it shrinks, beside the rest of memory."""
    flop, before = 0, {}
    for done, window in enumerate(windows(pairs, 1, filled)):
        flop += STEPS * FLUX_DEV.extension(window.new, window.memory)
        now = {done - rank: frame for rank, frame in enumerate(window.memory)}
        for shot, frame in now.items():
            if before.get(shot) != frame:
                rest = [other for place, other in now.items() if place != shot]
                flop += FLUX_DEV.extension([frame], rest)
        before = now
    return flop


def rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines).replace("| --- ", "|---") + "\n"


def per_step() -> str:
    """TFLOP of a denoising step."""
    body = []
    for pairs in PAIRS:
        full, golden = [pair(FULL[0], pairs)], table_3(pairs)
        dense = FLUX_DEV.step(full, "dense")
        costs = [FLUX_DEV.step(full, sight) for sight in ("joint", "causal", "local")]
        costs.insert(2, FLUX_DEV.step(golden))
        told = [f"{cost / 1e12:,.0f} ({cost / dense:.2f})" for cost in costs]
        body.append([str(pairs), f"{dense / 1e12:,.0f}", *told])
    return rows(
        ["pairs", "dense", "hybrid", "hybrid causal", "hybrid + GoldenMem", "no other pair seen"], body
    )


def per_film() -> str:
    """PFLOP of drawing all frames of a film in 50 steps."""

    def together(sight: str) -> Callable[[int], int]:
        return lambda pairs: STEPS * FLUX_DEV.step([pair(FULL[0], pairs)], sight)

    def beside(layout: Layout, at_once: int = 1) -> Callable[[int], int]:
        return lambda pairs: FLUX_DEV.film(list(windows(pairs, at_once, layout)), STEPS)

    ways = {
        "dense, all together": together("dense"),
        "hybrid, all together": together("joint"),
        "GoldenMem, eight at a time, memory once for each eight": beside(spread, 8),
        "GoldenMem, two at a time, memory once for each two": beside(spread, 2),
        "GoldenMem, one at a time, memory once for each frame": beside(spread),
        "the same, a group filled before the next begins": beside(filled),
        "the same, a remembered frame only when it shrinks": by_change_of_scale,
        "floor: no other pair seen": together("local"),
    }
    body = [[name, *(f"{way(p) / 1e15:,.0f}" for p in PAIRS)] for name, way in ways.items()]
    return rows(["PFLOP, 50 steps", *(f"{p} pairs" for p in PAIRS)], body)


def papers_rule() -> str:
    """Table 3 beside its own rule, for two lengths of text: the paper does not tell its own."""
    body = [[f"paper, {name}", *told] for name, told in PAPER.items()]
    for text in (TEXT, TEXT // 2):
        full = [FLUX_DEV.papers_rule(p * (text + FULL[0]), STEPS) for p in PAIRS]
        golden = [FLUX_DEV.papers_rule(p // 4 * (4 * text + sum(FULL)), STEPS) for p in PAIRS]
        for name, costs in (("full size", full), ("GoldenMem", golden)):
            body.append([f"rule, {name}, T = {text}", *(f"{cost / 1e15:,.1f}" for cost in costs)])
    return rows(["PFLOP, 50 steps", *(f"{p} pairs" for p in PAIRS)], body)


def bytes_taken() -> str:
    """Gigabytes in bf16 while frames are drawn, all together or one beside a full memory."""
    body = []
    for pairs in PAIRS:
        full, memory = (pair(FULL[0], pairs),), tuple(spread(pairs // 4 * 3, pairs // 4))
        figures = (
            FLUX_DEV.peak_bytes(Window(full)),
            FLUX_DEV.peak_bytes(Window((pair(FULL[0]),), memory)),
            FLUX_DEV.memory_bytes(memory),
            FLUX_DEV.memory_bytes(full),
            mask_bytes(full),
        )
        body.append([str(pairs), *(f"{figure / 1e9:.1f}" for figure in figures)])
    head = [
        "GB",
        "all together",
        "one beside memory",
        "K, V of memory",
        "K, V of all at full size",
        "dense mask",
    ]
    return rows(head, body)


def minutes() -> str:
    """Minutes for a film, one frame at a time, by device, at the efficiency that ``cinema plan`` takes."""
    films = [list(windows(pairs, 1, spread)) for pairs in PAIRS]
    body = [
        [name.removeprefix("NVIDIA "), f"{peak / 1e12:.0f}"]
        + [f"{FLUX_DEV.film(film, STEPS) / peak / EFFICIENCY / 60:.1f}" for film in films]
        for name, peak in PEAK_BF16.items()
    ]
    return rows(["device", "peak, TFLOP/s", *(f"{p} frames" for p in PAIRS)], body)


def video_step() -> str:
    """TFLOP of a denoising step of a window of the video model."""
    wan, body = WAN_TI2V_5B, []
    for frames in CLIPS:
        groups = [Shots(WINDOW, TEXT, 1 + frames // 4, LATENT_FRAME), Shots(OTHERS, TEXT, 1, LATENT_FRAME)]
        tokens = sum(group.tokens for group in groups)
        total = wan.step(groups)
        linear, attention = tokens * wan.linear_per_token, wan.attention_per_pair * tokens**2
        rest = total - linear - attention
        told = [f"{part / 1e12:,.1f} ({part / total:.2f})" for part in (linear, attention, rest)]
        body.append([str(frames), f"{tokens:,}", f"{total / 1e12:,.1f}", *told])
    return rows(["frames of a shot", "tokens", "in all", "linear", "between tokens", "words, ends"], body)


TABLES = (per_step, per_film, papers_rule, bytes_taken, minutes, video_step)


def main() -> None:
    for table in TABLES:
        print(f"{table.__doc__}\n\n{table()}")


if __name__ == "__main__":
    main()
