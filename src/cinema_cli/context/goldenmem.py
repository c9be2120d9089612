"""GoldenMem: a past that fades by the golden ratio (paper, section 3.2 and appendix C).

The frames that are being drawn have their full size.  Each group of remembered ones is shrunk, in pixels, so
that its short side is that of the group before it divided by phi and rounded down: 25, 15, 9, 5, 3 tokens.
With a frame in each group the whole past costs less than 0.62 of one full frame, however long it grows.

``framepack`` is FramePack's f1k1f2k2f16k4, for comparison (appendix J): the newest frame at full size, two at
half and sixteen at a quarter of its side.  ``full`` shrinks nothing.

Shapes:  M remembered frames, newest first   G groups   F frames in a group   H, W pixels   h, w tokens
"""

from bisect import bisect_right
from itertools import pairwise
from math import ceil, sqrt
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from cinema_cli.config import Config
from cinema_cli.errors import InputError

PHI = (1 + sqrt(5)) / 2

FRAMEPACK = ((1, 1), (2, 2), (16, 4))
"""Frames and the divisor of their sides, newest first (appendix J: f1k1f2k2f16k4)."""

Grid = tuple[int, int]
"""Height and width of a frame in tokens."""


def golden_sides(short_side: int, groups: int) -> tuple[int, ...]:
    """s_0 ... s_groups: s_i = floor(s_{i-1} / phi) (section 3.2).

    Appendix C's closed form floor(s_0 / phi^i) differs for some s_0 (s_3 of 30: 7 there, 6 here); the
    recursion is the rule.

    Raises:
        InputError: a group would shrink to nothing.
    """
    sides = [short_side]
    for group in range(1, groups + 1):
        sides.append(int(sides[-1] / PHI))
        if sides[-1] == 0:
            raise InputError(
                f"memory.groups: {groups} shrunken groups were wanted, but a short side of {short_side} "
                f"tokens shrinks to nothing in group {group}. Take at most {group - 1}, or larger frames."
            )
    return tuple(sides)


class GoldenMem(Config):
    """How much is remembered, and at which sizes."""

    schedule: Literal["golden", "framepack", "full"] = "golden"
    """``golden``, the paper's; ``framepack`` for comparison (appendix J); ``full`` shrinks nothing."""
    groups: Annotated[int, Field(ge=1, le=16)] = 3
    """Shrunken groups behind the frames that are drawn (Table 3)."""
    frames: Annotated[int, Field(ge=1, le=1024)] = 8
    """Most frames in a group (Table 3: a quarter of the pairs)."""
    tokens: Annotated[int, Field(ge=1)] | None = None
    """Most image tokens that all remembered frames may have together; none: as many as the groups hold."""

    def layout(self, remembered: int, grid: Grid) -> tuple[Grid, ...]:
        """The size of each of so many remembered frames, newest first, where full frames have ``grid``.

        Raises:
            InputError: a group would shrink to nothing, or FramePack has no place for so many.
        """
        return tuple(shrunken(grid, side) for side in self._sides(remembered, min(grid)))

    def by_size(self, remembered: int, grid: Grid) -> list[tuple[Grid, range]]:
        """The same by size, oldest and smallest first: each with its age ranks, 0 being the oldest."""
        sizes = self.layout(remembered, grid)[::-1]
        starts = [rank for rank in range(remembered) if rank == 0 or sizes[rank] != sizes[rank - 1]]
        return [(sizes[start], range(start, end)) for start, end in pairwise([*starts, remembered])]

    def capacity(self, grid: Grid) -> int:
        """How many frames can be remembered at most.

        Raises:
            InputError: not even one fits the budget.
        """
        if self.tokens is None:
            return self._most
        # No frame shrinks when there is one more, so the cost grows with the number.
        fitting = bisect_right(range(1, self._most + 1), self.tokens, key=lambda m: self.cost(m, grid))
        if not fitting:
            raise InputError(
                f"memory.tokens: at least {self.cost(1, grid)} were wanted, which one remembered frame of "
                f"this size has, found {self.tokens}. Raise it."
            )
        return fitting

    def cost(self, remembered: int, grid: Grid) -> int:
        """Image tokens of so many remembered frames."""
        return sum(h * w for h, w in self.layout(remembered, grid))

    @property
    def _most(self) -> int:
        """Frames that the groups hold."""
        return sum(n for n, _ in FRAMEPACK) if self.schedule == "framepack" else self.groups * self.frames

    def _sides(self, remembered: int, short_side: int) -> list[int]:
        """Short sides in tokens, newest first.

        Raises:
            InputError: as :meth:`layout`.
        """
        if self.schedule == "full":
            return [short_side] * remembered
        if self.schedule == "framepack":
            sides = [short_side // divisor for frames, divisor in FRAMEPACK for _ in range(frames)]
            if not sides[-1]:
                raise InputError(
                    f"memory.schedule: FramePack divides the short side by {FRAMEPACK[-1][1]}, found one of "
                    f"{short_side} tokens, which would shrink to nothing. Take larger frames."
                )
            if remembered > len(sides):
                raise InputError(
                    f"memory.schedule: FramePack remembers at most {len(sides)} frames, found {remembered}. "
                    "Remember fewer, or take the schedule golden."
                )
            return sides[:remembered]
        golden = golden_sides(short_side, self.groups)[1:]
        each = ceil(remembered / self.groups)
        return [golden[rank // each] for rank in range(remembered)]


def shrunken(grid: Grid, short_side: int) -> Grid:
    """The size in tokens that has this short side and the shape of ``grid``, as nearly as tokens allow."""
    height, width = (round(side * short_side / min(grid)) for side in grid)
    return height, width


def shrink(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Frames (n, H, W, 3) uint8 at another size in pixels: GoldenMem shrinks pictures, not latents (4.2)."""
    if tuple(frames.shape[1:3]) == size:
        return frames
    pixels = frames.permute(0, 3, 1, 2).float()
    small = torch.nn.functional.interpolate(pixels, size, mode="bicubic", antialias=True)
    return small.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
