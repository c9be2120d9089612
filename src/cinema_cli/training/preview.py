"""Preview strips: rows of frames under each other, to be looked at while training goes on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from cinema_cli.files import atomic_path


def save_strip(path: Path, rows: Sequence[Tensor]) -> None:
    """Rows of uint8 frames (n, H, W, 3) as one picture; ``n`` may differ from row to row."""
    lines = [rearrange(row, "n h w c -> h (n w) c") for row in rows]
    width = max(line.shape[1] for line in lines)
    padded = [torch.nn.functional.pad(line, (0, 0, 0, width - line.shape[1])) for line in lines]
    with atomic_path(path) as aside:
        Image.fromarray(torch.cat(padded).numpy()).save(aside)


def add_below(path: Path, base: Path) -> None:
    """Put the strip of the frozen base under a later one: same frames, same noise, before any training."""
    with Image.open(path) as upper, Image.open(base) as lower:
        frames = [torch.from_numpy(np.array(strip.convert("RGB")))[None] for strip in (upper, lower)]
    save_strip(path, frames)
