"""InterleavedFlux: the keyframe model (section 3.2, Fig. 3, appendix F).

A subclass of diffusers' ``FluxTransformer2DModel`` without a single new parameter, so that weights of
FLUX.1 load into it and a stock ``FluxPipeline`` loads what it saves.  Double-stream blocks are local to
a pair; single-stream blocks are global over all pairs; every pair has its own noise level.
No mask tensor exists: pairs are folded into the batch (``folding.py``).

Shapes:  B batch   P pairs (n in a group)   T text tokens   L image tokens   S = T + L   D width
         C channels of an image token   H heads
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import FluxTransformer2DModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from diffusers.models.transformers.transformer_flux import (
    FluxAttention,
    FluxSingleTransformerBlock,
    FluxTransformerBlock,
)
from diffusers.utils import apply_lora_scale
from torch import Tensor

from cinema_cli.models.folding import fold, join_groups, split_groups, unfold
from cinema_cli.models.stock import StockModel

Rotary = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class PairGroup:
    """Pairs of one frame size, as the model takes them."""

    latents: Tensor  # (B, n, L, C), noised
    text: Tensor  # (B, n, T, D_text)
    pooled: Tensor  # (B, n, D_pooled)
    timestep: Tensor  # (B, n), noise level in [0, 1] of each frame
    ranks: Sequence[int]  # n: place of each pair in the sequence, oldest first
    grid: tuple[int, int]  # height and width of the frame in tokens, L = height x width

    def ids(self, device: torch.device) -> Tensor:
        """Position ids (n, S, 3): axis 0 is the pair's rank, for text and image alike; then y and x."""
        height, width = self.grid
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        image = torch.stack([torch.zeros_like(y), y, x], dim=-1).reshape(-1, 3)
        one = torch.cat([torch.zeros(self.text.shape[2], 3), image])
        ids = one.repeat(len(self.ranks), 1, 1)
        ids[:, :, 0] = torch.tensor(self.ranks, dtype=ids.dtype)[:, None]
        return ids.to(device)


class GlobalAttnProcessor:
    """Attention of a single-stream block over all tokens of all pairs: the full mask M_global = 0."""

    _attention_backend = None
    _parallel_config = None

    def __call__(
        self,
        attn: FluxAttention,
        hidden_states: Tensor | tuple[Tensor, ...],  # (B n, S, D) of each group
        encoder_hidden_states: None = None,
        attention_mask: None = None,
        image_rotary_emb: Rotary | None = None,  # (sum of n S, D / H)
        pairs: tuple[int, ...] = (1,),
    ) -> tuple[Tensor, ...]:
        """Return the attended tokens, folded as they came."""
        groups = (hidden_states,) if isinstance(hidden_states, Tensor) else hidden_states
        x = join_groups(groups, pairs)
        query, key, value = (
            projection(x).unflatten(-1, (-1, attn.head_dim))
            for projection in (attn.to_q, attn.to_k, attn.to_v)
        )
        query = apply_rotary_emb(attn.norm_q(query), image_rotary_emb, sequence_dim=1)
        key = apply_rotary_emb(attn.norm_k(key), image_rotary_emb, sequence_dim=1)
        out = dispatch_attention_fn(
            query, key, value, backend=self._attention_backend, parallel_config=self._parallel_config
        )
        return split_groups(out.flatten(2, 3).to(query.dtype), groups, pairs)


class LocalBlock(FluxTransformerBlock):
    """A double-stream block: one call per layer, each group with its own pairs as batch (M_local)."""

    def forward(
        self,
        image: tuple[Tensor, ...],  # (B n, L, D) of each group
        text: tuple[Tensor, ...],  # (B n, T, D)
        temb: tuple[Tensor, ...],  # (B n, D)
        rotary: tuple[Rotary, ...],
        joint_attention_kwargs: dict[str, Any] | None = None,
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return (text, image) of every group."""
        parts = [
            super(LocalBlock, self).forward(i, t, emb, rope, joint_attention_kwargs)
            for i, t, emb, rope in zip(image, text, temb, rotary, strict=True)
        ]
        return tuple(part[0] for part in parts), tuple(part[1] for part in parts)


class GlobalBlock(FluxSingleTransformerBlock):
    """A single-stream block: norm and MLP on folded pairs, attention over all of them."""

    def forward(
        self,
        joined: tuple[Tensor, ...],  # (B n, S, D) of each group, text first
        temb: tuple[Tensor, ...],  # (B n, D)
        rotary: Rotary,  # (sum of n S, D / H)
        pairs: tuple[int, ...],
        joint_attention_kwargs: dict[str, Any] | None = None,
    ) -> tuple[Tensor, ...]:
        """Return the joined tokens of every group."""
        normed, gates = zip(*(self.norm(x, emb=e) for x, e in zip(joined, temb, strict=True)), strict=True)
        attended = self.attn(normed, image_rotary_emb=rotary, pairs=pairs, **(joint_attention_kwargs or {}))
        return tuple(
            x + gate[:, None] * self.proj_out(torch.cat([a, self.act_mlp(self.proj_mlp(n))], dim=2))
            for x, n, gate, a in zip(joined, normed, gates, attended, strict=True)
        )


class InterleavedFlux(StockModel, FluxTransformer2DModel):
    """FLUX over interleaved pairs, in the joint regime: every pair sees every pair (appendix F, offline)."""

    _no_split_modules = ("LocalBlock", "GlobalBlock")
    _repeated_blocks = ("LocalBlock", "GlobalBlock")
    # The stock plan splits tokens inside a pair; pairs must stay whole.
    _cp_plan = None

    # The signature is repeated because diffusers reads a config's keys from it.
    @register_to_config
    def __init__(
        self,
        patch_size: int = 1,
        in_channels: int = 64,
        out_channels: int | None = None,
        num_layers: int = 19,
        num_single_layers: int = 38,
        attention_head_dim: int = 128,
        num_attention_heads: int = 24,
        joint_attention_dim: int = 4096,
        pooled_projection_dim: int = 768,
        guidance_embeds: bool = False,
        axes_dims_rope: tuple[int, int, int] = (16, 56, 56),
    ) -> None:
        super().__init__(
            patch_size=patch_size,
            in_channels=in_channels,
            out_channels=out_channels,
            num_layers=num_layers,
            num_single_layers=num_single_layers,
            attention_head_dim=attention_head_dim,
            num_attention_heads=num_attention_heads,
            joint_attention_dim=joint_attention_dim,
            pooled_projection_dim=pooled_projection_dim,
            guidance_embeds=guidance_embeds,
            axes_dims_rope=axes_dims_rope,
        )
        # Only the forward differs, so a block changes its class instead of being built twice (12 B).
        for block in self.transformer_blocks:
            block.__class__ = LocalBlock
        for block in self.single_transformer_blocks:
            block.__class__ = GlobalBlock
            block.attn.set_processor(GlobalAttnProcessor())

    @apply_lora_scale("joint_attention_kwargs")
    def forward(
        self,
        hidden_states: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        pooled_projections: Tensor | None = None,
        timestep: Tensor | None = None,
        img_ids: Tensor | None = None,
        txt_ids: Tensor | None = None,
        guidance: Tensor | None = None,
        joint_attention_kwargs: dict[str, Any] | None = None,
        return_dict: bool = True,
        *,
        groups: Sequence[PairGroup] | None = None,
    ) -> Transformer2DModelOutput | tuple[Tensor, ...]:
        """Predict velocities.

        With ``groups`` the model is interleaved and returns one (B, n, L, C) per group.  Without them it
        answers the stock call of ``FluxPipeline``: one pair, so a stock forward.

        Args:
            hidden_states: (B, L, C) packed latents of the stock call; with the other stock arguments.
            encoder_hidden_states: (B, T, D_text).
            pooled_projections: (B, D_pooled).
            timestep: (B,) noise levels in [0, 1].
            img_ids: (L, 3) position ids.
            txt_ids: (T, 3) position ids.
            guidance: (B,), for guidance-distilled models; training uses 1.0, sampling 3.5.
            joint_attention_kwargs: handed to the attention processors; ``scale`` scales LoRA layers.
            return_dict: as in diffusers; only of the stock call.
            groups: the interleaved pairs, in sequence order or not: ``ranks`` says where each belongs.
        """
        if groups is not None:
            return self._interleaved(groups, guidance, joint_attention_kwargs)
        assert hidden_states is not None, "the stock call needs hidden_states; the interleaved one groups"
        assert encoder_hidden_states is not None
        assert pooled_projections is not None
        assert timestep is not None
        assert img_ids is not None
        assert txt_ids is not None
        rotary = self.pos_embed(torch.cat([txt_ids, img_ids]))
        (velocity,) = self._denoise(
            [hidden_states],
            [encoder_hidden_states],
            [pooled_projections],
            [timestep],
            guidance,
            [rotary],
            rotary,
            (1,),
            joint_attention_kwargs,
        )
        return Transformer2DModelOutput(sample=velocity) if return_dict else (velocity,)

    def _interleaved(
        self, groups: Sequence[PairGroup], guidance: Tensor | None, attention_kwargs: dict[str, Any] | None
    ) -> tuple[Tensor, ...]:
        pairs = tuple(group.latents.shape[1] for group in groups)
        ids = [group.ids(group.latents.device) for group in groups]
        velocities = self._denoise(
            [fold(group.latents) for group in groups],
            [fold(group.text) for group in groups],
            [fold(group.pooled) for group in groups],
            [fold(group.timestep) for group in groups],
            guidance,
            # Inside a pair only differences of positions matter, so one pair's ids serve all of them.
            [self.pos_embed(i[0]) for i in ids],
            self.pos_embed(torch.cat([i.flatten(0, 1) for i in ids])),
            pairs,
            attention_kwargs,
        )
        return tuple(unfold(v, n) for v, n in zip(velocities, pairs, strict=True))

    def _denoise(
        self,
        latents: list[Tensor],  # (B n, L, C) of each group
        texts: list[Tensor],  # (B n, T, D_text)
        pooled: list[Tensor],  # (B n, D_pooled)
        timesteps: list[Tensor],  # (B n)
        guidance: Tensor | None,  # (B,)
        local_rotary: list[Rotary],
        global_rotary: Rotary,
        pairs: tuple[int, ...],
        attention_kwargs: dict[str, Any] | None,
    ) -> list[Tensor]:
        # Embed: frames, words, and one modulation vector per pair.
        image = tuple(self.x_embedder(x) for x in latents)
        text = tuple(self.context_embedder(x) for x in texts)
        temb = tuple(
            self._modulation(t, p, guidance, n) for t, p, n in zip(timesteps, pooled, pairs, strict=True)
        )
        # Local: double-stream blocks, each pair for itself.
        for block in self.transformer_blocks:
            text, image = self._run(block, image, text, temb, tuple(local_rotary), attention_kwargs)
        # Global: single-stream blocks, all pairs together.
        joined = tuple(torch.cat(both, dim=1) for both in zip(text, image, strict=True))
        for block in self.single_transformer_blocks:
            joined = self._run(block, joined, temb, global_rotary, pairs, attention_kwargs)
        # Read the velocity off the image tokens.
        return [
            self.proj_out(self.norm_out(x[:, -i.shape[1] :], e))
            for x, i, e in zip(joined, image, temb, strict=True)
        ]

    def _modulation(self, timestep: Tensor, pooled: Tensor, guidance: Tensor | None, pairs: int) -> Tensor:
        """(B n, D): the network is told levels in thousandths, as stock FLUX does.

        Levels keep their own precision: the stock cast to bf16 would round 0.501 to 0.5.
        """
        if guidance is None:
            return self.time_text_embed(timestep * 1000, pooled)
        guidance = guidance.to(timestep.dtype).repeat_interleave(pairs)
        return self.time_text_embed(timestep * 1000, guidance * 1000, pooled)
