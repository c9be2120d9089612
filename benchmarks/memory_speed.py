"""Whether what is saved on paper is saved on the clock: measured ratios beside those of the FLOP model.

    OMP_NUM_THREADS=1 python benchmarks/memory_speed.py
    python benchmarks/memory_speed.py --quick

Three questions, each answered within one run, fp32 and eager on the CPU:

    extension   24 steps of one new frame: the whole ``extend`` forward at every step, against keys and values
                of the memory computed once (target: 80 % of the FLOP model's ratio)
    folding     double-stream blocks alone: a dense block-diagonal mask against pairs folded into the batch
    window      a whole step of 16, 32, 48 pairs: dense, with and without mask, against hybrid and GoldenMem

Equal outputs are checked before anything is timed.  The variants take turns (A B A B ...), and medians are
compared.  What counts is the CPU time of this process, all threads together, so that others on the machine
disturb less.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from dense_mask import DenseFlux, local_mask
from torch import Tensor

from cinema_cli.context.goldenmem import GoldenMem, Grid, golden_sides, shrunken
from cinema_cli.models.cost import FluxCost, Pairs
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.weights import TOY, model_folder

STEPS = 24
"""Denoising steps of a frame, as ``cinema plan`` takes by default."""
TARGET = 0.8
"""Of the FLOP model's ratio."""
ROUNDS = (3, 15)
"""At least and at most so many turns of each variant."""
LEVEL = 0.1
"""Noise level that remembered frames keep."""

Ways = Mapping[str, Callable[[], object]]


@dataclass(frozen=True)
class Subject:
    """A model and the pairs that it is given."""

    name: str
    model: InterleavedFlux
    grid: Grid
    text: int

    @property
    def cost(self) -> FluxCost:
        """The same as numbers."""
        return FluxCost.of(self.model.config)

    def without_global(self) -> "Subject":
        """Its double-stream blocks alone."""
        config = {k: v for k, v in self.model.config.items() if not k.startswith("_")}
        local = InterleavedFlux(**config | {"num_single_layers": 0})
        state = self.model.state_dict()
        local.load_state_dict({key: state[key] for key in local.state_dict()})
        return replace(self, model=local.eval())

    def pairs(self, count: int, grid: Grid | None = None) -> Pairs:
        """As the FLOP model takes them."""
        height, width = grid or self.grid
        return Pairs(count, self.text, height * width)

    def group(self, ranks: Sequence[int], grid: Grid | None = None, remembered: bool = False) -> PairGroup:
        """As the model takes them: random frames and words."""
        config, noise = self.model.config, torch.Generator().manual_seed(len(ranks))
        height, width = grid or self.grid

        def draw(*shape: int) -> Tensor:
            return torch.randn(1, len(ranks), *shape, generator=noise)

        return PairGroup(
            draw(height * width, config.in_channels),
            draw(self.text, config.joint_attention_dim),
            draw(config.pooled_projection_dim),
            torch.full((1, len(ranks)), LEVEL if remembered else 0.7),
            ranks,
            (height, width),
            self.grid if grid else None,
            remembered,
        )


def random_model(heads: int, double: int, single: int) -> InterleavedFlux:
    """Heads of 64, everything else as in the toy model."""
    torch.manual_seed(0)
    return InterleavedFlux(
        in_channels=32,
        num_layers=double,
        num_single_layers=single,
        attention_head_dim=64,
        num_attention_heads=heads,
        joint_attention_dim=192,
        pooled_projection_dim=96,
        axes_dims_rope=(16, 24, 24),
    ).eval()


def subjects() -> dict[str, Subject]:
    """The embedded model; a wider one; FLUX.1-dev made twelve times smaller in width and tokens alike.

    The last keeps 19 : 38 blocks and the ratio of tokens to width, and so FLUX's share of attention; with
    frames of 768 tokens it shows what the CPU's attention does with more queries at once.
    """
    toy = InterleavedFlux.from_pretrained(model_folder(TOY, "keyframes") / "transformer").eval()
    small = random_model(4, 1, 2)
    found = (
        Subject("toy", toy, (8, 16), 96),
        Subject("wide", random_model(8, 1, 2), (7, 14), 40),
        Subject("small FLUX", small, (7, 15), 42),
        Subject("large frames", small, (16, 32), 256),
    )
    return {subject.name: subject for subject in found}


@torch.no_grad()
def medians(ways: Ways, budget: float) -> dict[str, float]:
    """CPU seconds of each way; they take turns until ``budget`` seconds are spent."""
    for way in ways.values():
        way()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    least = ROUNDS[0] if budget else 1
    began = time.process_time()
    for done in range(ROUNDS[1]):
        if done >= least and time.process_time() - began > budget:
            break
        for name, way in ways.items():
            start = time.process_time()
            way()
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


@torch.no_grad()
def check_equal(a: Tensor, b: Tensor, what: str) -> None:
    """The benchmark ends where two ways do not agree to 1e-4."""
    apart = float((a - b).norm() / b.norm())
    if not apart < 1e-4:
        raise SystemExit(f"{what}: equal outputs were wanted, found {apart:.1e} between them.")


def memory_of(subject: Subject, count: int, golden: bool) -> tuple[list[PairGroup], list[Pairs]]:
    """So many remembered frames, all at full size or shrunken in three groups; oldest first."""
    if not golden:
        return [subject.group(range(count), remembered=True)], [subject.pairs(count)]
    sizes = GoldenMem(frames=count).by_size(count, subject.grid)
    groups = [subject.group(list(ranks), grid, remembered=True) for grid, ranks in sizes]
    return groups, [subject.pairs(len(ranks), grid) for grid, ranks in sizes]


@torch.no_grad()
def extension_row(subject: Subject, count: int, golden: bool, budget: float) -> list[str]:
    """One new frame beside so many remembered ones."""
    model, cost = subject.model, subject.cost
    groups, pairs = memory_of(subject, count, golden)
    new, drawn = subject.group([count]), [subject.pairs(1)]
    known = model.remember(groups)

    def whole() -> Tensor:
        return model(groups=[*groups, new], regime="extend")[-1]

    def cached() -> Tensor:
        return model(groups=[new], memory=known)[0]

    check_equal(cached(), whole(), "cached extension")
    took = medians({"whole": whole, "remember": lambda: model.remember(groups), "cached": cached}, budget)
    measured = STEPS * took["whole"] / (took["remember"] + STEPS * took["cached"])
    whole_flop = cost.step(pairs) + cost.extension(drawn, pairs)
    counted = STEPS * whole_flop / (cost.remember(pairs) + STEPS * cost.extension(drawn, pairs))
    size = "GoldenMem" if golden else "full"
    tokens = sum(group.tokens for group in pairs)
    seconds = [f"{took[name]:.3f}" for name in ("whole", "remember", "cached")]
    return [subject.name, f"{count} {size}", f"{tokens:,}", *seconds, *compared(measured, counted)]


def compared(measured: float, counted: float) -> list[str]:
    """Both ratios, and the share of the second that was reached."""
    return [f"{measured:.2f}", f"{counted:.2f}", f"{measured / counted:.0%}"]


def dense_ways(subject: Subject, count: int) -> tuple[dict[str, Callable[[], Tensor]], PairGroup]:
    """Dense attention with and without its mask, and the folded forward of the same pairs."""
    group, dense = subject.group(range(count)), DenseFlux(subject.model)
    mask = local_mask(count, subject.text, group.latents.shape[2], torch.device("cpu"))
    ways = {
        "dense mask": lambda: dense(group, mask),
        "dense, no mask": lambda: dense(group, None),
        "hybrid": lambda: subject.model(groups=[group])[0],
    }
    check_equal(ways["hybrid"](), ways["dense mask"](), "folded pairs")
    return ways, group


@torch.no_grad()
def folding_rows(subject: Subject, count: int, budget: float) -> list[list[str]]:
    """Double-stream blocks alone."""
    local = subject.without_global()
    ways, _ = dense_ways(local, count)
    took = medians(ways, budget)
    pairs = [local.pairs(count)]
    counted = local.cost.step(pairs, "dense") / local.cost.step(pairs, "local")
    return [
        [subject.name, str(count), way, *compared(took[way] / took["hybrid"], counted)]
        for way in ("dense mask", "dense, no mask")
    ]


@torch.no_grad()
def window_rows(subject: Subject, count: int, budget: float) -> list[list[str]]:
    """A step of the whole model, against hybrid and against Table 3's window."""
    ways, _ = dense_ways(subject, count)
    quarter = count // 4
    sides = golden_sides(min(subject.grid), 3)
    grids = [shrunken(subject.grid, side) for side in reversed(sides)]
    window = [
        subject.group(range(rank * quarter, (rank + 1) * quarter), grid) for rank, grid in enumerate(grids)
    ]
    took = medians(ways | {"golden": lambda: subject.model(groups=window)}, budget)
    full, cost = [subject.pairs(count)], subject.cost
    counted = {
        "hybrid": cost.step(full, "dense") / cost.step(full),
        "golden": cost.step(full, "dense") / cost.step([subject.pairs(quarter, grid) for grid in grids]),
    }
    names = {"hybrid": "hybrid", "golden": "hybrid + GoldenMem"}
    return [
        [str(count), dense, names[way], *compared(took[dense] / took[way], counted[way])]
        for dense in ("dense mask", "dense, no mask")
        for way in counted
    ]


def show(title: str, head: str, rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table."""
    columns = [*head.split(" | "), "measured", "FLOP model", "share"]
    lines = [columns, ["---"] * len(columns), *rows]
    print(f"\n{title}\n")
    print("\n".join("| " + " | ".join(line) + " |" for line in lines), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few frames, one turn: does it run?")
    parser.add_argument("--budget", type=float, default=5.0, help="CPU seconds for each line")
    options = parser.parse_args()
    budget = 0.0 if options.quick else options.budget
    memories, counts = ((1,), (4,)) if options.quick else ((7, 15, 31), (16, 32, 48))
    cast = subjects()
    cases = [(name, count) for name in ("toy", "wide") for count in memories] + [
        ("large frames", memories[0])
    ]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, fp32, eager, CPU")
    rows = [
        extension_row(cast[name], count, golden, budget) for name, count in cases for golden in (False, True)
    ]
    head = "model | remembered | tokens | whole step, s | remember, s | cached step, s"
    show(f"Extension: {STEPS} steps of one new frame, whole against cached", head, rows)
    rows = [
        row
        for name in ("toy", "wide")
        for count in counts[:2]
        for row in folding_rows(cast[name], count, budget)
    ]
    show("Folding: double-stream blocks, dense against folded", "model | pairs | dense", rows)
    rows = [row for count in counts for row in window_rows(cast["small FLUX"], count, budget)]
    show("Window: a step, dense against what is built", "pairs | dense | against", rows)


if __name__ == "__main__":
    main()
