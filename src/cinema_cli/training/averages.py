"""Averages: an exponential moving average of every trained module's weights, sharded as they are."""

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from cinema_cli.training.sharding import own


class Averages:
    """The averaged weights of some modules, which are better than the last ones."""

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        """Begin with the weights as they are; ``decay``: what an average keeps of itself in a step."""
        self.modules, self.decay = modules, decay
        self.weights: dict[str, dict[str, Tensor]] = {
            name: {key: value.detach().clone() for key, value in module.state_dict().items()}
            for name, module in modules.items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights after a step (0-based) in; in the first steps the average forgets faster."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, module in self.modules.items():
            state = module.state_dict()
            for key, average in self.weights[name].items():
                now = own(state[key])
                if average.is_floating_point():
                    own(average).lerp_(now.to(average.dtype), 1 - decay)
                else:
                    own(average).copy_(now)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """In this block the modules hold their averages and are in evaluation mode."""
        before = {
            name: {key: own(value).clone() for key, value in module.state_dict().items()}
            for name, module in self.modules.items()
        }
        self._hold(self.weights)
        try:
            for module in self.modules.values():
                module.eval()
            yield
        finally:
            self._hold(before)
            for module in self.modules.values():
                module.train()

    @torch.no_grad()
    def _hold(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        for name, module in self.modules.items():
            for key, value in module.state_dict().items():
                own(value).copy_(own(weights[name][key]))
