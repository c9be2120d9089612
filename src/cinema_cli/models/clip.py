"""CLIP: how well words fit a picture, for choosing what a shot remembers (3.2, Fig. 5, appendix D).

Models are open_clip's: a folder as its ``local-dir:`` reads it, or one of its names with a tag, such as
``ViT-B-32/laion2b_s34b_b79k``.  open_clip takes seconds to import and is imported when a model is loaded.

Only safetensors are read, and a folder is never allowed to ask the network: not for weights, not for a text
model of transformers, not for code of a tokenizer.

Shapes:  n captions or frames   D width of the vectors, which have unit length   H, W pixels
"""

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
MAX_CONFIG_BYTES = 1 << 20
BATCH = 64
"""Captions or frames that are encoded at once."""

TOKENIZER_OPTIONS = {"clean", "strip_sep_token"}
"""What a folder may ask of its tokenizer; ``trust_remote_code`` would be among the rest."""


class ClipEncoder:
    """Captions and frames as vectors whose inner product says how well they fit."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """``model`` and ``tokenizer``: as open_clip makes them."""
        self.model, self.tokenizer = model.eval().requires_grad_(False), tokenizer
        preprocess = model.visual.preprocess_cfg
        size = preprocess["size"]
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.mean, self.std = preprocess["mean"], preprocess["std"]

    @classmethod
    def load(cls, source: str | Path, device: torch.device) -> "ClipEncoder":
        """From a folder, or from a name and a tag of open_clip, whose weights are fetched once.

        Raises:
            MissingError: the folder lacks a file, or the weights cannot be fetched.
            InputError: the weights are pickled, the config asks for what is not in the folder, or there is no
                such name.
        """
        if Path(source).is_dir():
            return cls._from_folder(Path(source), device)
        return cls._from_name(str(source), device)

    @classmethod
    def _from_folder(cls, folder: Path, device: torch.device) -> "ClipEncoder":
        # Given only where the tokenizer is in the folder: that of open_clip itself takes no such options.
        closed = {"local_files_only": True, "trust_remote_code": False} if _check_folder(folder) else {}
        import open_clip

        name = f"local-dir:{folder}"
        try:
            model = open_clip.create_model(name, device=device, pretrained_text=False)
            tokenizer = open_clip.get_tokenizer(name, **closed)
        except (ValueError, RuntimeError, TypeError, AssertionError, OSError) as error:
            raise InputError(
                f"{folder}: weights and a tokenizer that fit {CONFIG} were wanted, found others ({error}). "
                "Save the model anew."
            ) from error
        return cls(model, tokenizer)

    @classmethod
    def _from_name(cls, source: str, device: torch.device) -> "ClipEncoder":
        import open_clip

        name, _, tag = source.rpartition("/")
        config = open_clip.get_pretrained_cfg(name, tag) if name else {}
        if not config:
            raise InputError(
                f"clip: a folder with {CONFIG}, or a name and a tag of open_clip such as "
                f"ViT-B-32/laion2b_s34b_b79k, were wanted, found {source!r}."
            )
        try:
            weights = open_clip.download_pretrained(config)
        except (OSError, RuntimeError) as error:
            raise MissingError(
                f"clip: the weights of {source} were wanted and cannot be fetched ({error}). "
                "Connect once, or give a folder."
            ) from error
        if Path(weights).suffix != ".safetensors":
            raise InputError(
                f"clip: safetensors were wanted, but {source} has {Path(weights).name}, which may hold code. "
                "Choose another tag."
            )
        model = open_clip.create_model(name, pretrained=tag, device=device)
        return cls(model, open_clip.get_tokenizer(name))

    @torch.no_grad()
    def text(self, captions: list[str]) -> Tensor:
        """Captions -> (n, D) on the CPU, unit length; what is behind the context length is not read."""
        device = next(self.model.parameters()).device
        ids = self.tokenizer([without_brackets(caption) for caption in captions])
        parts = [
            self.model.encode_text(part.to(device), normalize=True).float().cpu() for part in ids.split(BATCH)
        ]
        return torch.cat(parts)

    @torch.no_grad()
    def image(self, frames: Tensor) -> Tensor:
        """uint8 (n, H, W, 3) -> (n, D) on the CPU, unit length."""
        device = next(self.model.parameters()).device
        parts = []
        for part in frames.split(BATCH):
            pixels = normalised(squash(part.to(device), self.size), self.mean, self.std)
            parts.append(self.model.encode_image(pixels, normalize=True).float().cpu())
        return torch.cat(parts)

    def cut(self, captions: list[str]) -> list[int]:
        """Indices of captions that are longer than the model reads and would lose their end."""
        plain = [without_brackets(caption) for caption in captions]
        # Every tokenizer of open_clip puts the end token at the end of what it cuts: one more place moves it.
        read = self.tokenizer(plain)
        longer = self.tokenizer(plain, context_length=read.shape[1] + 1)
        return (longer[:, :-1] != read).any(dim=1).nonzero().flatten().tolist()


def without_brackets(caption: str) -> str:
    """``<Mira> waves`` as ``Mira waves``: CLIP has never seen a tag."""
    return re.sub(r"<([^<>]+)>", r"\1", caption)


def squash(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 (n, H, W, 3) -> uint8 (n, 3, h, w), all of the frame.

    open_clip would cut out the square in the middle: of a frame of 2:1 half is lost, and with it who stands
    at the sides.  Squashed, everything is seen, if narrower.
    """
    pixels = frames.permute(0, 3, 1, 2).float()
    small = nn.functional.interpolate(pixels, size, mode="bicubic", antialias=True)
    return small.round().clamp(0, 255).to(torch.uint8)


def normalised(pixels: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """uint8 (n, 3, h, w) as the numbers that the model was trained on."""
    shape = (1, 3, 1, 1)
    means, deviations = (torch.tensor(x, device=pixels.device).view(shape) for x in (mean, std))
    return (pixels / 255 - means) / deviations


def _check_folder(folder: Path) -> bool:
    """Refuse what is missing, pickled, or leads out of the folder; whether it holds its own tokenizer."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise MissingError(
                f"{folder}: {name} was wanted, but there is none.{_pickled(folder)} Save the model in the "
                "layout of open_clip's local-dir."
            )
    text = _text_config(folder / CONFIG)
    asked = set(text.get("tokenizer_kwargs") or ()) - TOKENIZER_OPTIONS
    if asked or text.get("hf_model_name"):
        found = f"tokenizer_kwargs {', '.join(sorted(asked))}" if asked else "hf_model_name"
        raise InputError(
            f"{folder / CONFIG}: {found} may load what is not in the folder. Remove it, or give a name and "
            "a tag of open_clip."
        )
    return bool(text.get("hf_tokenizer_name"))


def _pickled(folder: Path) -> str:
    """A sentence about weights that are there and are not read."""
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".bin", ".pt", ".pth"))
    return f" Found {', '.join(names)}: pickled weights may hold code and are not read." if names else ""


def _text_config(path: Path) -> dict[str, Any]:
    """What the config says of the text tower."""
    config = read_json(path, MAX_CONFIG_BYTES)
    model = config.get("model_cfg") if isinstance(config, dict) else None
    text = model.get("text_cfg") if isinstance(model, dict) else None
    if not isinstance(text, dict):
        raise InputError(f"{path}: model_cfg with a text_cfg was wanted, found none. Save the model anew.")
    return text
