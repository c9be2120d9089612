"""Components that take turns on a device: the one that computes lies there, the others in the machine's RAM.

As diffusers' ``enable_model_cpu_offload`` does it, but told, not hooked: our models have other doors than
``forward`` (``remember``, ``encode``, ``decode``), and who makes their inputs asks where they compute before
they are called.  A transformer keeps the device for all steps of a window.
"""

import gc

import torch
from torch import nn

CPU = torch.device("cpu")


class Turns:
    """Whose turn it is on a device."""

    def __init__(self, device: torch.device) -> None:
        """``device``: where they compute."""
        self.device = device
        self._there: nn.Module | None = None

    def add(self, module: nn.Module) -> None:
        """Let a component, which lies in the machine's memory, take part."""
        module.turns = self  # type: ignore[assignment]

    def bring(self, module: nn.Module) -> None:
        """Put a component on the device, after the one that lies there has left."""
        if self._there is module:
            return
        if self._there is not None:
            self._there.to(CPU)
            free_memory()
        self._there = None  # where the next does not fit, none is there
        module.to(self.device)
        self._there = module


def bring(module: nn.Module) -> torch.device:
    """Have a component where it computes.

    Returns:
        Where that is.
    """
    turns = getattr(module, "turns", None)
    if turns is not None:
        turns.bring(module)
    return device_of(module)


def device_of(module: nn.Module) -> torch.device:
    """Where a component computes, though it may not lie there before its turn."""
    turns = getattr(module, "turns", None)
    return next(module.parameters()).device if turns is None else turns.device


def free_memory() -> None:
    """Give back what nothing points to any more, to the device as well."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
