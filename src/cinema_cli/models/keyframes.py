"""InterleavedFlux: the keyframe model (section 3.2, Fig. 3, appendix F).

A subclass of diffusers' ``FluxTransformer2DModel`` without a single new parameter, so that weights of
FLUX.1 load into it and a stock ``FluxPipeline`` loads what it saves.  Double-stream blocks are local to
a pair; single-stream blocks are global over all pairs; every pair has its own noise level.
No mask tensor exists: pairs are folded into the batch (``folding.py``), and who sees whom across pairs is
decided by slices (``regimes.py``).

Shapes:  B batch   P pairs (n in a group)   T text tokens   L image tokens   S = T + L   D width
         C channels of an image token   H heads   d = D / H   M tokens of memory
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers import FluxTransformer2DModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from diffusers.models.transformers.transformer_flux import (
    FluxSingleTransformerBlock,
    FluxTransformerBlock,
)
from diffusers.utils import apply_lora_scale
from torch import Tensor

from cinema_cli.models.context_parallel import Exchange, Share
from cinema_cli.models.folding import fold, unfold
from cinema_cli.models.global_attention import GlobalAttnProcessor, Rotary
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.regimes import KeyValue, Regime, blocks_of
from cinema_cli.models.stock import StockModel


@dataclass(frozen=True)
class Memory:
    """Remembered pairs as new ones see them: keys and values of every single-stream block."""

    layers: tuple[KeyValue, ...]  # each (B, M, H, d)

    @property
    def bytes(self) -> int:
        """What it takes on the device."""
        return sum(part.numel() * part.element_size() for layer in self.layers for part in layer)


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
        rotary: Rotary,  # (sum of n S, d)
        pairs: tuple[int, ...],
        blocks: tuple[int, ...],
        memory: KeyValue | None = None,  # (B, M, H, d)
        joint_attention_kwargs: dict[str, Any] | None = None,
        exchange: Exchange | None = None,
    ) -> tuple[tuple[Tensor, ...], KeyValue]:
        """Return the joined tokens of every group, and the keys and values of their attention."""
        normed, gates = zip(*(self.norm(x, emb=e) for x, e in zip(joined, temb, strict=True)), strict=True)
        attended, own = self.attn(
            normed,
            image_rotary_emb=rotary,
            pairs=pairs,
            blocks=blocks,
            memory=memory,
            exchange=exchange,
            **(joint_attention_kwargs or {}),
        )
        joined = tuple(
            x + gate[:, None] * self.proj_out(torch.cat([a, self.act_mlp(self.proj_mlp(n))], dim=2))
            for x, n, gate, a in zip(joined, normed, gates, attended, strict=True)
        )
        return joined, own


class InterleavedFlux(StockModel, FluxTransformer2DModel):
    """FLUX over interleaved pairs, drawn jointly or beside memory (appendix F)."""

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
        regime: Regime = "joint",
        memory: Memory | None = None,
        share: Share | None = None,
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
            groups: the interleaved pairs; ``ranks`` says where in the sequence each belongs.  In the regime
                "extend" remembered groups come first; in "causal" all pairs stand in the order of ranks.
            regime: who sees whom across pairs (appendix F).
            memory: of remembered pairs, by :meth:`remember`; every pair of ``groups`` sees it as well.
            share: who keeps which pairs, where processes share the sequence; all must call, each with its own
                pairs of every group, be they none.  Not in the regime "causal", nor with ``memory``.
        """
        if groups is not None:
            assert share is None or (regime != "causal" and memory is None), "only whole sequences are shared"
            # A group of which this process keeps nothing goes past the blocks.
            inputs = self._folded([group for group in groups if group.ranks], guidance, regime)
            exchange = None if share is None else share.exchange(partial(blocks_of, groups, regime))
            velocities = iter(self._denoise(inputs, memory, joint_attention_kwargs, exchange))
            return tuple(unfold(next(velocities), len(g.ranks)) if g.ranks else g.latents for g in groups)
        assert hidden_states is not None, "the stock call needs hidden_states; the interleaved one groups"
        assert encoder_hidden_states is not None
        assert pooled_projections is not None
        assert timestep is not None
        assert img_ids is not None
        assert txt_ids is not None
        rotary = self.pos_embed(torch.cat([txt_ids, img_ids]))
        tokens = hidden_states.shape[1] + encoder_hidden_states.shape[1]
        stock = Folded(
            (self.x_embedder(hidden_states),),
            (self.context_embedder(encoder_hidden_states),),
            (self._modulation(timestep, pooled_projections, guidance, 1),),
            (rotary,),
            rotary,
            (1,),
            (tokens,),
        )
        (velocity,) = self._denoise(stock, None, joint_attention_kwargs)
        return Transformer2DModelOutput(sample=velocity) if return_dict else (velocity,)

    def remember(self, groups: Sequence[PairGroup], guidance: Tensor | None = None) -> Memory:
        """Keys and values of remembered pairs, which see each other and nothing else.

        New pairs drawn with them are what they would be in the regime "extend"; but the memory is computed
        once per new frame, not once per denoising step.
        """
        inputs = self._folded(groups, guidance, "joint")
        layers = []
        joined = self._local(inputs, None)
        for block in self.single_transformer_blocks:
            joined, own = block(joined, inputs.temb, inputs.global_rotary, inputs.pairs, inputs.blocks)
            layers.append(own)
        return Memory(tuple(layers))

    def _folded(self, groups: Sequence[PairGroup], guidance: Tensor | None, regime: Regime) -> "Folded":
        """Embed frames and words, with one modulation vector per pair."""
        pairs = tuple(group.latents.shape[1] for group in groups)
        ids = [group.ids(group.latents.device) for group in groups]
        return Folded(
            tuple(self.x_embedder(fold(group.latents)) for group in groups),
            tuple(self.context_embedder(fold(group.text)) for group in groups),
            tuple(
                self._modulation(fold(group.timestep), fold(group.pooled), guidance, n)
                for group, n in zip(groups, pairs, strict=True)
            ),
            # Inside a pair only differences of positions matter, so one pair's ids serve all of them.
            tuple(self.pos_embed(i[0]) for i in ids),
            self.pos_embed(torch.cat([i.flatten(0, 1) for i in ids])),
            pairs,
            blocks_of(groups, regime),
        )

    def _denoise(
        self,
        inputs: "Folded",
        memory: Memory | None,
        attention_kwargs: dict[str, Any] | None,
        exchange: Exchange | None = None,
    ) -> list[Tensor]:
        joined = self._local(inputs, attention_kwargs)
        # Global: single-stream blocks, all pairs together.
        layers = memory.layers if memory else (None,) * len(self.single_transformer_blocks)
        for block, seen in zip(self.single_transformer_blocks, layers, strict=True):
            joined, _ = self._run(
                block,
                joined,
                inputs.temb,
                inputs.global_rotary,
                inputs.pairs,
                inputs.blocks,
                seen,
                attention_kwargs,
                exchange,
            )
        # Read the velocity off the image tokens.
        return [
            self.proj_out(self.norm_out(x[:, -i.shape[1] :], e))
            for x, i, e in zip(joined, inputs.image, inputs.temb, strict=True)
        ]

    def _local(self, inputs: "Folded", attention_kwargs: dict[str, Any] | None) -> tuple[Tensor, ...]:
        """Double-stream blocks, each pair for itself; text and image of every group joined."""
        image, text = inputs.image, inputs.text
        for block in self.transformer_blocks:
            text, image = self._run(block, image, text, inputs.temb, inputs.local_rotary, attention_kwargs)
        return tuple(torch.cat(both, dim=1) for both in zip(text, image, strict=True))

    def _modulation(self, timestep: Tensor, pooled: Tensor, guidance: Tensor | None, pairs: int) -> Tensor:
        """(B n, D): the network is told levels in thousandths, as stock FLUX does.

        Levels keep their own precision: the stock cast to bf16 would round 0.501 to 0.5.
        """
        if guidance is None:
            return self.time_text_embed(timestep * 1000, pooled)
        guidance = guidance.to(timestep.dtype).repeat_interleave(pairs)
        return self.time_text_embed(timestep * 1000, guidance * 1000, pooled)


@dataclass(frozen=True)
class Folded:
    """What the blocks take: everything embedded, pairs folded into the batch."""

    image: tuple[Tensor, ...]  # (B n, L, D) of each group
    text: tuple[Tensor, ...]  # (B n, T, D)
    temb: tuple[Tensor, ...]  # (B n, D)
    local_rotary: tuple[Rotary, ...]  # (S, d) of a pair of each group
    global_rotary: Rotary  # (sum of n S, d)
    pairs: tuple[int, ...]  # n of each group
    blocks: tuple[int, ...]  # tokens of each block of the global attention
