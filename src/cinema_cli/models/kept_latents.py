"""Latents that wait for their decoding: what hours have sampled is on the disk before it is decoded.

A file holds what was sampled together.  It is named by a hash of everything that made it what it is, so a
command that was killed, or had not memory enough to decode, finds it when it is given again, and no other
does.  How it is decoded is no part of that: the same latents may be decoded in tiles the next time.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from cinema_cli.files import sha256_json, write_atomic

KEYFRAMES, CLIPS = ".keyframe-latents", ".clip-latents"
"""Folders beside the storyboard; only the command that holds its lock works in them."""


@dataclass(frozen=True)
class KeptLatents:
    """Where latents wait, and of which weights."""

    folder: Path
    weights_sha256: str

    def sampled(
        self, inputs: Mapping[str, Any], ids: Sequence[str], sample: Callable[[], Sequence[Tensor]]
    ) -> list[Tensor]:
        """Latents that wait here, or newly sampled ones, which wait from now on.

        What waited before goes: it was decoded, or nobody asks for it any more.

        Args:
            inputs: everything that they depend on, as plain data, but the weights.
            ids: the names of the latents, in order.
            sample: makes them.

        Raises:
            MissingError: the disk is full.
        """
        path = self.folder / f"{sha256_json([self.weights_sha256, inputs])}.safetensors"
        waiting = _read(path, ids)
        if waiting is not None:
            return waiting
        made = list(sample())
        self.clear()
        # On the CPU and each by itself: parts of one storage would be refused, as would other strides.
        plain = [x.cpu().clone(memory_format=torch.contiguous_format) for x in made]
        write_atomic(path, save(dict(zip(ids, plain, strict=True))))
        return made

    def clear(self) -> None:
        """Nothing waits any more."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(path: Path, ids: Sequence[str]) -> list[Tensor] | None:
    """What waits in a file; none where it is not there, or is no longer what it was."""
    if not path.is_file():
        return None
    try:
        found = load(path.read_bytes())
    except SafetensorError:
        return None
    if set(found) != set(ids) or not all(bool(torch.isfinite(x).all()) for x in found.values()):
        return None
    return [found[id] for id in ids]
