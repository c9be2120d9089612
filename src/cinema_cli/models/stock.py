"""What both interleaved models share: on disk and block by block they stay stock models of diffusers."""

import json
from typing import Any

import torch


class StockModel:
    """Mixed in before a model of diffusers."""

    gradient_checkpointing: bool
    _gradient_checkpointing_func: Any

    def to_json_string(self) -> str:
        """The config names the stock class, so that a stock pipeline loads the folder."""
        config = json.loads(super().to_json_string())  # type: ignore[misc]
        stock = next(base.__name__ for base in type(self).__mro__ if base.__module__.startswith("diffusers."))
        return json.dumps(config | {"_class_name": stock}, indent=2, sort_keys=True) + "\n"

    def _run(self, block: torch.nn.Module, *args: Any) -> Any:
        """Call a block, by way of gradient checkpointing where it is on."""
        if torch.is_grad_enabled() and self.gradient_checkpointing:
            return self._gradient_checkpointing_func(block, *args)
        return block(*args)
