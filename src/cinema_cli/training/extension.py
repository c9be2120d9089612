"""Steps that extend a film: memory that does not see the new frames (appendix F), shrunk by GoldenMem (3.2).

When a film is extended, keys and values of memory are computed once and serve all denoising steps.  That is
exact only for memory that is blind to what is new; training a share of its steps so makes the cache no
mismatch.

Shapes:  B sequences   P pairs   L image tokens   C channels of a token
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from cinema_cli.context.goldenmem import GoldenMem, Grid
from cinema_cli.models.cost import Pairs
from cinema_cli.models.flow_matching import noised
from cinema_cli.models.pairs import PairGroup

AT_THE_END = 0.75
"""Share in which the new frames are the last; else they stand anywhere, as where a shot is drawn again."""


class ExtensionConfig(Protocol):
    """What a stage tells about such steps."""

    @property
    def extend(self) -> float:
        """Share of steps."""

    @property
    def extensions(self) -> tuple[tuple[int, int], ...]:
        """Numbers of remembered and of new frames."""

    @property
    def golden(self) -> float:
        """Share of them in which memory is shrunk."""

    @property
    def memory(self) -> GoldenMem:
        """Sizes of memory."""


@dataclass(frozen=True)
class Split:
    """Which places of a sequence are memory, and which are new."""

    known: tuple[tuple[Grid, tuple[int, ...]], ...]
    """By size, farthest from the new ones first: size in tokens and places."""
    new: range


def draw_split(rng: random.Random, config: ExtensionConfig, grid: Grid) -> Split | None:
    """Whether a step extends a film, and how: the same for all of its sequences, from their first pair on."""
    if rng.random() >= config.extend:
        return None
    remembered, new = rng.choice(config.extensions)
    first = remembered if rng.random() < AT_THE_END else rng.randrange(remembered + 1)
    memory = config.memory if rng.random() < config.golden else GoldenMem(schedule="full")
    drawn = range(first, first + new)
    places = sorted(set(range(remembered + new)) - set(drawn), key=lambda place: _farness(place, drawn))
    known = tuple(
        (size, tuple(sorted(places[i] for i in ranks))) for size, ranks in memory.by_size(remembered, grid)
    )
    return Split(known, drawn)


def _farness(place: int, new: range) -> tuple[int, bool]:
    """Farthest first, which before the end of a film is oldest first; as retrieval lays memory out."""
    return -min(abs(place - new[0]), abs(place - new[-1])), place < new[0]


def step_kinds(pairs: int, config: ExtensionConfig, text: int, grid: Grid) -> list[tuple[float, list[Pairs]]]:
    """Every kind of step with its share: all pairs jointly, or new ones beside memory of some sizes."""
    full = grid[0] * grid[1]
    kinds = [(1 - config.extend, [Pairs(pairs, text, full)])]
    schedules = ((config.memory, config.golden), (GoldenMem(schedule="full"), 1 - config.golden))
    for remembered, new in config.extensions if config.extend else ():
        for memory, part in schedules:
            if part:
                sizes = memory.by_size(remembered, grid)
                known = [Pairs(len(ranks), text, h * w) for (h, w), ranks in sizes]
                share = config.extend * part / len(config.extensions)
                kinds.append((share, [*known, Pairs(new, text, full)]))
    return [(share, groups) for share, groups in kinds if share > 0]


def step_sizes(split: Split | None, pairs: int, text: int, grid: Grid) -> list[Pairs]:
    """The groups of one step as numbers: all pairs, or memory by size and the new ones."""
    if split is None:
        return [Pairs(pairs, text, grid[0] * grid[1])]
    sizes = [*split.known, (grid, split.new)]
    return [Pairs(len(places), text, h * w) for (h, w), places in sizes]


def extension_groups(
    whole: PairGroup, split: Split, small: Mapping[Grid, Tensor], generator: torch.Generator
) -> list[PairGroup]:
    """The groups of a batch: memory by size, then the new frames.

    Args:
        whole: all pairs at full size, noised.
        split: which are memory.
        small: clean latents of memory that is shrunk; it is noised here, to the level of its pair.
        generator: of that noise.
    """
    groups = []
    for size, places in split.known:
        group = replace(part(whole, places), remembered=True)
        if size != whole.grid:
            clean = small[size]
            noise = torch.randn(clean.shape, generator=generator)
            latents = noised(clean, noise, group.timestep.to(clean)).to(whole.latents)
            group = replace(group, latents=latents, grid=size, full_grid=whole.grid)
        groups.append(group)
    return [*groups, part(whole, split.new)]


def part(group: PairGroup, places: range | tuple[int, ...]) -> PairGroup:
    """Some pairs of a group."""
    index = list(places)
    return replace(
        group,
        latents=group.latents[:, index],
        text=group.text[:, index],
        pooled=group.pooled[:, index],
        timestep=group.timestep[:, index],
        ranks=[group.ranks[i] for i in index],
    )
