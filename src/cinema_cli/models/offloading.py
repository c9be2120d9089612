"""Components that take turns on a device: the one that computes lies there, the others in the machine's RAM.

As diffusers' ``enable_model_cpu_offload`` does it, but told, not hooked: our models have other doors than
``forward`` (``remember``, ``encode``, ``decode``), and who makes their inputs asks where they compute before
they are called.  A transformer keeps the device for all steps of a window, or, with diffusers' group offload,
what of it is outside its blocks: they come one after the other, by hooks.
"""

import gc
from collections.abc import Sequence

import torch
from diffusers.hooks import apply_group_offloading
from torch import nn

CPU = torch.device("cpu")


class Turns:
    """Whose turn it is on a device."""

    def __init__(self, device: torch.device) -> None:
        """``device``: where they compute."""
        self.device = device
        self._there: nn.Module | None = None
        self._moved: dict[nn.Module, Sequence[nn.Module]] = {}

    def add(self, module: nn.Module, moved: Sequence[nn.Module] | None = None) -> None:
        """Let a component, which lies in the machine's memory, take part.

        Args:
            module: the component.
            moved: those of its parts that come when it is its turn; absent: all of it.
        """
        module.turns = self  # type: ignore[assignment]
        self._moved[module] = (module,) if moved is None else moved

    def bring(self, module: nn.Module) -> None:
        """Put a component on the device, after the one that lies there has left."""
        if self._there is not module:
            if self._there is not None:
                self._move(self._there, CPU)
                free_memory()
            self._there = None  # where the next does not fit, none is there
        elif self._moved[module] == (module,):
            return
        self._move(module, self.device)
        self._there = module

    def _move(self, module: nn.Module, place: torch.device) -> None:
        for part in self._moved[module]:
            part.to(place)


def in_blocks(model: nn.Module, device: torch.device) -> list[nn.Module]:
    """Have each block of a transformer come to the device when it computes, and leave it afterwards.

    On a GPU the next block comes while one computes, from pinned memory.

    Returns:
        The parts outside the blocks.  diffusers' hook brings them for ``forward`` alone, and sends them away
        after it; who calls a model by another door brings them before.
    """
    apply_group_offloading(
        model, device, CPU, "block_level", num_blocks_per_group=1, use_stream=device.type == "cuda"
    )
    return [part for part in model.children() if not isinstance(part, nn.ModuleList)]


def in_layers(model: nn.Module, device: torch.device) -> list[nn.Module]:
    """The same layer by layer, for a model that is called by ``forward`` alone; nothing else need come."""
    apply_group_offloading(model, device, CPU, "leaf_level", use_stream=device.type == "cuda")
    return []


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
