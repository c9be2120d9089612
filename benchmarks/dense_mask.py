"""The naive way, to be measured against: all pairs one long sequence, locality written as a dense mask.

A stock ``FluxTransformer2DModel`` whose blocks are run on that sequence.  Double-stream blocks get a mask of
N x N booleans that is block-diagonal over pairs (M_local of the paper's Fig. 3); single-stream ones get none.
Its outputs are those of ``InterleavedFlux``, which shares the weights; its cost is that of dense attention
everywhere.  It is no straw man: modulation is computed once for a pair, the mask once for all steps.

Shapes:  P pairs   T text tokens   L image tokens   N = P (T + L)   D width   C channels of a token
"""

from collections.abc import Callable
from typing import Any

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor, nn

from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup

Rotary = tuple[Tensor, Tensor]


def stock_twin(ours: InterleavedFlux) -> FluxTransformer2DModel:
    """A stock model that holds the same tensors: nothing is copied."""
    with torch.device("meta"):
        stock = FluxTransformer2DModel(**{k: v for k, v in ours.config.items() if not k.startswith("_")})
    stock.load_state_dict(ours.state_dict(), assign=True)
    return stock.eval()


def local_mask(pairs: int, text: int, image: int, device: torch.device) -> Tensor:
    """(1, 1, N, N): a token sees its own pair; text of all pairs first, as a double-stream block has them."""
    owner = torch.arange(pairs, device=device)
    owner = torch.cat([owner.repeat_interleave(text), owner.repeat_interleave(image)])
    return (owner[:, None] == owner[None])[None, None]


class DenseFlux:
    """Velocities by dense masks."""

    def __init__(self, ours: InterleavedFlux, compiled: bool = False) -> None:
        """``compiled``: each kind of block by ``torch.compile``, as ``InterleavedFlux`` may have its own."""
        self.stock = stock_twin(ours)
        self.double: Callable[..., Any] = torch.compile(double, dynamic=False) if compiled else double
        self.single: Callable[..., Any] = torch.compile(single, dynamic=False) if compiled else single

    @torch.no_grad()
    def __call__(self, group: PairGroup, mask: Tensor | None, guidance: Tensor | None = None) -> Tensor:
        """(1, P, L, C) of one film (B = 1); without ``mask`` every token sees every token everywhere."""
        stock = self.stock
        pairs, image_tokens, text_tokens = *group.latents.shape[1:3], group.text.shape[2]
        # Embed: (1, P L, D), (1, P T, D), and one vector for a pair (P, D).
        image = stock.x_embedder(group.latents.flatten(1, 2))
        text = stock.context_embedder(group.text.flatten(1, 2))
        levels = () if guidance is None else (guidance.expand(pairs) * 1000,)
        temb = stock.time_text_embed(group.timestep[0] * 1000, *levels, group.pooled[0])
        ids = group.ids(image.device)
        rotary = stock.pos_embed(
            torch.cat([ids[:, :text_tokens].flatten(0, 1), ids[:, text_tokens:].flatten(0, 1)])
        )
        # Double-stream, then single-stream blocks.
        for block in stock.transformer_blocks:
            text, image = self.double(block, text, image, temb, rotary, mask)
        joined = torch.cat([text, image], dim=1)
        for block in stock.single_transformer_blocks:
            joined = self.single(block, joined, temb, text_tokens, image_tokens, rotary)
        # Read off.
        image = joined[:, pairs * text_tokens :]
        scale, shift = _vectors(stock.norm_out, temb, 2)
        image = _modulated(stock.norm_out.norm(image), shift, scale, image_tokens)
        return stock.proj_out(image).unflatten(1, (pairs, image_tokens))


def double(
    block: nn.Module, text: Tensor, image: Tensor, temb: Tensor, rotary: Rotary, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """A double-stream block on the whole sequence."""
    pairs = temb.shape[0]
    each_image, each_text = image.shape[1] // pairs, text.shape[1] // pairs
    i, t = _vectors(block.norm1, temb, 6), _vectors(block.norm1_context, temb, 6)
    attended_image, attended_text = block.attn(
        _modulated(block.norm1.norm(image), i[0], i[1], each_image),
        _modulated(block.norm1_context.norm(text), t[0], t[1], each_text),
        attention_mask=mask,
        image_rotary_emb=rotary,
    )
    image = image + _each(i[2], each_image) * attended_image
    text = text + _each(t[2], each_text) * attended_text
    made = block.ff(_modulated(block.norm2(image), i[3], i[4], each_image))
    told = block.ff_context(_modulated(block.norm2_context(text), t[3], t[4], each_text))
    return text + _each(t[5], each_text) * told, image + _each(i[5], each_image) * made


def single(
    block: nn.Module, joined: Tensor, temb: Tensor, text_tokens: int, image_tokens: int, rotary: Rotary
) -> Tensor:
    """A single-stream block on the whole sequence; all see all, so it needs no mask."""
    shift, scale, gate = (
        torch.cat([_each(part, text_tokens), _each(part, image_tokens)], dim=1)
        for part in _vectors(block.norm, temb, 3)
    )
    normed = block.norm.norm(joined) * (1 + scale) + shift
    attended = block.attn(normed, image_rotary_emb=rotary)
    made = block.act_mlp(block.proj_mlp(normed))
    return joined + gate * block.proj_out(torch.cat([attended, made], dim=2))


def _vectors(norm: nn.Module, temb: Tensor, count: int) -> tuple[Tensor, ...]:
    """So many modulation vectors (P, D) of each pair."""
    return norm.linear(norm.silu(temb)).chunk(count, dim=1)


def _modulated(x: Tensor, shift: Tensor, scale: Tensor, tokens: int) -> Tensor:
    return x * (1 + _each(scale, tokens)) + _each(shift, tokens)


def _each(vector: Tensor, tokens: int) -> Tensor:
    """(P, D) -> (1, P tokens, D): every token gets its pair's."""
    return vector.repeat_interleave(tokens, dim=0)[None]
