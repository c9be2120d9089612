"""Latents and words of the pairs of a dataset, as the trainer takes them, made on demand and cached.

Frames are made smaller with Lanczos (``pictures.py``), then encoded in full precision whatever the caller's
autocast says: what is cached must not depend on who was the first to want it.  Both are kept as float16.
Where zeros stand behind a caption, a shard's words are kept no longer than its longest.

Shapes:  n pairs   T text tokens   L image tokens   C channels of a token
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cinema_cli.models.encoders import ImageCodec, TextEncoder, Words
from cinema_cli.sampling.cache import ShardCache, Tensors
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.sampling.pictures import refuse_other_shapes, small_keyframe
from cinema_cli.storyboard import Shot

CODE = 1
"""Version of the encoding below; another one means another cache."""

BLOCK = 32
"""Consecutive kept keyframes of a film in a shard: what one sequence of 8 to 32 pairs will mostly want."""

TOGETHER = 8
"""Items encoded at once."""


class PairFeatures:
    """The latents of kept keyframes, and the words of their captions where the text encoders are frozen."""

    def __init__(
        self,
        films: Sequence[KeptFilm],
        codec: ImageCodec,
        text: TextEncoder | None,
        frame_size: tuple[int, int],
        folder: Path,
        tell: Callable[[str], None],
    ) -> None:
        """``text``: none where no words are to be kept; none may be where the text encoders are trained."""
        for film in films:
            refuse_other_shapes(film, frame_size)
        self.films, self.codec, self.text, self.frame_size = films, codec, text, frame_size
        self._latents = lru_cache(maxsize=None)(
            lambda size: ShardCache(folder, latents_made_by(codec, size), tell)
        )
        self._latents(frame_size)  # what makes them is told before training starts
        self._words = ShardCache(folder, words_made_by(text), tell) if text is not None else None

    def latents(self, film: int, places: Sequence[int], grid: tuple[int, int] | None = None) -> Tensor:
        """Clean latents (n, L, C) of some of a film's kept keyframes; with ``grid`` as small as that."""
        kept = self.films[film]
        size = self.frame_size if grid is None else self.codec.pixels(grid)

        def make(shots: Sequence[Shot]) -> Tensors:
            frames = [small_keyframe(kept, shot, size) for shot in shots]
            pixels = torch.from_numpy(np.stack(frames))
            with torch.autocast(self.codec.vae.device.type, enabled=False):
                parts = [
                    self.codec.encode(pixels[start : start + TOGETHER])
                    for start in range(0, len(frames), TOGETHER)
                ]
            return {"latents": torch.cat(parts).to("cpu", torch.float16)}

        def stamp(shot: Shot) -> str:
            assert shot.keyframe is not None, shot.id
            return _file_stamp(kept.folder / shot.keyframe)

        return _gather(self._latents(size), kept, places, stamp, make)["latents"]

    def words(self, film: int, places: Sequence[int]) -> Words | None:
        """Encoded captions (n, T, D_text) and (n, D_pooled); none where the text encoders are trained."""
        text, cache = self.text, self._words
        if text is None or cache is None:
            return None

        def make(shots: Sequence[Shot]) -> Tensors:
            device = next(text.t5.parameters()).device.type
            with torch.no_grad(), torch.autocast(device, enabled=False):
                parts = [
                    text.encode([shot.caption for shot in shots[start : start + TOGETHER]])
                    for start in range(0, len(shots), TOGETHER)
                ]
            encoded = torch.cat([part.text for part in parts]).to("cpu", torch.float16)
            if text.padding == "zeros":
                encoded = encoded[:, : max(1, int(encoded.any(dim=2).sum(dim=1).max()))].contiguous()
            return {
                "text": encoded,
                "pooled": torch.cat([part.pooled for part in parts]).to("cpu", torch.float16),
            }

        found = _gather(cache, self.films[film], places, lambda shot: shot.caption, make)
        missing = text.length - found["text"].shape[1]
        return Words(nn.functional.pad(found["text"], (0, 0, 0, missing)), found["pooled"])


def latents_made_by(codec: ImageCodec, frame_size: tuple[int, int]) -> Mapping[str, Any]:
    """All that a keyframe's latents depend on, beside the picture."""
    return {
        "item": "latents",
        "code": CODE,
        "weights_sha256": module_sha256(codec.vae),
        "shift_and_scale": [codec.vae.config.shift_factor, codec.vae.config.scaling_factor],
        "frame_size": list(frame_size),
        "filter": "lanczos",
    }


def words_made_by(text: TextEncoder) -> Mapping[str, Any]:
    """All that a caption's features depend on, beside the caption."""
    return {
        "item": "words",
        "code": CODE,
        "weights_sha256": [module_sha256(text.clip), module_sha256(text.t5)],
        "tokenizers_sha256": [
            hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()
            for tokenizer in (text.clip_tokenizer, text.t5_tokenizer)
        ],
        "length": text.length,
        **({} if text.padding == "encoded" else {"padding": text.padding}),
    }


def module_sha256(module: nn.Module) -> str:
    """Of the weights in memory, for they may come from a checkpoint and not from a folder."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()


def _gather(
    cache: ShardCache,
    film: KeptFilm,
    places: Sequence[int],
    stamp: Callable[[Shot], str],
    make: Callable[[Sequence[Shot]], Tensors],
) -> Tensors:
    """The rows of some places, from as many shards as they lie in; places increase."""
    parts: list[Tensors] = []
    for block, rows in _by_block(places):
        shots = film.shots[block * BLOCK : (block + 1) * BLOCK]
        name = f"{film.sha256[:16]}/{block:04d}"
        parts.append(cache.rows(name, [stamp(shot) for shot in shots], rows, partial(make, shots)))
    # In full precision first: under a caller's autocast, half precision tensors cannot be joined on a CPU.
    return {name: _joined([part[name].float() for part in parts]) for name in parts[0]}


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """(n, ...) from several shards; words of one may be longer than those of another."""
    longest = max(part.shape[1] for part in parts)
    short = [(0, 0) * (part.ndim - 2) + (0, longest - part.shape[1]) for part in parts]
    return torch.cat([nn.functional.pad(part, by) for part, by in zip(parts, short, strict=True)])


def _by_block(places: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    for block in sorted({place // BLOCK for place in places}):
        yield block, [place % BLOCK for place in places if place // BLOCK == block]


def _file_stamp(path: Path) -> str:
    """Which state of a file: its size and when it was written, for reading it all would be no saving."""
    try:
        found = path.stat()
    except OSError:  # reading it will say what is wrong
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"
