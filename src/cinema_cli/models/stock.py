"""What both interleaved models share: on disk and block by block they stay stock models of diffusers."""

import json
from typing import Any

import torch

from cinema_cli.models.offloading import device_of


class StockModel:
    """Mixed in before a model of diffusers."""

    gradient_checkpointing: bool
    _gradient_checkpointing_func: Any

    def to_json_string(self) -> str:
        """The config names the stock class, so that a stock pipeline loads the folder, and no path."""
        config = json.loads(super().to_json_string())  # type: ignore[misc]
        config.pop("_name_or_path", None)
        stock = next(base.__name__ for base in type(self).__mro__ if base.__module__.startswith("diffusers."))
        return json.dumps(config | {"_class_name": stock}, indent=2, sort_keys=True) + "\n"

    @property
    def device(self) -> torch.device:
        """Where it computes, and what it is given must lie (``offloading.py``)."""
        return device_of(self)  # type: ignore[arg-type]

    def checkpoint_every(self, stride: int) -> None:
        """Gradient checkpointing of every ``stride``-th repeated block: 1 for all, 2 for half of them."""
        self.enable_gradient_checkpointing()  # type: ignore[attr-defined]
        names = set(self._repeated_blocks)  # type: ignore[attr-defined]
        blocks = [block for block in self.modules() if type(block).__name__ in names]  # type: ignore[attr-defined]
        for number, block in enumerate(blocks):
            block.keeps_activations = number % stride != 0

    def _run(self, block: torch.nn.Module, *args: Any) -> Any:
        """Call a block, by way of gradient checkpointing where it is on."""
        keeps = getattr(block, "keeps_activations", False)
        if torch.is_grad_enabled() and self.gradient_checkpointing and not keeps:
            return self._gradient_checkpointing_func(block, *args)
        return block(*args)
