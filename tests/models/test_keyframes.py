import subprocess
import sys

import pytest
import torch

from cinema_cli.models.keyframes import InterleavedFlux
from dense_flux import TEXT, dense_reference, group, relative, twins


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
    again.save_pretrained(tmp_path / "again")  # diffusers would tell where it was read from
    assert str(tmp_path) not in (tmp_path / "again" / "config.json").read_text()
    assert done.stdout.strip() == "FluxTransformer2DModel"
