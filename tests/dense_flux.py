"""A second implementation of InterleavedFlux, for tests: one long sequence, dense masks, nothing folded."""

from collections.abc import Callable

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup

TINY = {
    "in_channels": 8,
    "num_layers": 2,
    "num_single_layers": 2,
    "attention_head_dim": 12,
    "num_attention_heads": 2,
    "joint_attention_dim": 16,
    "pooled_projection_dim": 10,
    "axes_dims_rope": (4, 4, 4),
}
GRID, TEXT = (2, 3), 5
FULL = (4, 6)


def twins(dtype=torch.float64, **changes) -> tuple[InterleavedFlux, FluxTransformer2DModel]:
    torch.manual_seed(0)
    ours = InterleavedFlux(**TINY | changes).to(dtype)
    stock = FluxTransformer2DModel(**TINY | changes).to(dtype)
    stock.load_state_dict(ours.state_dict())
    return ours, stock


def group(
    batch: int, ranks: list[int], grid=GRID, dtype=torch.float64, seed=0, text=TEXT, **facts
) -> PairGroup:
    g = torch.Generator().manual_seed(seed)
    n = len(ranks)

    def draw(*shape):
        return torch.randn(*shape, generator=g, dtype=dtype)

    return PairGroup(
        draw(batch, n, grid[0] * grid[1], 8),
        draw(batch, n, text, 16),
        draw(batch, n, 10),
        torch.rand(batch, n, generator=g, dtype=dtype),
        ranks,
        grid,
        **facts,
    )


def past_and_new(memory=(2, 1), new=2, words=5, batch=2, dtype=torch.float64) -> list[PairGroup]:
    """Shrunken groups, oldest and smallest first, then new pairs of full size."""
    groups, rank = [], 0
    for number, n in enumerate(memory):
        grid = [(1, 2), (2, 3), (3, 4)][number + 3 - len(memory)]
        ranks = list(range(rank, rank + n))
        rank += n
        facts = {"full_grid": FULL, "remembered": True, "text": words}
        groups.append(group(batch, ranks, grid, dtype, seed=number, **facts))
    return [*groups, group(batch, list(range(rank, rank + new)), FULL, dtype, seed=7)]


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm().detach() / b.norm().detach())


def dense_reference(
    stock: FluxTransformer2DModel,
    groups: list[PairGroup],
    sees: Callable[[int, int], bool] = lambda pair, other: True,
) -> list[Tensor]:
    """All pairs as one long sequence; locality and who ``sees`` whom are written as masks, nothing is folded.

    ``sees`` is given places in the sequence, group after group.
    """
    image, text, temb_i, temb_t, ids_i, ids_t, owner_i, owner_t = [], [], [], [], [], [], [], []
    pair = 0
    for g in groups:
        ids = g.ids(torch.device("cpu"))
        for n in range(g.latents.shape[1]):
            emb = stock.time_text_embed(g.timestep[:, n] * 1000, g.pooled[:, n])
            image.append(stock.x_embedder(g.latents[:, n]))
            text.append(stock.context_embedder(g.text[:, n]))
            temb_i.append(emb[:, None].expand(-1, g.latents.shape[2], -1))
            words = g.text.shape[2]
            temb_t.append(emb[:, None].expand(-1, words, -1))
            ids_t.append(ids[n, :words])
            ids_i.append(ids[n, words:])
            owner_i += [pair] * g.latents.shape[2]
            owner_t += [pair] * words
            pair += 1
    lengths = [x.shape[1] for x in image]
    x_i, x_t = torch.cat(image, 1), torch.cat(text, 1)
    e_i, e_t = torch.cat(temb_i, 1), torch.cat(temb_t, 1)
    rotary = stock.pos_embed(torch.cat(ids_t + ids_i))
    owner = torch.tensor(owner_t + owner_i)
    local = owner[:, None] == owner[None, :]
    allowed = torch.tensor([[sees(a, b) for b in range(pair)] for a in range(pair)])[owner][:, owner]
    tokens_t = x_t.shape[1]

    def modulated(norm, x, emb):  # AdaLN with one vector per token instead of per batch entry
        parts = norm.linear(norm.silu(emb)).chunk(norm.linear.out_features // x.shape[-1], dim=-1)
        return norm.norm(x) * (1 + parts[1]) + parts[0], parts[2:]

    for b in stock.transformer_blocks:
        n_i, (gate_i, shift_i, scale_i, gate2_i) = modulated(b.norm1, x_i, e_i)
        n_t, (gate_t, shift_t, scale_t, gate2_t) = modulated(b.norm1_context, x_t, e_t)
        a_i, a_t = b.attn(n_i, n_t, attention_mask=local, image_rotary_emb=rotary)
        x_i, x_t = x_i + gate_i * a_i, x_t + gate_t * a_t
        x_i = x_i + gate2_i * b.ff(b.norm2(x_i) * (1 + scale_i) + shift_i)
        x_t = x_t + gate2_t * b.ff_context(b.norm2_context(x_t) * (1 + scale_t) + shift_t)
    x, e = torch.cat([x_t, x_i], 1), torch.cat([e_t, e_i], 1)
    for b in stock.single_transformer_blocks:
        n, (gate,) = modulated(b.norm, x, e)
        a = b.attn(n, attention_mask=allowed, image_rotary_emb=rotary)
        x = x + gate * b.proj_out(torch.cat([a, b.act_mlp(b.proj_mlp(n))], 2))
    scale, shift = stock.norm_out.linear(stock.norm_out.silu(e_i)).chunk(2, dim=-1)
    out = stock.proj_out(stock.norm_out.norm(x[:, tokens_t:]) * (1 + scale) + shift).split(lengths, 1)
    result, start = [], 0
    for g in groups:
        n = g.latents.shape[1]
        result.append(torch.stack(out[start : start + n], 1))
        start += n
    return result
