import subprocess
import sys

import pytest
import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from cinema_cli.models.keyframes import InterleavedFlux, PairGroup

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


def twins(dtype=torch.float64, **changes) -> tuple[InterleavedFlux, FluxTransformer2DModel]:
    torch.manual_seed(0)
    ours = InterleavedFlux(**TINY | changes).to(dtype)
    stock = FluxTransformer2DModel(**TINY | changes).to(dtype)
    stock.load_state_dict(ours.state_dict())
    return ours, stock


def group(batch: int, ranks: list[int], grid=GRID, dtype=torch.float64, seed=0) -> PairGroup:
    g = torch.Generator().manual_seed(seed)
    n = len(ranks)

    def draw(*shape):
        return torch.randn(*shape, generator=g, dtype=dtype)

    return PairGroup(
        draw(batch, n, grid[0] * grid[1], 8),
        draw(batch, n, TEXT, 16),
        draw(batch, n, 10),
        torch.rand(batch, n, generator=g, dtype=dtype),
        ranks,
        grid,
    )


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm().detach() / b.norm().detach())


def dense_reference(stock: FluxTransformer2DModel, groups: list[PairGroup]) -> list[Tensor]:
    """All pairs as one long sequence; locality is written as a mask, nothing is folded."""
    image, text, temb_i, temb_t, ids_i, ids_t, owner_i, owner_t = [], [], [], [], [], [], [], []
    pair = 0
    for g in groups:
        ids = g.ids(torch.device("cpu"))
        for n in range(g.latents.shape[1]):
            emb = stock.time_text_embed(g.timestep[:, n] * 1000, g.pooled[:, n])
            image.append(stock.x_embedder(g.latents[:, n]))
            text.append(stock.context_embedder(g.text[:, n]))
            temb_i.append(emb[:, None].expand(-1, g.latents.shape[2], -1))
            temb_t.append(emb[:, None].expand(-1, TEXT, -1))
            ids_t.append(ids[n, :TEXT])
            ids_i.append(ids[n, TEXT:])
            owner_i += [pair] * g.latents.shape[2]
            owner_t += [pair] * TEXT
            pair += 1
    lengths = [x.shape[1] for x in image]
    x_i, x_t = torch.cat(image, 1), torch.cat(text, 1)
    e_i, e_t = torch.cat(temb_i, 1), torch.cat(temb_t, 1)
    rotary = stock.pos_embed(torch.cat(ids_t + ids_i))
    owner = torch.tensor(owner_t + owner_i)
    local = owner[:, None] == owner[None, :]
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
        a = b.attn(n, image_rotary_emb=rotary)
        x = x + gate * b.proj_out(torch.cat([a, b.act_mlp(b.proj_mlp(n))], 2))
    scale, shift = stock.norm_out.linear(stock.norm_out.silu(e_i)).chunk(2, dim=-1)
    out = stock.proj_out(stock.norm_out.norm(x[:, tokens_t:]) * (1 + scale) + shift).split(lengths, 1)
    result, start = [], 0
    for g in groups:
        n = g.latents.shape[1]
        result.append(torch.stack(out[start : start + n], 1))
        start += n
    return result


def test_no_new_parameter():
    ours, stock = twins()
    assert list(ours.state_dict()) == list(stock.state_dict())


@pytest.mark.parametrize("guidance", [False, True])
def test_one_pair_equals_stock_flux(guidance):
    ours, stock = twins(guidance_embeds=guidance)
    g = group(2, [3])
    scale = torch.tensor([1.0, 3.5], dtype=torch.float64) if guidance else None
    ids = g.ids(torch.device("cpu"))[0]
    expected = stock(
        g.latents[:, 0], g.text[:, 0], g.pooled[:, 0], g.timestep[:, 0], ids[TEXT:], ids[:TEXT], scale
    ).sample
    (interleaved,) = ours(groups=[g], guidance=scale)
    called = ours(
        g.latents[:, 0], g.text[:, 0], g.pooled[:, 0], g.timestep[:, 0], ids[TEXT:], ids[:TEXT], scale
    ).sample
    assert relative(interleaved[:, 0], expected) < 1e-6
    assert relative(called, expected) < 1e-6


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_pairs_equal_a_dense_mask_with_gradients(pairs):
    ours, stock = twins()
    g = group(2, list(range(pairs)), seed=pairs)
    (out,) = ours(groups=[g])
    (expected,) = dense_reference(stock, [g])
    assert relative(out, expected) < 1e-6
    target = torch.randn(out.shape, dtype=out.dtype, generator=torch.Generator().manual_seed(9))
    (out * target).sum().backward()
    (expected * target).sum().backward()
    gradients = dict(stock.named_parameters())
    for name, parameter in ours.named_parameters():
        if gradients[name].grad is not None and gradients[name].grad.norm() > 1e-12:
            assert relative(parameter.grad, gradients[name].grad) < 1e-6, name


def test_groups_of_two_sizes_equal_a_dense_mask():
    ours, stock = twins()
    groups = [group(2, [2, 3]), group(2, [0, 1, 4], grid=(1, 2), seed=5)]
    for out, expected in zip(ours(groups=groups), dense_reference(stock, groups), strict=True):
        assert relative(out, expected) < 1e-6


def test_gradient_checkpointing_changes_nothing():
    ours, _ = twins()
    g = group(1, [0, 1])
    plain = torch.autograd.grad(ours(groups=[g])[0].sum(), ours.x_embedder.weight)[0]
    ours.enable_gradient_checkpointing()
    checkpointed = torch.autograd.grad(ours(groups=[g])[0].sum(), ours.x_embedder.weight)[0]
    assert relative(checkpointed, plain) < 1e-9


def test_pairs_see_each_other_only_in_global_blocks():
    ours, _ = twins(num_single_layers=0)
    a, b = group(1, [0, 1]), group(1, [0, 1])
    b.latents[:, 1] += 1.0
    local_a, local_b = ours(groups=[a])[0], ours(groups=[b])[0]
    assert torch.equal(local_a[:, 0], local_b[:, 0])
    ours, _ = twins()
    assert not torch.allclose(ours(groups=[a])[0][:, 0], ours(groups=[b])[0][:, 0])


def test_saved_folder_is_stock_and_comes_back(tmp_path):
    ours, _ = twins(torch.float32)
    ours.save_pretrained(tmp_path)
    again = InterleavedFlux.from_pretrained(tmp_path)
    g = group(1, [0, 1], dtype=torch.float32)
    assert torch.equal(again(groups=[g])[0], ours(groups=[g])[0])
    code = (
        "import sys; from diffusers import FluxTransformer2DModel as M\n"
        f"m = M.from_pretrained({str(tmp_path)!r}); assert type(m) is M\n"
        "assert not any(n.startswith('cinema') for n in sys.modules); print(m.config._class_name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "FluxTransformer2DModel" in (tmp_path / "config.json").read_text()
    assert done.stdout.strip() == "FluxTransformer2DModel"
