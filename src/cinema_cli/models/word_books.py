"""Text encoders that are read, asked once for all captions of a run, and freed (``offload=sequential``).

T5 is as large as all else but the transformer, and it is needed for a minute.  What it made of the captions
stays on the CPU.  A caption that was not foreseen opens the encoders once more: slower, never wrong.
Captions are encoded one by one, so that what comes out does not depend on which are asked for together.

Shapes:  n captions   T text tokens   t tokens of a caption
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from cinema_cli.models.encoders import ShotTextEncoder, TextEncoder, TextPadding, Words
from cinema_cli.models.offloading import CPU, free_memory


class WordBook(TextEncoder):
    """A ``TextEncoder`` whose T5 and CLIP lie in memory only while they encode."""

    if TYPE_CHECKING:
        clip: nn.Module
        t5: nn.Module

    def __init__(
        self,
        open_encoder: Callable[[], TextEncoder],
        tokenizer: PreTrainedTokenizerFast,
        length: int,
        padding: TextPadding,
        device: torch.device,
    ) -> None:
        """Nothing is read before a caption is asked for.

        Args:
            open_encoder: reads the encoders, onto the device.
            tokenizer: T5's.
            length: text tokens of a caption (T).
            padding: what stands behind a shorter one.
            device: where encoded words are wanted.
        """
        self.t5_tokenizer, self.length, self.padding = tokenizer, length, padding
        self._open, self._device = open_encoder, device
        self._known: dict[str, Words] = {}

    def encode(self, captions: list[str]) -> Words:
        """(n, T, D_text) and (n, D_pooled), of captions that are known, or are so from now on."""
        unknown = [caption for caption in dict.fromkeys(captions) if caption not in self._known]
        if unknown:
            self._learn(unknown)
        rows = [self._known[caption] for caption in captions]
        return Words(
            torch.cat([row.text for row in rows]).to(self._device),
            torch.cat([row.pooled for row in rows]).to(self._device),
        )

    @torch.no_grad()
    def _learn(self, captions: list[str]) -> None:
        encoder = self._open()
        for caption in captions:
            words = encoder.encode([caption])
            self._known[caption] = Words(words.text.to(CPU), words.pooled.to(CPU))
        del encoder
        free_memory()


class ShotWordBook(ShotTextEncoder):
    """A ``ShotTextEncoder`` whose T5 lies in memory only while it encodes."""

    if TYPE_CHECKING:
        t5: nn.Module

    def __init__(
        self,
        open_encoder: Callable[[], ShotTextEncoder],
        tokenizer: PreTrainedTokenizerFast,
        length: int,
        device: torch.device,
    ) -> None:
        """As ``WordBook``; ``length``: text tokens of a shot (T)."""
        self.tokenizer, self.length = tokenizer, length
        self._open, self._device = open_encoder, device
        self._known: dict[tuple[str, int | None], Tensor] = {}

    def encode(self, global_caption: str, captions: list[str]) -> Tensor:
        """See ``ShotTextEncoder.encode``."""
        self._learn([global_caption, *captions], None)
        return super().encode(global_caption, captions)

    def alone(self, captions: list[str]) -> Tensor:
        """See ``ShotTextEncoder.alone``."""
        self._learn(captions, self.length)
        return super().alone(captions)

    def _one(self, caption: str, most: int | None = None) -> Tensor:
        return self._known[caption, most].to(self._device)

    @torch.no_grad()
    def _learn(self, captions: Iterable[str], most: int | None) -> None:
        unknown = [caption for caption in dict.fromkeys(captions) if (caption, most) not in self._known]
        if not unknown:
            return
        encoder = self._open()
        for caption in unknown:
            self._known[caption, most] = encoder._one(caption, most).to(CPU)
        del encoder
        free_memory()
