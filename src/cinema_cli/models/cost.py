"""What a keyframe model costs, by arithmetic from its config (section 3.2, Table 3, appendix C).

Nothing is loaded or run: ``--dry-run`` calls this on numbers.  A multiplication with its addition counts as
two operations (FLOP), and matrix products are counted, as ``torch.utils.flop_counter`` does: the tests hold
both to the same integer.  Norms, activations and RoPE are left out.  In brackets the figures of FLUX.1-dev:

    linear      24 D^2 for a token in a block, text and image alike (12.91 GFLOP a token over 57 blocks)
    attention   4 D for a (query, key) pair in a layer (700.4 kFLOP over 57 layers)
    modulation  once for a pair of the sequence, whatever its length (6.6 GFLOP)
    ends        embedding of words and latents, reading off the velocity (25 MFLOP a text token)

Table 3's rule, tokens x steps x FLOP per token, leaves attention out: :meth:`FluxCost.papers_rule`.

Shapes:  D width   d width of a head   T text tokens   L image tokens   S = T + L   N tokens of all pairs
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cinema_cli.errors import InputError

Sight = Literal["dense", "joint", "causal", "local"]
"""Who sees whom across pairs: everyone in every layer; in single-stream ones (the paper's hybrid mask); there
only pairs up to one's own; nobody (the floor: pairs that know nothing of each other)."""

TIME_CHANNELS = 256
"""Width of the sinusoid that stands for a noise level (diffusers)."""

LIVE_WIDTHS = 18
"""Numbers of width D alive for a token at the worst moment of a forward without gradients: q and k of a
single-stream block while RoPE turns them.  Measured at 17.3 to 18.0 (``tests/models/test_cost.py``)."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of one frame size, as numbers."""

    count: int
    """Pairs."""
    text: int
    """Text tokens of each."""
    image: int
    """Image tokens of each."""

    @property
    def tokens(self) -> int:
        """N of all of them."""
        return self.count * (self.text + self.image)


@dataclass(frozen=True)
class Window:
    """Frames that are drawn together, beside those that are remembered."""

    new: tuple[Pairs, ...]
    """What is drawn."""
    memory: tuple[Pairs, ...] = ()
    """What it sees as well."""


@dataclass(frozen=True)
class FluxCost:
    """A FLUX-like transformer as numbers: diffusers' ``FluxTransformer2DModel``, and so InterleavedFlux."""

    num_layers: int
    """Double-stream blocks, local to a pair."""
    num_single_layers: int
    """Single-stream blocks, global over pairs."""
    attention_head_dim: int
    """d."""
    num_attention_heads: int
    """D / d."""
    joint_attention_dim: int
    """Width of a text token before it is embedded."""
    pooled_projection_dim: int
    """Width of the pooled text."""
    in_channels: int
    """Numbers of an image token."""
    guidance_embeds: bool
    """Whether the model is told a guidance scale (FLUX.1-dev)."""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "FluxCost":
        """The model that a transformer's ``config.json`` describes.

        Raises:
            InputError: a number is missing.
        """
        missing = [name for name in cls.__dataclass_fields__ if name not in config]
        if missing:
            raise InputError(
                f"config.json of the transformer: {', '.join(missing)} wanted, found "
                f"{', '.join(config) or 'nothing'}. Take the folder of a FluxTransformer2DModel."
            )
        return cls(**{name: config[name] for name in cls.__dataclass_fields__})

    @property
    def width(self) -> int:
        """D."""
        return self.attention_head_dim * self.num_attention_heads

    @property
    def blocks(self) -> int:
        """Of both kinds."""
        return self.num_layers + self.num_single_layers

    @property
    def linear_per_token(self) -> int:
        """FLOP of all blocks' linear layers for one token: 4 D^2 weights of attention, 8 D^2 of the MLP."""
        return 24 * self.width**2 * self.blocks

    @property
    def attention_per_pair(self) -> int:
        """FLOP of one (query, key) pair over all layers."""
        return 4 * self.width * self.blocks

    @property
    def parameters(self) -> int:
        """How many numbers the weights are."""
        width = self.width
        levels = 1 + self.guidance_embeds
        embeds = (self.in_channels + self.joint_attention_dim + 2) * width
        told = levels * (TIME_CHANNELS + width + 2) + self.pooled_projection_dim + width + 2
        double = 36 * width**2 + 30 * width + 4 * self.attention_head_dim
        single = 15 * width**2 + 11 * width + 2 * self.attention_head_dim
        read_off = 2 * width**2 + 2 * width + (width + 1) * self.in_channels
        return embeds + told * width + self.num_layers * double + self.num_single_layers * single + read_off

    @property
    def block_weights(self) -> int:
        """Weights of the linear layers inside blocks, which is what a quantised base keeps in few bits."""
        return (36 * self.num_layers + 15 * self.num_single_layers) * self.width**2

    def step(self, groups: Sequence[Pairs], sight: Sight = "joint") -> int:
        """FLOP of one forward over all pairs, which is one denoising step."""
        total = sum(group.tokens for group in groups)
        own = sum(group.tokens * (group.text + group.image) for group in groups)
        seen = {"dense": total**2, "joint": total**2, "causal": (total**2 + own) // 2, "local": own}[sight]
        return self._forward(groups, total**2 if sight == "dense" else own, seen)

    def extension(self, new: Sequence[Pairs], memory: Sequence[Pairs]) -> int:
        """FLOP of one denoising step of new pairs that read the keys and values of a memory."""
        drawn, known = (sum(group.tokens for group in groups) for groups in (new, memory))
        own = sum(group.tokens * (group.text + group.image) for group in new)
        return self._forward(new, own, drawn * (known + drawn))

    def remember(self, memory: Sequence[Pairs]) -> int:
        """FLOP of computing a memory's keys and values: a joint forward whose velocity is not read off."""
        return self.step(memory) - sum(self._read_off(group) for group in memory)

    def film(self, windows: Sequence[Window], steps: int, wordless: int = 0) -> int:
        """FLOP of drawing the keyframes of a film, each window's memory computed once before its steps.

        Args:
            windows: what is drawn together, and beside what.
            steps: denoising steps of each window.
            wordless: in how many of them guidance takes a second forward, without captions.
        """
        drawn = sum(self.extension(window.new, window.memory) for window in windows)
        remembered = sum(self.remember(window.memory) for window in windows)
        return (steps + wordless) * drawn + (2 if wordless else 1) * remembered

    def training_step(self, groups: Sequence[Pairs], checkpointing: bool = False) -> int:
        """FLOP of a forward and a backward, twice as dear; checkpointing runs the forward again.

        That flash attention makes its scores again in the backward is left out, as is usual for MFU.
        """
        return self.step(groups) * (4 if checkpointing else 3)

    def papers_rule(self, tokens: int, steps: int) -> int:
        """Table 3's estimate, tokens x steps x FLOP per token, read as two operations for every parameter."""
        return tokens * steps * 2 * self.parameters

    def memory_bytes(self, memory: Sequence[Pairs], number_bytes: int = 2) -> int:
        """Bytes of a memory's keys and values: single-stream layers alone, the others are local."""
        return 2 * self.num_single_layers * self.width * number_bytes * sum(group.tokens for group in memory)

    def peak_bytes(self, window: Window, number_bytes: int = 2) -> int:
        """Bytes on the device while a window is drawn, gradients, text encoders and autoencoder left out.

        Weights, the memory's keys and values, and the larger of two moments: while memory is computed,
        ``LIVE_WIDTHS`` for each of its tokens; while new pairs are drawn, that for each of theirs and one
        layer of memory, copied beside their own keys and values.
        """
        new, known = (sum(group.tokens for group in groups) for groups in (window.new, window.memory))
        live = max(LIVE_WIDTHS * new + 2 * known, LIVE_WIDTHS * known)
        numbers = self.parameters + live * self.width
        return numbers * number_bytes + self.memory_bytes(window.memory, number_bytes)

    def _forward(self, groups: Sequence[Pairs], local: int, seen: int) -> int:
        """FLOP, with so many (query, key) pairs in each double-stream and in each single-stream layer."""
        linear = self.linear_per_token * sum(group.tokens for group in groups)
        attention = 4 * self.width * (self.num_layers * local + self.num_single_layers * seen)
        ends = sum(self._embed(group) + self._read_off(group) for group in groups)
        return linear + attention + ends

    def _embed(self, group: Pairs) -> int:
        """FLOP of embedding words, latents, noise levels and pooled text, and of the blocks' modulation."""
        width = self.width
        tokens = 2 * width * (self.joint_attention_dim * group.text + self.in_channels * group.image)
        levels = (1 + self.guidance_embeds) * (TIME_CHANNELS + width)
        modulation = (12 * self.num_layers + 3 * self.num_single_layers) * width
        return group.count * (tokens + 2 * width * (levels + self.pooled_projection_dim + width + modulation))

    def _read_off(self, group: Pairs) -> int:
        """FLOP of the last, modulated norm and of the velocity."""
        return group.count * 2 * self.width * (2 * self.width + self.in_channels * group.image)


FLUX_DEV = FluxCost(19, 38, 128, 24, 4096, 768, 64, True)
"""FLUX.1-dev, which the paper fine-tunes (section 3.2): 11.898 B parameters."""


def mask_bytes(groups: Sequence[Pairs]) -> int:
    """Bytes that a dense mask of booleans would take; none exists here."""
    return sum(group.tokens for group in groups) ** 2
