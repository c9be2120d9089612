"""Whether a model fits: the bytes of its weights, by component, against the memory of the device they go to.

Weights alone are counted here; what a step needs beside them depends on the film (``models/cost.py``).
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cinema_cli import runtime
from cinema_cli.errors import MissingError
from cinema_cli.models.contents import Contents, size_words

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Room:
    """What a model needs on a device, and what the device has."""

    components: Mapping[str, int]
    """Bytes of each component's weights, in the number type that they are computed in."""
    device: str
    """Its kind: cuda or cpu."""
    dtype: str
    """The number type."""
    memory: int
    """Bytes of the device, in all."""

    @property
    def needed(self) -> int:
        """Bytes of all weights."""
        return sum(self.components.values())

    @property
    def fits(self) -> bool:
        """Whether the weights lie on the device together."""
        return self.needed <= self.memory

    @property
    def largest(self) -> str:
        """The component that needs most."""
        return max(self.components, key=lambda name: self.components[name])

    @property
    def told(self) -> str:
        """In a phrase."""
        return (
            f"{size_words(self.needed)} of weights as {self.dtype} on {self.device}, which has "
            f"{size_words(self.memory)}"
        )

    @property
    def advice(self) -> str:
        """What to do where it does not fit; empty where it does."""
        if self.fits:
            return ""
        if self.components[self.largest] <= self.memory:
            return f"Each part fits by itself, the largest is {self.largest}; take a larger device."
        return f"{self.largest} alone is {size_words(self.components[self.largest])}: take a larger device."


def room_for(contents: Contents, where: "torch.device", dtype: "torch.dtype") -> Room:
    """What a model needs in a number type, and what a device has."""
    name = str(dtype).removeprefix("torch.")
    sizes = contents.bytes_as(dtype.itemsize)
    for component in contents.components:
        if contents.part == "video" and component.name == "vae":
            sizes["vae"] = component.bytes_as(runtime.clip_type(where, dtype).itemsize)
    return Room(sizes, where.type, name, device_memory(where))


def require_room(room: Room, what: str) -> None:
    """Raise MissingError where a model would not fit, before it is read."""
    if not room.fits:
        raise MissingError(
            f"{what}: room for all weights was wanted, but there are {room.told}. {room.advice}"
        )


def device_memory(where: "torch.device") -> int:
    """Bytes of a device."""
    if where.type != "cuda":
        return machine_memory()
    import torch

    return int(torch.cuda.get_device_properties(where).total_memory)


def machine_memory() -> int:
    """Bytes of this machine, or of the container that this runs in."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # a container may have less than its machine
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return total
