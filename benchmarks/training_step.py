"""A step of training the toy stage of 8 pairs: seconds beside its FLOP bound, and beside a naive trainer's.

    OMP_NUM_THREADS=1 taskset -c 1 python benchmarks/training_step.py
    python benchmarks/training_step.py --quick         (a tiny model, eager, one step each: seconds)

The embedded model, two sequences of 8 pairs (128 + 96 tokens each), the preset's mixture of noise levels,
bf16 autocast, Muon, averaged weights: all that the loop does in a step.  Steps that extend a film are left
out, which the naive way does not know.  Captions are read by the frozen text encoders in every step.

    ours            pairs folded into the batch, blocks compiled, latents from the cache
    not compiled    the same, eager
    dense mask      one long sequence, double-stream blocks masked block-diagonally, eager (``dense_mask.py``)
    naive           the same, and frames are drawn and encoded in every step

Steps are interleaved, one of each way in a round, after one that does not count and compiles.  The bound is
the FLOP of forward and backward (``models/cost.py``) by the rate of bare bf16 products, timed in each round.
With one thread all is told in seconds of the processor, so that other work on it counts little; with more,
and in the column "wall", by the clock.
"""

import argparse
import copy
import inspect
import itertools
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from dense_mask import DenseFlux, local_mask
from torch import Tensor, nn

from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.models.cost import FluxCost, Pairs
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.rates import measured_rate
from cinema_cli.models.weights import model_folder
from cinema_cli.training.averages import Averages
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.keyframe_config import KeyframeTraining
from cinema_cli.training.keyframes import KeyframeTask
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.optimizers import build_optimizers
from cinema_cli.training.sequences import TheatreSequences

PAIRS = 8
MOVIES = 8
"""Movies that are drawn from; few, so that the cache is full before anything is timed."""
RATE_SECONDS = 0.5
"""For how long bare products are timed in a round."""
PARTS = ("data", "forward", "backward", "optimizer")
QUICK = ["transformer.num_layers=1", "transformer.num_single_layers=1", "transformer.num_attention_heads=1"]
"""What ``--quick`` makes smaller."""


class NoCache:
    """In the cache's place."""

    def get(self, key: str, make: Callable[[], Tensor]) -> Tensor:
        """The latents of ``key``, made every time."""
        return make()


class DenseModel(nn.Module):
    """The naive way, called as ``InterleavedFlux`` is; it takes sequences one by one."""

    def __init__(self, ours: InterleavedFlux, mask: Tensor) -> None:
        super().__init__()
        self.dense, self.mask, self.config = DenseFlux(ours), mask, ours.config
        self.stock = self.dense.stock
        # Its call is made for drawing; underneath is the same forward with gradients.
        self.velocities = inspect.unwrap(DenseFlux.__call__)

    def forward(self, groups: list[PairGroup], guidance: None = None, **joint: object) -> tuple[Tensor]:
        """(B, P, L, C) of the only group; what else is said of a joint step it does not need."""
        (group,) = groups
        return (torch.cat([self.velocities(self.dense, one, self.mask) for one in _sequences(group)]),)


@dataclass
class Way:
    """One way to take a step."""

    name: str
    task: KeyframeTask

    def __post_init__(self) -> None:
        loop = self.task.stage.loop
        self.optimizers = build_optimizers(self.task.modules.values(), loop.optimizer)
        self.averages = Averages(self.task.modules, loop.ema)

    def loss(self, seed: int) -> Tensor:
        """Of the batch of this seed, as the loop computes it."""
        with torch.autocast("cpu", torch.bfloat16):
            return self.task.loss(self.task.batch(seed), torch.Generator().manual_seed(seed))

    def step(self, number: int) -> list[float]:
        """Take one; seconds of its ``PARTS``, and of all by the clock on the wall."""
        clock, began = clock_of(torch.get_num_threads()), time.perf_counter()
        ends = [clock()]
        with torch.autocast("cpu", torch.bfloat16):
            batch = self.task.batch(number)
            ends.append(clock())
            loss = self.task.loss(batch, torch.Generator().manual_seed(number))
        ends.append(clock())
        loss.backward()
        ends.append(clock())
        parameters = [p for module in self.task.modules.values() for p in module.parameters()]
        nn.utils.clip_grad_norm_(parameters, self.task.stage.loop.clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.averages.update(number)
        ends.append(clock())
        wall = time.perf_counter() - began
        return [*(after - before for before, after in itertools.pairwise(ends)), wall]


class Bench:
    """All ways, from the same weights."""

    def __init__(self, quick: bool, cache: Path) -> None:
        self.config, base = training(quick), model_folder("toy", "keyframes")
        self.codec, self.text = ImageCodec.load(base), TextEncoder.load(base, self.config.text_length)
        for module in (self.codec.vae, self.text.clip, self.text.t5):
            module.float().requires_grad_(False)
        torch.manual_seed(0)
        if quick:
            model = InterleavedFlux(**self.config.transformer.model_dump())
        else:
            model = InterleavedFlux.from_pretrained(base / "transformer").float().train()
        latents = LatentCache(cache, "0" * 64)
        describe = self.config.stages[PAIRS].describe
        movies = 1 if quick else MOVIES
        cached = TheatreSequences(self.codec, latents, movies, self.config.shots, describe)
        for movie in range(movies):
            cached.frames(movie)
        # Movies as long as a sequence: what is encoded is what is used.
        uncached = TheatreSequences(self.codec, NoCache(), movies, PAIRS, describe)
        grid = self.codec.grid(self.config.frame_size)
        mask = local_mask(PAIRS, self.config.text_length, grid[0] * grid[1], torch.device("cpu"))
        self.eager = self._way("not compiled", copy.deepcopy(model), cached)
        self.dense = self._way("dense mask", DenseModel(copy.deepcopy(model), mask), cached)
        self.naive = self._way("naive", DenseModel(copy.deepcopy(model), mask), uncached)
        if self.config.compile:
            compile_blocks(model)
        self.ours = self._way("ours", model, cached)
        self.ways = [self.ours, self.eager, self.dense, self.naive]
        pairs = Pairs(PAIRS, self.config.text_length, grid[0] * grid[1])
        self.flop = self.config.stages[PAIRS].sequences * FluxCost.of(model.config).training_step([pairs])

    def _way(self, name: str, model: nn.Module, data: TheatreSequences) -> Way:
        return Way(name, KeyframeTask(model, self.codec, self.text, data, PAIRS, self.config))

    def check_equal(self) -> float:
        """How far the dense way's loss is from ours, as a share; the benchmark ends where it is much."""
        with torch.no_grad():
            ours, dense = float(self.eager.loss(0)), float(self.dense.loss(0))
        apart = abs(ours - dense) / ours
        if not apart < 1e-2:
            raise SystemExit(
                f"equal losses were wanted, found {ours:.5f} (ours) and {dense:.5f} (dense mask)."
            )
        return apart

    def measure(self, rounds: int) -> tuple[dict[str, list[list[float]]], list[float]]:
        """Seconds of every step's parts by way, and bf16 rates, one of each in a round."""
        for way in self.ways:
            way.step(0)
        taken: dict[str, list[list[float]]] = {way.name: [] for way in self.ways}
        rates = []
        for number in range(1, rounds + 1):
            rates.append(bare_rate(clock_of(torch.get_num_threads())))
            for way in random.sample(self.ways, len(self.ways)):
                taken[way.name].append(way.step(number))
        return taken, rates


def clock_of(threads: int) -> Callable[[], float]:
    """Seconds that this process worked, where one thread does; else those that passed."""
    return time.process_time if threads == 1 else time.perf_counter


def bare_rate(clock: Callable[[], float]) -> float:
    """FLOP/s of bare bf16 products, by this clock."""
    worked, began = clock(), time.perf_counter()
    rate = measured_rate(torch.device("cpu"), torch.bfloat16, RATE_SECONDS)
    return rate * (time.perf_counter() - began) / (clock() - worked)


def training(quick: bool) -> KeyframeTraining:
    """The toy preset's numbers, without steps that extend a film."""
    data = load_preset("toy")["train_keyframes"]
    changes = [f"stages.{PAIRS}.extend=0", *([*QUICK, "compile=false"] if quick else [])]
    return build(KeyframeTraining, with_overrides(data, changes), "toy")


def table(taken: dict[str, list[list[float]]], rate: float, flop: int) -> str:
    """Markdown; medians, each of its own column."""
    seconds = {name: statistics.median(sum(step[:-1]) for step in steps) for name, steps in taken.items()}
    head = ["way", "s a step", *PARTS, "wall", "to ours", "MFU"]
    rows = [head, ["---"] * len(head)]
    for name, steps in taken.items():
        parts = [f"{statistics.median(column):.3f}" for column in zip(*steps, strict=True)]
        ratio = f"{seconds[name] / seconds['ours']:.2f} x"
        rows.append([name, f"{seconds[name]:.3f}", *parts, ratio, f"{flop / seconds[name] / rate:.1%}"])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _sequences(group: PairGroup) -> list[PairGroup]:
    """A group's sequences, as groups of one."""
    tensors = zip(group.latents, group.text, group.pooled, group.timestep, strict=True)
    return [
        replace(group, latents=latents[None], text=text[None], pooled=pooled[None], timestep=level[None])
        for latents, text, pooled, level in tensors
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="a tiny model, eager, one round")
    options = parser.parse_args()
    quiet_libraries()
    random.seed(0)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as cache:
        bench = Bench(options.quick, Path(cache))
        print(f"losses of ours and of the dense way: {bench.check_equal():.1e} apart", flush=True)
        taken, rates = bench.measure(1 if options.quick else options.rounds)
    rate = statistics.median(rates)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, ", end="")
    print(f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after, {len(rates)} rounds")
    print(f"bf16 products: {rate / 1e9:,.0f} GFLOP/s ({min(rates) / 1e9:,.0f} to {max(rates) / 1e9:,.0f})")
    print(f"step: {bench.flop / 1e9:,.1f} GFLOP, at least {bench.flop / rate:.3f} s\n")
    print(table(taken, rate, bench.flop))


if __name__ == "__main__":
    main()
