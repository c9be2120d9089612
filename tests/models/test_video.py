import pytest
import torch
from diffusers import WanTransformer3DModel
from torch import Tensor

from cinema_cli.models.video import InterleavedWan, ShotGroup, shot_starts

TINY = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "in_channels": 4,
    "out_channels": 4,
    "text_dim": 10,
    "freq_dim": 16,
    "ffn_dim": 32,
    "num_layers": 2,
}


def twins(dtype=torch.float64) -> tuple[InterleavedWan, WanTransformer3DModel]:
    torch.manual_seed(0)
    ours = InterleavedWan(**TINY).to(dtype)
    stock = WanTransformer3DModel(**TINY).to(dtype)
    stock.load_state_dict(ours.state_dict())
    return ours, stock


def shots(frames: int, count: int, starts: list[float], batch=1, seed=0, dtype=torch.float64) -> ShotGroup:
    g = torch.Generator().manual_seed(seed)
    times = torch.rand(batch, count, frames, generator=g, dtype=dtype)
    times[:, :, 0] = 0
    return ShotGroup(
        torch.randn(batch, count, 4, frames, 4, 6, generator=g, dtype=dtype),
        torch.randn(batch, count, 5, 10, generator=g, dtype=dtype),
        times,
        starts,
    )


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm().detach() / b.norm().detach())


def per_token(group: ShotGroup, shot: int) -> Tensor:
    return (group.timestep[:, shot] * 1000).repeat_interleave(6, dim=1)


def test_no_new_parameter():
    ours, stock = twins()
    assert list(ours.state_dict()) == list(stock.state_dict())


def test_one_shot_equals_stock_wan_with_a_timestep_per_token():
    ours, stock = twins()
    g = shots(3, 1, [0.0], batch=2)
    expected = stock(g.latents[:, 0], per_token(g, 0), g.text[:, 0]).sample
    (out,) = ours(groups=[g])
    assert relative(out[:, 0], expected) < 1e-6
    assert relative(ours(g.latents[:, 0], per_token(g, 0), g.text[:, 0]).sample, expected) < 1e-6
    t = torch.tensor([300.0, 700.0], dtype=torch.float64)
    expected = stock(g.latents[:, 0], t, g.text[:, 0]).sample
    assert relative(ours(g.latents[:, 0], t, g.text[:, 0]).sample, expected) < 1e-6
    target = torch.randn(out.shape, dtype=out.dtype)
    (out * target).sum().backward()
    (stock(g.latents[:, 0], per_token(g, 0), g.text[:, 0]).sample * target[:, 0]).sum().backward()
    reference = dict(stock.named_parameters())
    for name, parameter in ours.named_parameters():
        # A bias of the keys changes no attention, so its gradient is rounding alone.
        if reference[name].grad is not None and reference[name].grad.norm() > 1e-9:
            assert relative(parameter.grad, reference[name].grad) < 1e-6, name


def dense_reference(stock: WanTransformer3DModel, group: ShotGroup) -> Tensor:
    """Shots laid end to end as one clip: stock self-attention, text locality by a mask."""
    count, frames = group.latents.shape[1], group.latents.shape[3]
    clip = torch.cat(group.latents.unbind(1), dim=2)
    times = torch.cat([per_token(group, k) for k in range(count)], dim=1)
    x = stock.patch_embedding(clip).flatten(2).transpose(1, 2)
    temb, projected, text, _ = stock.condition_embedder(
        times.flatten(), torch.cat(group.text.unbind(1), dim=1), None, timestep_seq_len=times.shape[1]
    )
    projected = projected.unflatten(2, (6, -1))
    owner_x = torch.arange(count).repeat_interleave(frames * 6)
    owner_t = torch.arange(count).repeat_interleave(group.text.shape[2])
    local = owner_x[:, None] == owner_t[None, :]
    rotary = stock.rope(clip)
    for block in stock.blocks:
        m = (block.scale_shift_table.unsqueeze(0) + projected).unbind(dim=2)
        x = x + block.attn1(block.norm1(x) * (1 + m[1]) + m[0], None, None, rotary) * m[2]
        x = x + block.attn2(block.norm2(x), text, local, None)
        x = x + block.ffn(block.norm3(x) * (1 + m[4]) + m[3]) * m[5]
    shift, scale = (stock.scale_shift_table.unsqueeze(0) + temb.unsqueeze(2)).unbind(dim=2)
    x = stock.proj_out(stock.norm_out(x) * (1 + scale) + shift)
    x = x.reshape(x.shape[0], count * frames, 2, 3, 1, 2, 2, -1).permute(0, 7, 1, 4, 2, 5, 3, 6)
    x = x.flatten(6, 7).flatten(4, 5).flatten(2, 3)
    return torch.stack(x.chunk(count, dim=2), dim=1)


@pytest.mark.parametrize("count", [2, 3])
def test_shots_equal_a_dense_reference(count):
    ours, stock = twins()
    g = shots(2, count, shot_starts([2] * count, cut_phase=0.0), seed=count)
    assert relative(ours(groups=[g])[0], dense_reference(stock, g)) < 1e-6


def test_shots_of_two_lengths_do_not_depend_on_their_grouping():
    ours, _ = twins()
    starts = shot_starts([2, 3, 3], cut_phase=0.5)
    two, three = shots(2, 1, starts[:1], seed=1), shots(3, 2, starts[1:], seed=2)
    one_by_one = [
        ShotGroup(three.latents[:, k : k + 1], three.text[:, k : k + 1], three.timestep[:, k : k + 1], [s])
        for k, s in enumerate(starts[1:])
    ]
    a = ours(groups=[two, three])
    b = ours(groups=[two, *one_by_one])
    assert relative(torch.cat(b[1:], dim=1), a[1]) < 1e-6
    assert relative(b[0], a[0]) < 1e-6


def test_a_caption_is_read_by_its_own_shot_only():
    ours, _ = twins()
    g = shots(2, 2, [0.0, 2.5])
    changed = ShotGroup(g.latents, g.text.clone(), g.timestep, g.starts)
    changed.text[:, 1] += 1.0
    seen: list[list[Tensor]] = [[], []]
    hook = ours.blocks[0].attn2.register_forward_hook(lambda *call: seen[run].append(call[2]))
    for run in (0, 1):
        ours(groups=[(g, changed)[run]])
    hook.remove()
    first, second = seen[0][0], seen[1][0]
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])


def test_a_cut_moves_positions_by_its_phase():
    assert shot_starts([5, 5, 2], cut_phase=0.5) == [0.0, 5.5, 11.0]


def test_saved_folder_is_stock_and_comes_back(tmp_path):
    ours, _ = twins(torch.float32)
    ours.save_pretrained(tmp_path)
    assert type(WanTransformer3DModel.from_pretrained(tmp_path)) is WanTransformer3DModel
    again = InterleavedWan.from_pretrained(tmp_path)
    g = shots(2, 2, [0.0, 2.5], dtype=torch.float32)
    assert torch.equal(again(groups=[g])[0], ours(groups=[g])[0])
