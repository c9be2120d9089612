"""What the video model costs, by arithmetic from its config (section 3.3, appendix A).

Counted as in ``cost.py``, and the tests hold it to ``torch.utils.flop_counter`` in the same way.  In brackets
the figures of Wan2.2-TI2V-5B:

    linear      12 D^2 + 4 D ffn for a token in a block (8.68 GFLOP a token over 30 blocks)
    attention   4 D for a (query, key) pair in a layer: all tokens of all shots, and a shot's with its words
                (369 kFLOP over 30 layers)
    words       4 D^2 for a text token in a block (1.13 GFLOP a text token)
    modulation  14 D^2 for a latent frame, whose tokens share a noise level (134 MFLOP)
    ends        embedding of words and latents, reading off the velocity

Shapes:  D width   K shots   S tokens of a shot   T text tokens   N tokens of all shots
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from math import prod
from typing import Any

from cinema_cli.errors import InputError

IMAGE_PARTS = ("image_dim", "added_kv_proj_dim")
"""Of Wan2.1's image-to-video models, whose first frame comes by cross-attention; nothing here uses them."""


@dataclass(frozen=True)
class Shots:
    """Shots of one length and frame size, as numbers."""

    count: int
    """Shots."""
    text: int
    """Text tokens of each (T)."""
    frames: int
    """Latent frames of each."""
    patches: int
    """Tokens of a latent frame."""

    @property
    def length(self) -> int:
        """S, tokens of a shot."""
        return self.frames * self.patches

    @property
    def tokens(self) -> int:
        """Of all of them, words left out."""
        return self.count * self.length


@dataclass(frozen=True)
class WanCost:
    """A Wan transformer as numbers: diffusers' ``WanTransformer3DModel``, and so InterleavedWan."""

    num_layers: int
    """Blocks."""
    attention_head_dim: int
    """Width of a head."""
    num_attention_heads: int
    """D / that."""
    ffn_dim: int
    """Width inside the feed-forward."""
    in_channels: int
    """Channels of the latents."""
    out_channels: int
    """Channels of the velocity."""
    text_dim: int
    """Width of a text token before it is embedded."""
    freq_dim: int
    """Width of the sinusoid that stands for a noise level."""
    patch_size: tuple[int, int, int]
    """Latent frames, rows and columns of a token."""
    cross_attn_norm: bool = True
    """Whether the norm before cross-attention has weights."""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "WanCost":
        """The model that a transformer's ``config.json`` describes.

        Raises:
            InputError: a number is missing, or the model has parts that see an image.
        """
        missing = [each.name for each in fields(cls) if each.default is MISSING and each.name not in config]
        if missing:
            raise InputError(
                f"config.json of the transformer: {', '.join(missing)} wanted, found "
                f"{', '.join(config) or 'nothing'}. Take the folder of a WanTransformer3DModel."
            )
        other = [name for name in IMAGE_PARTS if config.get(name) is not None]
        if other:
            raise InputError(
                f"config.json of the transformer: a model without {other[0]} was wanted, found {other[0]}="
                f"{config[other[0]]}. Take one that has its first frame among its latents, as Wan2.2-TI2V-5B."
            )
        numbers = {each.name: config[each.name] for each in fields(cls) if each.name in config}
        return cls(**numbers | {"patch_size": tuple(numbers["patch_size"])})

    @property
    def width(self) -> int:
        """D."""
        return self.attention_head_dim * self.num_attention_heads

    @property
    def blocks(self) -> int:
        """All of one kind."""
        return self.num_layers

    @property
    def linear_per_token(self) -> int:
        """FLOP of all blocks' linear layers for one token: 6 D^2 weights of attention, 2 D ffn of the MLP."""
        return 4 * self.width * (3 * self.width + self.ffn_dim) * self.num_layers

    @property
    def attention_per_pair(self) -> int:
        """FLOP of one (query, key) pair over all layers."""
        return 4 * self.width * self.num_layers

    @property
    def modulation_per_frame(self) -> int:
        """FLOP of embedding a noise level and of what it says to the blocks: scale, shift and gate, twice."""
        return 2 * self.width * (self.freq_dim + 7 * self.width)

    @property
    def parameters(self) -> int:
        """How many numbers the weights are."""
        width = self.width
        linear = sum(inputs * outputs + outputs for _, inputs, outputs in self._linear_layers())
        patches = (self.in_channels * prod(self.patch_size) + 1) * width
        block = (4 + 6 + 2 * self.cross_attn_norm) * width  # norms of q and k, modulation, another norm
        return linear + patches + self.num_layers * block + 2 * width

    @property
    def block_weights(self) -> int:
        """Weights of the linear layers inside blocks, which is what a quantised base keeps in few bits."""
        return sum(i * o for name, i, o in self._linear_layers() if name.startswith("blocks."))

    def adapters(self, rank: int, targets: str) -> int:
        """Parameters of adapters: rank x (inputs + outputs) of every layer whose whole name matches."""
        layers = [layer for layer in self._linear_layers() if re.fullmatch(targets, layer[0])]
        return sum(rank * (inputs + outputs) for _, inputs, outputs in layers)

    def step(self, groups: Sequence[Shots]) -> int:
        """FLOP of one forward over all shots of a film, which is one denoising step."""
        total = sum(group.tokens for group in groups)
        return self.attention_per_pair * total**2 + sum(self._local(group) for group in groups)

    def _local(self, group: Shots) -> int:
        """FLOP of what a shot's tokens do without other shots: everything but self-attention."""
        width, volume = self.width, prod(self.patch_size)
        ends = 2 * width * volume * (self.in_channels + self.out_channels)
        token = self.linear_per_token + self.attention_per_pair * group.text + ends
        word = 2 * width * (self.text_dim + width) + 4 * width**2 * self.num_layers
        words, levels = group.text * word, group.frames * self.modulation_per_frame
        return group.tokens * token + group.count * (words + levels)

    def _linear_layers(self) -> Iterator[tuple[str, int, int]]:
        """Name, inputs and outputs of every linear layer, as diffusers calls them."""
        width = self.width
        embedder = "condition_embedder"
        yield f"{embedder}.time_embedder.linear_1", self.freq_dim, width
        yield f"{embedder}.time_embedder.linear_2", width, width
        yield f"{embedder}.time_proj", width, 6 * width
        yield f"{embedder}.text_embedder.linear_1", self.text_dim, width
        yield f"{embedder}.text_embedder.linear_2", width, width
        for number in range(self.num_layers):
            for attention in ("attn1", "attn2"):
                for name in ("to_q", "to_k", "to_v", "to_out.0"):
                    yield f"blocks.{number}.{attention}.{name}", width, width
            yield f"blocks.{number}.ffn.net.0.proj", width, self.ffn_dim
            yield f"blocks.{number}.ffn.net.2", self.ffn_dim, width
        yield "proj_out", width, self.out_channels * prod(self.patch_size)


WAN_TI2V_5B = WanCost(30, 128, 24, 14336, 48, 48, 4096, 256, (1, 2, 2))
"""Wan2.2-TI2V-5B, which stands for the paper's closed Seaweed-3B: 5.000 B parameters."""
