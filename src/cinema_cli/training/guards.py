"""Guards: what stops a training that has gone wrong, or tells that it may have.

A loss or gradient that is not a number stops before the optimizer.  A gradient far above those before it is
told, with the seeds of its batches.  A validation loss that no longer falls ends the training on request:
over-training forgets (paper, Fig. 7).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from cinema_cli.errors import CinemaError

WINDOW = 100
"""Steps whose gradients are remembered."""
FEWEST = 20
"""Steps before the first of them is called a spike."""


class NonFiniteError(CinemaError):
    """The loss or its gradient is not a number; the step was not taken."""


class Guards:
    """What is remembered of earlier steps, so that a later one can be judged; goes into checkpoints."""

    def __init__(self, factor: float, patience: int | None) -> None:
        """``factor``: running medians that make a spike, 0 for never; ``patience``: validations in vain."""
        self.factor, self.patience = factor, patience
        self.norms: deque[float] = deque(maxlen=WINDOW)
        self.best: float | None = None
        self.best_step = -1
        self.vain = 0

    @property
    def tired(self) -> bool:
        """Whether so many validations in a row were in vain that it is time to end."""
        return self.patience is not None and self.vain >= self.patience

    def spike(self, norm: float) -> float | None:
        """How many running medians a gradient's norm is, where that is a spike; remembers it."""
        ratio = norm / max(median(self.norms), 1e-12) if len(self.norms) >= FEWEST else 0.0
        self.norms.append(norm)
        return ratio if self.factor and ratio > self.factor else None

    def improved(self, validation: float, step: int) -> bool:
        """Whether a validation loss is the best so far; counts those that are not."""
        if self.best is None or validation < self.best:
            self.best, self.best_step, self.vain = validation, step, 0
            return True
        self.vain += 1
        return False

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "norms": list(self.norms),
            "best": self.best,
            "best_step": self.best_step,
            "vain": self.vain,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what :meth:`state` returned."""
        self.norms.extend(state["norms"])
        self.best, self.best_step, self.vain = state["best"], state["best_step"], state["vain"]


def refuse_non_finite(
    what: str, step: int, loss: float, norm: float, seeds: Sequence[int], last: Any
) -> None:
    """Stop before the step is taken; with ranks all stop, because both numbers are those of all ranks.

    Raises:
        NonFiniteError: the loss or the norm of its gradient is not finite.
    """
    if not (abs(loss) < float("inf") and norm < float("inf")):
        raise NonFiniteError(
            f"{what}: step {step} has loss {loss} and gradient norm {norm}; the step was not taken. "
            f"Batch seeds {seeds[0]} to {seeds[-1]}. Lower the rate, or resume from {last or 'the start'}."
        )
