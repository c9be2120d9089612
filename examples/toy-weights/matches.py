"""What is true of a caption and a frame: which frames show what a caption says, and which looks there are.

The small CLIP (``clip.py``) is trained on it.  A caption that only names says less, so more frames show it.

Shapes:  n captions, and as many frames
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cinema_cli.theatre.world import BUILDS, COLOURS, HAT_SHAPES, PROPS, SKINS, Figure, StagedShot

PAIRS: tuple[tuple[str, tuple[str, ...], str, tuple[str | None, ...]], ...] = (
    ("coat", COLOURS, "hat", COLOURS),
    ("hat", COLOURS, "hat_shape", HAT_SHAPES),
    ("coat", COLOURS, "skin", SKINS),
    ("coat", COLOURS, "build", BUILDS),
    ("coat", COLOURS, "prop", (None, *PROPS)),
)
"""What is asked of each puppet, in pairs: a coat and a hat alone do not say whose they are."""
ANSWERS = sum(len(first) * len(second) for _, first, _, second in PAIRS)


def who_and_where(shot: StagedShot, told: bool) -> tuple[object, ...]:
    """The set and the looks, as far as a caption tells them."""
    looks = sorted(str(look(figure)) for figure in shot.figures) if told else [len(shot.figures)]
    return (shot.place.set, *looks)


def everything(shot: StagedShot, told: bool) -> tuple[object, ...]:
    """All that a caption says."""
    figures = sorted((f.position, f.facing, f.action, str(look(f)) if told else "") for f in shot.figures)
    return (shot.place.set, shot.time, shot.size, *figures)


def look(figure: Figure) -> tuple[object, ...]:
    """A puppet without its name."""
    p = figure.puppet
    return (p.coat, p.hat, p.hat_shape, p.skin, p.build, p.prop)


def matches(
    shots: Sequence[StagedShot], told: Sequence[bool], key: Callable[[StagedShot, bool], tuple[object, ...]]
) -> Tensor:
    """(n, n): one where frame j shows what caption i says."""
    frames = {whole: [key(shot, whole) for shot in shots] for whole in (True, False)}
    return torch.tensor(
        [[float(frames[whole][i] == other) for other in frames[whole]] for i, whole in enumerate(told)]
    )


def look_answers(shot: StagedShot) -> Tensor:
    """(ANSWERS): one for each pair of qualities that a puppet of the shot has."""
    answers, start = torch.zeros(ANSWERS), 0
    for first, firsts, second, seconds in PAIRS:
        for figure in shot.figures:
            row, column = (getattr(figure.puppet, name) for name in (first, second))
            answers[start + firsts.index(row) * len(seconds) + seconds.index(column)] = 1
        start += len(firsts) * len(seconds)
    return answers
