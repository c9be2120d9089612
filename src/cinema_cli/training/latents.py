"""The latent cache: a frame is encoded once, however often training meets it.

One safetensors file per item, in a folder named by the encoder's weights, so that a new autoencoder never
reads the latents of an old one.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from cinema_cli.files import atomic_path


class LatentCache:
    """Latents in memory and on disk, kept as float16."""

    def __init__(self, folder: Path, encoder_sha256: str) -> None:
        """``folder``: where caches live; the encoder's hash names the one of this encoder."""
        self.folder = folder / encoder_sha256[:16]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.held: dict[str, Tensor] = {}

    def get(self, key: str, make: Callable[[], Tensor]) -> Tensor:
        """The latents of ``key``, made and stored when they are not there."""
        if key not in self.held:
            path = self.folder / f"{key}.safetensors"
            if not path.exists():
                with atomic_path(path) as aside:
                    save_file({"latents": make().to(torch.float16).contiguous()}, aside)
            self.held[key] = load_file(path)["latents"]
        return self.held[key].float()
