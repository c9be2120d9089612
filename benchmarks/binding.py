"""Whether the keyframe model knows what belongs to whom and where: what it costs to exchange it.

    python benchmarks/binding.py
    python benchmarks/binding.py --transformer runs/toy/checkpoints/keyframes/stage-8/step-*/ema/transformer

Three exchanges, on frames that the theatre draws; the first two leave every word in its place, with another
owner:

* **places**: one frame of two puppets, their looks told; who is on the left and who on the right changes;
* **names**: two frames tell a puppet each, a third shows one of them and only names it; where the looks are
  told, the two names change places;
* **scenery**: four frames, the last at the place, hour and size of the first; the first shows another layout.

Told is the error of the velocity on the tokens that show a puppet (scenery: on all others), with what is
true, and how much the exchange adds to it.  A model that does not bind loses nothing by it: who looks how is
then a toss of a coin in its drawings.  This figure moves long before any picture does.

Shapes:  n examples   P pairs   L image tokens   C channels
"""

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cinema_cli.config import load_preset
from cinema_cli.models.encoders import Words
from cinema_cli.models.flow_matching import noised, velocity
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.weights import TOY, KeyframeModels, load_keyframe_models, model_folder
from cinema_cli.theatre.captions import canonical_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import LAYOUTS, random_cast, stage_shot
from cinema_cli.theatre.world import FRAME_SIZE, SETS, TIMES, Place, Puppet, StagedShot
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.sequences import HELD_OUT, shown_puppets

FIRST_SEED = HELD_OUT + 95_000
Levels = Sequence[tuple[float, float]]
TOGETHER: Levels = ((0.99, 0.99), (0.95, 0.95), (0.85, 0.85))
LATER: Levels = ((0.7, 0.7), (0.5, 0.5))
BESIDE_MEMORY: Levels = ((0.95, 0.1),)
"""Noise on the judged frame and on those before it."""


@dataclass(frozen=True)
class Example:
    """Frames, their captions, and what is shown and told after the exchange; the last frame is judged."""

    shots: tuple[StagedShot, ...]
    captions: tuple[str, ...]
    other_shots: tuple[StagedShot, ...]
    other_captions: tuple[str, ...]


def places(rng: random.Random) -> Example | None:
    """One frame of two puppets."""
    shot = staged(rng, random_cast(rng, 2))
    if len(shot.figures) != 2:
        return None
    left, right = shot.figures
    names = frozenset((left.puppet.name, right.puppet.name))
    other = (replace(left, puppet=right.puppet), replace(right, puppet=left.puppet))
    exchanged = canonical_caption(replace(shot, figures=other), names)
    return Example((shot,), (canonical_caption(shot, names),), (shot,), (exchanged,))


def names(rng: random.Random) -> Example | None:
    """Two puppets told in a frame each, then one of them only named."""
    cast = random_cast(rng, 2)
    shots = tuple(staged(rng, [cast[who]]) for who in (0, 1, rng.randrange(2)))
    if not all(shot.figures for shot in shots):
        return None
    captions = [
        canonical_caption(shot, {p.name for p in cast} if i < 2 else set()) for i, shot in enumerate(shots)
    ]
    one, two = (f"<{puppet.name}>" for puppet in cast)
    exchanged = (captions[0].replace(one, two), captions[1].replace(two, one), captions[2])
    return Example(shots, tuple(captions), shots, exchanged)


def scenery(rng: random.Random) -> Example | None:
    """A place, two others, and the first one again."""
    first, *others = (staged(rng, random_cast(rng, 1)) for _ in range(3))
    again = stage_shot(rng, first.place, first.time, first.size, list(random_cast(rng, 1)))
    if first.place.set in {shot.place.set for shot in others} or not again.figures:
        return None
    moved = replace(first, place=Place(first.place.set, rng.randrange(LAYOUTS)))
    shots = (first, *others, again)
    captions = tuple(
        canonical_caption(shot, {figure.puppet.name for figure in shot.figures}) for shot in shots
    )
    return Example(shots, captions, (moved, *others, again), captions)


def staged(rng: random.Random, cast: Sequence[Puppet]) -> StagedShot:
    """A shot of a cast, not too near to show two."""
    place = Place(rng.choice(SETS), rng.randrange(LAYOUTS))
    return stage_shot(rng, place, rng.choice(TIMES), rng.choice(("wide", "medium")), list(cast))


@torch.no_grad()
def cost_of_exchange(
    models: KeyframeModels, examples: Sequence[Example], levels: Levels, of_puppets: bool = True
) -> list[tuple[float, float]]:
    """For each of the levels: the error on the judged frame's puppets, or all else, and what is added."""
    grid, shape = models.codec.grid(FRAME_SIZE), (len(examples), len(examples[0].shots))
    shown = shown_puppets([example.shots[-1] for example in examples], grid)  # (n, L)
    judged = shown if of_puppets else ~shown
    both = []
    for which in ("", "other_"):
        drawn = np.stack([draw_frame(shot) for e in examples for shot in getattr(e, f"{which}shots")])
        words = models.text.encode([told for e in examples for told in getattr(e, f"{which}captions")])
        both.append((models.codec.encode(torch.from_numpy(drawn)).unflatten(0, shape), words))  # (n, P, L, C)
    noise = torch.randn(both[0][0].shape, generator=torch.Generator().manual_seed(0))
    costs = []
    for level, before in levels:
        t = torch.full(shape, before)
        t[:, -1] = level
        errors = [_error(models, clean, noise, t, words, judged) for clean, words in both]
        costs.append((errors[0], errors[1] - errors[0]))
    return costs


def _error(
    models: KeyframeModels, clean: Tensor, noise: Tensor, t: Tensor, words: Words, judged: Tensor
) -> float:
    """Mean squared error of the velocity on some tokens of the last frame."""
    text, pooled = (part.unflatten(0, t.shape) for part in (words.text, words.pooled))
    ranks, grid = range(t.shape[1]), models.codec.grid(FRAME_SIZE)
    group = PairGroup(noised(clean, noise, t), text, pooled, t, ranks, grid)
    (predicted,) = models.transformer(groups=[group])
    error = (predicted - velocity(clean, noise)).square().mean(dim=3)[:, -1]
    return float(error[judged].mean())


def collect(make: Callable[[random.Random], Example | None], count: int) -> list[Example]:
    """``count`` examples of held-out draws."""
    rng, found = random.Random(FIRST_SEED), []
    while len(found) < count:
        example = make(rng)
        found += [example] if example is not None else []
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=48)
    parser.add_argument("--model", default=TOY)
    parser.add_argument("--transformer", type=Path, nargs="*", help="its weights instead, one or more")
    options = parser.parse_args()
    length = load_preset("toy")["plan"]["text_length"]
    folder = model_folder(options.model, "keyframes")
    models = load_keyframe_models(folder, length, torch.device("cpu"), torch.float32)
    for weights in options.transformer or [None]:
        if weights is not None:
            models.transformer.load_state_dict(module_weights(weights))
        for make, levels in (
            (places, TOGETHER),
            (names, (*TOGETHER, *BESIDE_MEMORY)),
            (scenery, (*TOGETHER, *LATER, *BESIDE_MEMORY)),
        ):
            examples = collect(make, options.examples)
            costs = cost_of_exchange(models, examples, levels, of_puppets=make is not scenery)
            for (level, before), (error, more) in zip(levels, costs, strict=True):
                print(f"{make.__name__:<7} noise {level:.2f} beside {before:.2f}: {error:.4f} {more:+.4f}")


if __name__ == "__main__":
    main()
