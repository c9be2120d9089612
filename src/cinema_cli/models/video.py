"""InterleavedWan: the video model, conditioned on the keyframes of all shots (section 3.3).

A subclass of diffusers' ``WanTransformer3DModel`` without a single new parameter.  Shots are folded into
the batch as pairs are in ``keyframes.py``: text cross-attention and MLP are local to a shot, while
self-attention is global over the frames of all shots.  A shot's first latent frame is its keyframe,
kept clean by a timestep of its own (t = 0 per token); the others are noised.

Noise levels are embedded once for each row of neighbouring tokens that share one, here a latent frame: per
token, as the stock model does, it would be a quarter of what a block keeps for its backward.

Shapes:  B batch   K shots (n in a group)   C channels   F latent frames   H, W latent height and width
         S tokens of a shot = F (H/2) (W/2)   R rows of tokens   T text tokens   D width
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers import WanTransformer3DModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.embeddings import get_1d_rotary_pos_embed
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from diffusers.models.transformers.transformer_wan import WanAttention, WanTransformerBlock
from diffusers.utils import apply_lora_scale
from einops import rearrange
from torch import Tensor

from cinema_cli.models.context_parallel import Exchange, Share
from cinema_cli.models.folding import fold, join_groups, split_groups, unfold
from cinema_cli.models.stock import StockModel

Rotary = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class ShotGroup:
    """Shots of one length and size, as the model takes them."""

    latents: Tensor  # (B, n, C, F, H, W): first latent frame the clean keyframe, the others noised
    text: Tensor  # (B, n, T, D_text): c_tiled, global caption and the shot's own
    timestep: Tensor  # (B, n, F), noise level in [0, 1] of each latent frame
    starts: Sequence[float]  # n: time position of each shot's first latent frame


def shot_starts(frames: Sequence[int], cut_phase: float) -> list[float]:
    """Time positions where shots begin: the latent frames before, and a phase offset at every cut."""
    starts, position = [], 0.0
    for count in frames:
        starts.append(position)
        position += count + cut_phase
    return starts


class ShotAttnProcessor:
    """Self-attention over all tokens of all shots."""

    _attention_backend = None
    _parallel_config = None

    def __call__(
        self,
        attn: WanAttention,
        hidden_states: tuple[Tensor, ...],  # (B n, S, D) of each group
        encoder_hidden_states: None = None,
        attention_mask: None = None,
        rotary_emb: Rotary | None = None,  # (1, sum of n S, 1, D / heads)
        shots: tuple[int, ...] = (1,),
        exchange: Exchange | None = None,
    ) -> tuple[Tensor, ...]:
        """Return the attended tokens, folded as they came."""
        assert rotary_emb is not None
        x = join_groups(hidden_states, shots)
        query = attn.norm_q(attn.to_q(x)).unflatten(2, (attn.heads, -1))
        key = _rotate(attn.norm_k(attn.to_k(x)).unflatten(2, (attn.heads, -1)), rotary_emb)
        value = attn.to_v(x).unflatten(2, (attn.heads, -1))
        if exchange is not None:
            key, value = exchange.gather(key, value)
        out = dispatch_attention_fn(
            _rotate(query, rotary_emb),
            key,
            value,
            backend=self._attention_backend,
            parallel_config=self._parallel_config,
        )
        out = attn.to_out[1](attn.to_out[0](out.flatten(2, 3).type_as(query)))
        return split_groups(out, hidden_states, shots)


class ShotBlock(WanTransformerBlock):
    """A block of Wan: one call per layer, self-attention global over shots, the rest local."""

    def forward(
        self,
        shots: tuple[Tensor, ...],  # (B n, S, D) of each group
        text: tuple[Tensor, ...],  # (B n, T, D)
        temb: tuple[Tensor, ...],  # (B n, R, 6, D)
        rotary: Rotary,
        counts: tuple[int, ...],
        exchange: Exchange | None = None,
    ) -> tuple[Tensor, ...]:
        """Return the tokens of every group.  Arithmetic and dtypes follow the stock block."""
        modulation = [(self.scale_shift_table.unsqueeze(0) + t.float()).unbind(dim=2) for t in temb]
        # Self-attention over all shots.
        normed = tuple(
            _modulated(self.norm1(x.float()), m[1], m[0]).type_as(x)
            for x, m in zip(shots, modulation, strict=True)
        )
        attended = self.attn1(normed, None, None, rotary, shots=counts, exchange=exchange)
        shots = tuple(
            _added(x.float(), a, m[2]).type_as(x) for x, a, m in zip(shots, attended, modulation, strict=True)
        )
        return tuple(self._local(x, t, m) for x, t, m in zip(shots, text, modulation, strict=True))

    def _local(self, x: Tensor, text: Tensor, m: tuple[Tensor, ...]) -> Tensor:
        # Cross-attention to the shot's own words.
        x = x + self.attn2(self.norm2(x.float()).type_as(x), text, None, None)
        # Feed-forward.
        normed = _modulated(self.norm3(x.float()), m[4], m[3]).type_as(x)
        return _added(x.float(), self.ffn(normed).float(), m[5]).type_as(x)


class InterleavedWan(StockModel, WanTransformer3DModel):
    """Wan over the shots of a film: K shots in one forward, each with its own caption and keyframe."""

    _no_split_modules = ("ShotBlock",)
    _repeated_blocks = ("ShotBlock",)
    # The stock plan splits tokens inside a shot; shots must stay whole.
    _cp_plan = None

    # The signature is repeated because diffusers reads a config's keys from it.
    @register_to_config
    def __init__(
        self,
        patch_size: tuple[int, ...] = (1, 2, 2),
        num_attention_heads: int = 40,
        attention_head_dim: int = 128,
        in_channels: int = 16,
        out_channels: int = 16,
        text_dim: int = 4096,
        freq_dim: int = 256,
        ffn_dim: int = 13824,
        num_layers: int = 40,
        cross_attn_norm: bool = True,
        qk_norm: str | None = "rms_norm_across_heads",
        eps: float = 1e-6,
        image_dim: int | None = None,
        added_kv_proj_dim: int | None = None,
        rope_max_seq_len: int = 1024,
        pos_embed_seq_len: int | None = None,
    ) -> None:
        super().__init__(
            patch_size=patch_size,
            num_attention_heads=num_attention_heads,
            attention_head_dim=attention_head_dim,
            in_channels=in_channels,
            out_channels=out_channels,
            text_dim=text_dim,
            freq_dim=freq_dim,
            ffn_dim=ffn_dim,
            num_layers=num_layers,
            cross_attn_norm=cross_attn_norm,
            qk_norm=qk_norm,
            eps=eps,
            image_dim=image_dim,
            added_kv_proj_dim=added_kv_proj_dim,
            rope_max_seq_len=rope_max_seq_len,
            pos_embed_seq_len=pos_embed_seq_len,
        )
        # Only the forward differs, so a block changes its class instead of being built twice (5 B).
        for block in self.blocks:
            block.__class__ = ShotBlock
            block.attn1.set_processor(ShotAttnProcessor())

    @apply_lora_scale("attention_kwargs")
    def forward(
        self,
        hidden_states: Tensor | None = None,
        timestep: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        return_dict: bool = True,
        attention_kwargs: dict[str, Any] | None = None,
        *,
        groups: Sequence[ShotGroup] | None = None,
        share: Share | None = None,
    ) -> Transformer2DModelOutput | tuple[Tensor, ...]:
        """Predict velocities.

        With ``groups`` the model is interleaved and returns one (B, n, C, F, H, W) per group.  Without them
        it answers the stock call of ``WanPipeline``: one shot.

        Args:
            hidden_states: (B, C, F, H, W) latents of the stock call.
            timestep: (B,) or, per token, (B, S), in thousandths as Wan's pipelines give it.
            encoder_hidden_states: (B, T, D_text).
            return_dict: as in diffusers; only of the stock call.
            attention_kwargs: ``scale`` scales LoRA layers.
            groups: the shots of a film.
            share: who keeps which shots, where processes share the film; all must call, each with its own
                shots of every group, be they none.
        """
        if groups is not None:
            return self._interleaved(groups, share)
        assert hidden_states is not None, "the stock call needs hidden_states; the interleaved one groups"
        assert timestep is not None
        assert encoder_hidden_states is not None
        if timestep.ndim == 1:
            timestep = timestep[:, None]
        rotary = self.rope(hidden_states)
        (velocity,) = self._denoise([hidden_states], [encoder_hidden_states], [timestep], rotary, (1,))
        return Transformer2DModelOutput(sample=velocity) if return_dict else (velocity,)

    def _interleaved(self, groups: Sequence[ShotGroup], share: Share | None) -> tuple[Tensor, ...]:
        # A group of which this process keeps nothing goes past the blocks.
        own = [group for group in groups if group.starts]
        rotary = [self._positions(group) for group in own]
        velocities = iter(
            self._denoise(
                [fold(group.latents) for group in own],
                [fold(group.text) for group in own],
                [fold(group.timestep) * 1000 for group in own],
                (torch.cat([r[0] for r in rotary], dim=1), torch.cat([r[1] for r in rotary], dim=1)),
                tuple(len(group.starts) for group in own),
                None if share is None else share.exchange(partial(self._tokens, groups)),
            )
        )
        return tuple(unfold(next(velocities), len(g.starts)) if g.starts else g.latents for g in groups)

    def _patches(self, group: ShotGroup) -> int:
        """Tokens of a latent frame."""
        _, patch_h, patch_w = self.config.patch_size
        return (group.latents.shape[-2] // patch_h) * (group.latents.shape[-1] // patch_w)

    def _tokens(self, groups: Sequence[ShotGroup], counts: Sequence[int]) -> tuple[int]:
        """Tokens where each group has so many shots: one block, in which all see all."""
        per_shot = [group.latents.shape[3] * self._patches(group) for group in groups]
        return (sum(n * tokens for n, tokens in zip(counts, per_shot, strict=True)),)

    def _positions(self, group: ShotGroup) -> Rotary:
        """Cos and sin (1, n S, 1, D / heads); own, because the stock table holds whole numbers only."""
        frames, height, width = group.latents.shape[-3:]
        height, width = height // self.config.patch_size[1], width // self.config.patch_size[2]
        axes = [
            torch.tensor(group.starts, dtype=torch.float64)[:, None] + torch.arange(frames),
            torch.arange(height, dtype=torch.float64),
            torch.arange(width, dtype=torch.float64),
        ]
        dims = [self.rope.t_dim, self.rope.h_dim, self.rope.w_dim]
        tables = [
            get_1d_rotary_pos_embed(
                dim, axis.flatten(), use_real=True, repeat_interleave_real=True, freqs_dtype=torch.float64
            )
            for dim, axis in zip(dims, axes, strict=True)
        ]
        device = group.latents.device
        cos, sin = (self._spread([t[i] for t in tables], height, width).to(device) for i in (0, 1))
        return cos, sin

    def _spread(self, tables: list[Tensor], height: int, width: int) -> Tensor:
        """Combine the axes' tables (n F, .), (H, .), (W, .) into (1, n S, 1, .)."""
        time = rearrange(tables[0], "f d -> f 1 1 d").expand(-1, height, width, -1)
        y = rearrange(tables[1], "h d -> 1 h 1 d").expand(time.shape[0], -1, width, -1)
        x = rearrange(tables[2], "w d -> 1 1 w d").expand(time.shape[0], height, -1, -1)
        return rearrange(torch.cat([time, y, x], dim=-1), "f h w d -> 1 (f h w) 1 d")

    def _denoise(
        self,
        latents: list[Tensor],  # (B n, C, F, H, W) of each group
        texts: list[Tensor],  # (B n, T, D_text)
        timesteps: list[Tensor],  # (B n, R) in thousandths
        rotary: Rotary,
        counts: tuple[int, ...],
        exchange: Exchange | None = None,
    ) -> list[Tensor]:
        # Embed: clips, one modulation vector per row of tokens, words.
        shots = tuple(self.patch_embedding(x).flatten(2).transpose(1, 2).contiguous() for x in latents)
        conditions = [self._condition(t, x) for t, x in zip(timesteps, texts, strict=True)]
        temb, modulation, text = (tuple(part) for part in zip(*conditions, strict=True))
        for block in self.blocks:
            shots = self._run(block, shots, text, modulation, rotary, counts, exchange)
        return [self._read(x, e, like) for x, e, like in zip(shots, temb, latents, strict=True)]

    def _condition(self, timestep: Tensor, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Modulation by rows (B n, R, D) and (B n, R, 6, D), and projected words (B n, T, D)."""
        temb, projected, text, _ = self.condition_embedder(
            timestep.flatten(), text, None, timestep_seq_len=timestep.shape[1]
        )
        return temb, projected.unflatten(2, (6, -1)), text

    def _read(self, x: Tensor, temb: Tensor, like: Tensor) -> Tensor:
        """Tokens (B n, S, D) back to a clip (B n, C, F, H, W)."""
        shift, scale = (self.scale_shift_table.unsqueeze(0) + temb.unsqueeze(2)).unbind(dim=2)
        x = self.proj_out(_modulated(self.norm_out(x.float()), scale, shift).type_as(x))
        patch_f, patch_h, patch_w = self.config.patch_size
        return rearrange(
            x,
            "b (f h w) (pf ph pw c) -> b c (f pf) (h ph) (w pw)",
            h=like.shape[-2] // patch_h,
            w=like.shape[-1] // patch_w,
            pf=patch_f,
            ph=patch_h,
            pw=patch_w,
        )


def _modulated(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Tokens (B n, S, D), those of each row by its own (B n, R, D)."""
    rows = x.unflatten(1, (scale.shape[1], -1))
    return (rows * (1 + scale[:, :, None]) + shift[:, :, None]).flatten(1, 2)


def _added(x: Tensor, more: Tensor, gate: Tensor) -> Tensor:
    """``x`` and what is added to it, both (B n, S, D), through each row's gate (B n, R, D)."""
    return x + (more.unflatten(1, (gate.shape[1], -1)) * gate[:, :, None]).flatten(1, 2)


def _rotate(x: Tensor, rotary: Rotary) -> Tensor:
    """Rotate neighbouring channels of (B, S, heads, d), as the stock processor does."""
    cos, sin = rotary[0][..., 0::2], rotary[1][..., 1::2]
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2).type_as(x)
