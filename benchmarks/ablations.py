"""Three ablations on the theatre: progressive training (Fig. 7), strides (3.2), noise bands (Fig. 9).

    python benchmarks/ablations.py --base MODEL --out runs/ablations
    python benchmarks/ablations.py --base MODEL --out runs/ablations --only progressive direct

Every arm is a few hundred steps of ``cinema train-keyframes`` from the same model of single frames, with the
toy preset and 16 frames a step; the command goes on where it stopped.  Then the averaged weights of every
checkpoint are measured on held-out movies, always with the same noise, and written to OUT/losses.json;
``ablation_curves.py`` draws that.

MODEL is a folder as ``examples/toy-weights/export.py --stage 1`` writes it.

    progressive     8 pairs, then 16 pairs          direct    16 pairs from the first step
    consecutive     windows of 8 shots, 40 movies   strided   8 shots within 24, the same 40 movies
    band-1 to -4    8 pairs, most with context at one of Fig. 9's levels: 0 to 0.25 and so on
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.files import write_atomic
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.models.flow_matching import velocity
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.weights import weights_sha256
from cinema_cli.training.checkpoint import list_checkpoints, step_of
from cinema_cli.training.keyframe_config import KeyframeTraining
from cinema_cli.training.keyframes import VALIDATION_LEVELS, KeyframeTask
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.sequences import HELD_OUT, TheatreSequences

SHOTS = 24
"""Of a movie: a sequence of 8 pairs may be strided over it, one of 16 fits in."""
FRAMES = 16
"""Of a step, in every arm."""
EVERY = 50
"""Steps between measurements."""
BANDS = ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0))
"""Fig. 9's, of 1000."""
MEMORY, NEW, SEQUENCES = 6, 2, 8
"""Of the measurement beside memory: frames that are context, frames that are drawn, held-out sequences."""
LEVELS = (0.0, 0.1, 0.25, 0.5, 0.75)
"""Of that memory; the planner takes 0.1."""


@dataclass(frozen=True)
class Arm:
    """One way to train."""

    stages: tuple[tuple[int, int], ...]
    """Pairs and steps, one after the other."""
    measured: str
    """By what."""
    changes: tuple[str, ...] = ()
    """To what all have in common."""


ARMS = {
    "progressive": Arm(((8, 250), (16, 250)), "joint 16"),
    "direct": Arm(((16, 500),), "joint 16"),
    **{
        f"band-{number}": Arm(
            ((8, 250),),
            "memory",
            (f"context_floor={low}", f"context_level={high}", "stages.8.clean_context=0.75"),
        )
        for number, (low, high) in enumerate(BANDS, start=1)
    },
    "consecutive": Arm(((8, 300),), "strides", ("movies=40",)),
    "strided": Arm(((8, 300),), "strides", ("movies=40", f"stages.8.span={SHOTS}")),
}


def settings(arm: Arm) -> list[str]:
    """What an arm changes of the toy preset."""
    made = ["movies=300", f"shots={SHOTS}"]
    for pairs, steps in arm.stages:
        stage = {
            "sequences": FRAMES // pairs,
            "clean_context": 0.25,
            "own_levels": 0.25,
            "drop_pair": 0.05,
            "drop_captions": 0.05,
            "describe": 0.5,
            "loop": {
                "steps": steps,
                "ema": 0.98,
                "save_every": EVERY,
                "preview_every": steps,
                "keep": 1000,
                "optimizer": {"kind": "muon", "learning_rate": 0.001, "warmup": 30, "floor": 0.02},
            },
        }
        made.append(f"stages.{pairs}={json.dumps(stage)}")
    return [*made, *arm.changes]


def train(name: str, base: Path, out: Path) -> None:
    """Train an arm's stages, or go on; latents are shared by all arms."""
    run = out / name
    run.mkdir(parents=True, exist_ok=True)
    (out / "cache").mkdir(exist_ok=True)
    if not (run / "cache").exists():
        (run / "cache").symlink_to(Path("..") / "cache")
    for pairs, _ in ARMS[name].stages:
        command = [sys.executable, "-m", "cinema_cli", "train-keyframes", "--stage", str(pairs)]
        changes = [part for setting in settings(ARMS[name]) for part in ("--set", setting)]
        places = ["--run", str(run), "--init", str(base.resolve()), "--anyway"]
        subprocess.run([*command, *places, *changes], check=True)


class Judge:
    """Measures weights on held-out movies."""

    def __init__(self, base: Path, out: Path) -> None:
        self.base = base / "keyframes"
        self.codec = ImageCodec.load(self.base)
        self.cache = LatentCache(out / "cache", weights_sha256(self.base / "vae"))
        arms = with_overrides(load_preset("toy")["train_keyframes"], settings(ARMS["progressive"]))
        self.config = build(KeyframeTraining, arms, "ablations")
        self.text = TextEncoder.load(self.base, self.config.text_length)
        for module in (self.codec.vae, self.text.clip, self.text.t5):
            module.float().requires_grad_(False).eval()

    def task(self, weights: Path, pairs: int, span: int | None = None) -> KeyframeTask:
        """The model with these weights, and held-out sequences."""
        model = InterleavedFlux.from_pretrained(weights).eval()
        data = TheatreSequences(self.codec, self.cache, self.config.movies, SHOTS, 0.0, span)
        return KeyframeTask(model, self.codec, self.text, data, pairs, self.config)

    def losses(self, weights: Path, measured: str) -> dict[str, float]:
        """By name."""
        with torch.autocast("cpu", torch.bfloat16):
            if measured == "joint 16":
                return {"16 pairs": self.task(weights, 16).validate()}
            if measured == "strides":
                spans = {"consecutive": None, "strided": SHOTS}
                return {name: self.task(weights, 8, span).validate() for name, span in spans.items()}
            return {f"memory at {level}": self.beside_memory(weights, level) for level in LEVELS}

    @torch.no_grad()
    def beside_memory(self, weights: Path, level: float) -> float:
        """Loss of the last frames where the ones before are context at ``level``; looks are told once."""
        task = self.task(weights, MEMORY + NEW)
        held = task.data.preview(SEQUENCES, MEMORY + NEW)
        losses = []
        for number, own in enumerate(VALIDATION_LEVELS):
            noise = torch.randn(
                held.latents.shape, generator=torch.Generator().manual_seed(HELD_OUT + number)
            )
            t = torch.full(held.latents.shape[:2], level)
            t[:, MEMORY:] = own
            group = task.pairs_of(held, t, noise, torch.zeros_like(t, dtype=torch.bool))
            (predicted,) = task.model(groups=[group])
            error = predicted.float() - velocity(held.latents, noise)
            losses.append(float(error[:, MEMORY:].square().mean()))
        return sum(losses) / len(losses)


def checkpoints(name: str, base: Path, out: Path) -> Iterator[tuple[int, Path]]:
    """Steps so far and weights, the base first."""
    yield 0, base / "keyframes" / "transformer"
    before = 0
    for pairs, steps in ARMS[name].stages:
        for checkpoint in list_checkpoints(out / name / "checkpoints" / "keyframes" / f"stage-{pairs}"):
            yield before + step_of(checkpoint), checkpoint / "ema" / "transformer"
        before += steps


def measure(name: str, base: Path, out: Path, make_judge: Callable[[], Judge]) -> None:
    """Add what is not yet measured of an arm to ``losses.json``."""
    record = out / "losses.json"
    known: dict[str, Any] = json.loads(record.read_text()) if record.is_file() else {}
    curve = known.setdefault(name, {})
    for step, weights in checkpoints(name, base, out):
        if str(step) in curve:
            continue
        curve[str(step)] = make_judge().losses(weights, ARMS[name].measured)
        print(name, step, {key: round(value, 4) for key, value in curve[str(step)].items()}, flush=True)
        write_atomic(record, json.dumps(known, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", type=Path, required=True, help="model of single frames")
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--only", nargs="+", choices=list(ARMS), default=list(ARMS), metavar="ARM")
    options = parser.parse_args()
    quiet_libraries()
    for name in options.only:
        train(name, options.base, options.out)
        judge = Judge(options.base, options.out)
        measure(name, options.base, options.out, lambda judge=judge: judge)


if __name__ == "__main__":
    main()
