"""A denoising step of FLUX.1-dev's size on a GPU: seconds, memory, TFLOP/s, ratios beside the FLOP model.

    python benchmarks/flux_speed.py --out flux-speed.json
    python benchmarks/flux_speed.py --compile --pairs 16 32
    python benchmarks/flux_speed.py --config tiny          (the same code on a CPU, in seconds)

The full configuration (11.9 B parameters) with random weights, made on the device: nothing is downloaded and
24 GB of a host's memory are not needed.  Frames of 400 x 800 (25 x 50 tokens), 512 text tokens, bf16.

    dense mask          one long sequence; double-stream blocks masked block-diagonally (``dense_mask.py``)
    hybrid              pairs folded into the batch; single-stream blocks see all
    hybrid + GoldenMem  Table 3's window in one ``extend`` forward: a quarter new, three quarters shrunken
    remember            keys and values of those three quarters, once for a new frame
    cached              one new frame that reads them

What does not fit is told as OOM and the rest goes on; ``--out`` is written after every line.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from dense_mask import DenseFlux, local_mask
from torch import Tensor

from cinema_cli.context.goldenmem import Grid, golden_sides, shrunken
from cinema_cli.models.cost import FLUX_DEV, FluxCost, Pairs
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.rates import measured_rate
from cinema_cli.runtime import device as best_device

LEVEL = 0.1
"""Noise level that remembered frames keep."""
RATE_SECONDS = 2.0
"""For how long bare products are timed."""


@dataclass(frozen=True)
class Setting:
    """A model's config, and what it is given."""

    config: dict[str, Any]
    grid: Grid
    text: int


SETTINGS = {
    "flux-dev": Setting(asdict(FLUX_DEV) | {"axes_dims_rope": (16, 56, 56)}, (25, 50), 512),
    "tiny": Setting(
        {
            "num_layers": 1,
            "num_single_layers": 2,
            "attention_head_dim": 12,
            "num_attention_heads": 2,
            "joint_attention_dim": 16,
            "pooled_projection_dim": 10,
            "in_channels": 8,
            "guidance_embeds": True,
            "axes_dims_rope": (4, 4, 4),
        },
        (8, 16),
        12,
    ),
}


@dataclass(frozen=True)
class Way:
    """One way to compute a step, of which nothing is made before it is its turn."""

    name: str
    prepare: Callable[[], Callable[[], object]]
    flop: int


@dataclass(frozen=True)
class Line:
    """What was measured of it; no seconds where it did not fit."""

    pairs: int
    way: str
    flop: int
    seconds: float | None = None
    peak_bytes: int | None = None


class Bench:
    """A model on a device, with the pairs it is given."""

    def __init__(self, setting: Setting, device: torch.device, dtype: torch.dtype, compiled: bool) -> None:
        """``compiled``: repeated blocks by ``torch.compile``, and those of the dense way as well."""
        self.setting, self.device, self.dtype = setting, device, dtype
        self.model = random_model(setting.config, device, dtype)
        self.dense = DenseFlux(self.model, compiled)
        self.cost = FluxCost.of(self.model.config)
        self.guidance = (
            torch.ones(1, device=device, dtype=dtype) if self.model.config.guidance_embeds else None
        )
        if compiled:
            # Dynamo gives up after eight shapes, without an error.
            torch._dynamo.config.recompile_limit = 64
            torch._dynamo.config.fail_on_recompile_limit_hit = True
            self.model.compile_repeated_blocks(dynamic=False)

    def ways(self, count: int) -> list[Way]:
        """All ways to draw with so many pairs."""
        full, cost = [self._pairs(count, self.setting.grid)], self.cost
        quarter = count // 4
        sides = golden_sides(min(self.setting.grid), 3)
        grids = [shrunken(self.setting.grid, side) for side in sides[:0:-1]]  # oldest and smallest first
        memory = [self._pairs(quarter, grid) for grid in grids]
        new, one = [self._pairs(quarter, self.setting.grid)], [self._pairs(1, self.setting.grid)]

        def known() -> list[PairGroup]:
            return [
                self._group(range(i * quarter, (i + 1) * quarter), grid, remembered=True)
                for i, grid in enumerate(grids)
            ]

        def dense() -> Callable[[], object]:
            group = self._group(range(count))
            mask = local_mask(count, self.setting.text, group.latents.shape[2], self.device)
            return lambda: self.dense(group, mask, self.guidance)

        def hybrid() -> Callable[[], object]:
            groups = [self._group(range(count))]
            return lambda: self.model(groups=groups, guidance=self.guidance)

        def golden() -> Callable[[], object]:
            groups = [*known(), self._group(range(3 * quarter, count))]
            return lambda: self.model(groups=groups, guidance=self.guidance, regime="extend")

        def remember() -> Callable[[], object]:
            groups = known()
            return lambda: self.model.remember(groups, self.guidance)

        def cached() -> Callable[[], object]:
            seen, groups = self.model.remember(known(), self.guidance), [self._group([3 * quarter])]
            return lambda: self.model(groups=groups, guidance=self.guidance, memory=seen)

        return [
            Way("dense mask", dense, cost.step(full, "dense")),
            Way("hybrid", hybrid, cost.step(full)),
            Way("hybrid + GoldenMem", golden, cost.step(memory) + cost.extension(new, memory)),
            Way("remember", remember, cost.remember(memory)),
            Way("cached", cached, cost.extension(one, memory)),
        ]

    @torch.no_grad()
    def measure(self, count: int, way: Way, repeats: int) -> Line:
        """Time it after a first call that does not count; a device that is full is told."""
        try:
            return self._measured(count, way, repeats)
        except torch.OutOfMemoryError:
            return Line(count, way.name, way.flop)
        finally:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _measured(self, count: int, way: Way, repeats: int) -> Line:
        run = way.prepare()
        cuda = self.device.type == "cuda"
        run()
        if cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        taken = []
        for _ in range(repeats):
            began = time.perf_counter()
            made = run()
            if cuda:
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - began)
            del made
        peak = torch.cuda.max_memory_allocated() if cuda else None
        return Line(count, way.name, way.flop, statistics.median(taken), peak)

    @torch.no_grad()
    def check_equal(self, count: int = 4) -> float:
        """How far the dense way is from the hybrid one, as a share; the benchmark ends where it is much."""
        runs = {way.name: way.prepare() for way in self.ways(count) if way.name in ("dense mask", "hybrid")}
        dense, hybrid = runs["dense mask"](), runs["hybrid"]()[0]
        apart = float((dense - hybrid).float().norm() / hybrid.float().norm())
        if not apart < (1e-4 if self.dtype == torch.float32 else 5e-2):
            raise SystemExit(
                f"equal outputs of dense and hybrid were wanted, found {apart:.1e} between them."
            )
        return apart

    def _pairs(self, count: int, grid: Grid) -> Pairs:
        return Pairs(count, self.setting.text, grid[0] * grid[1])

    def _group(self, ranks: Sequence[int], grid: Grid | None = None, remembered: bool = False) -> PairGroup:
        config, (height, width) = self.setting.config, grid or self.setting.grid

        # The same frames for every way: their outputs are compared.
        noise = torch.Generator(self.device).manual_seed(len(ranks))

        def draw(*shape: int) -> Tensor:
            return torch.randn(1, len(ranks), *shape, generator=noise, device=self.device, dtype=self.dtype)

        return PairGroup(
            draw(height * width, config["in_channels"]),
            draw(self.setting.text, config["joint_attention_dim"]),
            draw(config["pooled_projection_dim"]),
            torch.full((1, len(ranks)), LEVEL if remembered else 0.7, device=self.device, dtype=self.dtype),
            ranks,
            (height, width),
            self.setting.grid if grid else None,
            remembered,
        )


def random_model(config: dict[str, Any], device: torch.device, dtype: torch.dtype) -> InterleavedFlux:
    """Made on the device: matrices of spread 0.02, norms of one, biases of zero."""
    with torch.device("meta"):
        model = InterleavedFlux(**config).to(dtype)
    assert not list(model.buffers()), "a buffer would stay without values"
    model.to_empty(device=device)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.02)
            else:
                parameter.fill_(float(name.endswith("weight")))
    return model.eval()


def table(lines: Sequence[Line], rate: float) -> str:
    """Markdown; ratios are to the dense way of the same number of pairs."""
    dense = {line.pairs: line for line in lines if line.way == "dense mask"}
    head = [
        "pairs",
        "way",
        "s",
        "peak, GB",
        "TFLOP",
        "TFLOP/s",
        "of the card's rate",
        "dense is",
        "FLOP model",
    ]
    rows = [head, ["---"] * len(head)]
    for line in lines:
        first = dense.get(line.pairs)
        ratio = "-"
        if first is not None and first.seconds is not None and line.seconds is not None:
            ratio = f"{first.seconds / line.seconds:.2f} x"
        if line.seconds is None:
            told = ["OOM", "-", f"{line.flop / 1e12:,.3g}", "-", "-"]
        else:
            reached = line.flop / line.seconds
            peak = "-" if line.peak_bytes is None else f"{line.peak_bytes / 1e9:.1f}"
            told = [f"{line.seconds:.4g}", peak, f"{line.flop / 1e12:,.3g}"]
            told += [f"{reached / 1e12:.3g}", f"{reached / rate:.0%}"]
        counted = "-" if first is None else f"{first.flop / line.flop:.2f} x"
        rows.append([str(line.pairs), line.way, *told, ratio, counted])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", choices=SETTINGS, default="flux-dev")
    parser.add_argument("--pairs", type=int, nargs="+", default=[16, 32, 48], help="multiples of four")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--compile", action="store_true", help="repeated blocks; the first call takes minutes"
    )
    parser.add_argument("--out", type=Path, help="a JSON file")
    options = parser.parse_args()
    if any(count < 4 or count % 4 for count in options.pairs):
        parser.error(f"--pairs: multiples of four were wanted, found {options.pairs}")
    return options


def main() -> None:
    options = parse()
    quiet_libraries()
    device = best_device()
    if device.type == "cpu" and options.config != "tiny":
        raise SystemExit("A CUDA GPU was wanted, found none. Try --config tiny, which runs on a CPU.")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    rate = measured_rate(device, dtype, RATE_SECONDS)
    torch.manual_seed(0)
    bench = Bench(SETTINGS[options.config], device, dtype, options.compile)
    facts = {
        "device": name,
        "torch": torch.__version__,
        "dtype": str(dtype).removeprefix("torch."),
        "compiled": options.compile,
        "config": options.config,
        "parameters": bench.cost.parameters,
        "measured_rate": rate,
        "dense_and_hybrid_apart": bench.check_equal(),
    }
    print("\n".join(f"{key}: {value}" for key, value in facts.items()), flush=True)
    lines: list[Line] = []
    for count in options.pairs:
        for way in bench.ways(count):
            lines.append(bench.measure(count, way, options.repeats))
            print(f"  {count} pairs, {way.name}: {lines[-1].seconds or 'OOM'}", flush=True)
            if options.out is not None:
                told = facts | {"lines": [asdict(line) for line in lines]}
                options.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print("\n" + table(lines, rate))


if __name__ == "__main__":
    main()
