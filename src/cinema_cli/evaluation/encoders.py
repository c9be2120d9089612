"""Encoders that turn pictures, and some also words, into vectors; a score means little without its encoder.

Named are: ``toy``, the embedded CLIP, which knows puppets only; a name and a tag of open_clip, such as
``ViT-B-32/laion2b_s34b_b79k``; a folder as open_clip or as transformers saves it; or a model of transformers
on the hub, such as ``facebook/dino-vitb16``, perhaps with ``@revision``.  Of transformers CLIP, DINO (a ViT)
and DINOv2 are read.  Only safetensors are read, and no code that comes with a model is run.

Shapes:  N frames or captions   D numbers of a vector, which has unit length   H, W pixels
"""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cinema_cli.errors import InputError
from cinema_cli.evaluation.encoder_files import CONFIG, fetched, model_type
from cinema_cli.models.clip import CONFIG as OPEN_CLIP_CONFIG
from cinema_cli.models.clip import ClipEncoder, without_brackets
from cinema_cli.models.encoders import read_tokenizer
from cinema_cli.models.hub import is_hub_name
from cinema_cli.models.weights import TOY

Vectors = NDArray[np.float32]
"""(N, D), unit length."""
Frames = NDArray[np.uint8]
"""(N, H, W, 3), RGB."""
BATCH = 32
"""Frames or captions that are encoded at once."""


class ImageEncoder(Protocol):
    """Whatever sees."""

    name: str
    """As it was named."""

    def image(self, frames: Frames) -> Vectors:
        """The vectors of frames."""


class WordEncoder(ImageEncoder, Protocol):
    """Whatever sees and reads: a caption's vector is near to that of a picture it fits."""

    def text(self, captions: list[str]) -> Vectors:
        """The vectors of captions; tags are read as names."""

    def cut(self, captions: list[str]) -> list[int]:
        """Indices of captions that are longer than it reads: their end does not count."""


class OpenClip:
    """A CLIP of open_clip; a frame is squashed to its size, so that the sides of a wide one are seen too."""

    def __init__(self, name: str, clip: ClipEncoder) -> None:
        """``clip``: as the rest of cinema uses it."""
        self.name, self._clip = name, clip

    def image(self, frames: Frames) -> Vectors:
        """See ``ImageEncoder``."""
        vectors: Vectors = self._clip.image(torch.from_numpy(frames)).numpy()
        return vectors

    def text(self, captions: list[str]) -> Vectors:
        """See ``WordEncoder``."""
        vectors: Vectors = self._clip.text(captions).numpy()
        return vectors

    def cut(self, captions: list[str]) -> list[int]:
        """See ``WordEncoder``."""
        return self._clip.cut(captions)


class Transformer:
    """A vision transformer of transformers; its own image processor prepares the frames."""

    def __init__(self, name: str, model: Any, processor: Any) -> None:
        """``model`` and ``processor``: as transformers loads them."""
        self.name, self._model, self._processor = name, model.eval().requires_grad_(False), processor

    def image(self, frames: Frames) -> Vectors:
        """See ``ImageEncoder``; DINO's vector of a frame is that of its class token, behind the last norm."""
        return _joined(self._seen(list(frames[start : start + BATCH])) for start in _starts(len(frames)))

    @torch.no_grad()
    def _seen(self, frames: list[NDArray[np.uint8]]) -> Tensor:
        pixels = self._processor(images=frames, return_tensors="pt", input_data_format="channels_last")
        found: Tensor = self._features(pixels["pixel_values"].to(self._model.device))
        return found

    def _features(self, pixels: Tensor) -> Tensor:
        features: Tensor = self._model(pixel_values=pixels).last_hidden_state[:, 0]
        return features


class TransformerClip(Transformer):
    """A CLIP of transformers."""

    def __init__(self, name: str, model: Any, processor: Any, tokenizer: Any) -> None:
        """``tokenizer``: of its words."""
        super().__init__(name, model, processor)
        self._tokenizer, self._length = tokenizer, model.config.text_config.max_position_embeddings

    def text(self, captions: list[str]) -> Vectors:
        """See ``WordEncoder``."""
        return _joined(self._read(captions[start : start + BATCH]) for start in _starts(len(captions)))

    def cut(self, captions: list[str]) -> list[int]:
        """See ``WordEncoder``."""
        read = self._tokenizer([without_brackets(caption) for caption in captions])["input_ids"]
        return [index for index, ids in enumerate(read) if len(ids) > self._length]

    def _features(self, pixels: Tensor) -> Tensor:
        features: Tensor = self._model.get_image_features(pixel_values=pixels).pooler_output
        return features

    @torch.no_grad()
    def _read(self, captions: list[str]) -> Tensor:
        read = self._tokenizer(
            [without_brackets(caption) for caption in captions],
            padding=True,
            truncation=True,
            max_length=self._length,
            return_tensors="pt",
        ).to(self._model.device)
        features: Tensor = self._model.get_text_features(
            input_ids=read["input_ids"], attention_mask=read["attention_mask"]
        ).pooler_output
        return features


def load_encoder(source: str, device: torch.device) -> ImageEncoder:
    """The encoder of that name; what is not here is fetched once, unless ``HF_HUB_OFFLINE`` is set.

    Raises:
        InputError: nobody knows the name, or the weights do not fit or may hold code.
        MissingError: files are lacking, or cannot be fetched.
    """
    if source == TOY:
        folder = Path(str(resources.files("cinema_cli"))) / TOY / "clip"
        return OpenClip(source, ClipEncoder.load(folder, device))
    path = Path(source).expanduser()
    if path.is_dir():
        if (path / OPEN_CLIP_CONFIG).is_file():
            return OpenClip(source, ClipEncoder.load(path, device))
        return _from_folder(source, path, device)
    if _known_to_open_clip(source):
        return OpenClip(source, ClipEncoder.load(source, device))
    if not is_hub_name(source):
        raise InputError(
            f"{source}: an encoder was wanted: {TOY}, a folder, a name and a tag of open_clip such as "
            "ViT-B-32/laion2b_s34b_b79k, or a model of the hub such as facebook/dino-vitb16."
        )
    return _from_folder(source, fetched(source), device)


def load_word_encoder(source: str, device: torch.device) -> WordEncoder:
    """The same for one that reads, too.

    Raises:
        InputError: as above, or it only sees.
        MissingError: as above.
    """
    encoder = load_encoder(source, device)
    if not isinstance(encoder, OpenClip | TransformerClip):
        raise InputError(f"{source}: a CLIP, which reads captions too, was wanted, found one that only sees.")
    return encoder


def _known_to_open_clip(source: str) -> bool:
    name, _, tag = source.rpartition("/")
    if not name:
        return False
    import open_clip  # takes seconds

    return bool(open_clip.get_pretrained_cfg(name, tag))


def _from_folder(name: str, folder: Path, device: torch.device) -> Transformer:
    kind = model_type(folder)
    import transformers

    whole: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    classes = {
        "clip": (transformers.CLIPModel, {}),
        "dinov2": (transformers.Dinov2Model, {}),
        "vit": (transformers.ViTModel, {"add_pooling_layer": False}),  # DINO has none: it would be random
    }
    cls, options = classes[kind]
    try:
        model, found = cls.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, local_files_only=True, **options
        )
        processor = transformers.AutoImageProcessor.from_pretrained(folder, **whole)
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise InputError(
            f"{folder}: weights and an image processor that fit {CONFIG} were wanted, found others "
            f"({error}). Save the model anew."
        ) from error
    lacking = sorted(found["missing_keys"])
    if lacking:
        raise InputError(
            f"{folder}: all weights of {cls.__name__} were wanted, but {len(lacking)} are missing "
            f"({lacking[0]}, ...). Save the model anew."
        )
    if kind == "clip":
        return TransformerClip(name, model.to(device), processor, read_tokenizer(folder))
    return Transformer(name, model.to(device), processor)


def _starts(count: int) -> range:
    return range(0, count, BATCH)


def _joined(parts: Iterator[Tensor]) -> Vectors:
    whole = torch.cat([part.float().cpu() for part in parts])
    unit: Vectors = torch.nn.functional.normalize(whole, dim=1).numpy()
    return unit
