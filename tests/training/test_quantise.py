"""A base in few bits: what is lost, what is kept for the backward, and adapters trained beside it."""

import json
import shutil

import pytest
import torch
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from transformers import UMT5Config, UMT5EncoderModel

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.quantise import (
    BLOCK,
    BYTES,
    NF4,
    QuantisedLinear,
    quantise_blocks,
    quantised_as,
)
from cinema_cli.models.video import InterleavedWan
from cinema_cli.progress import Progress
from cinema_cli.sampling.features import module_sha256
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.lora import LoraConfig, LoraLayers
from cinema_cli.training.stages import train_keyframes
from cinema_cli.training.video_run import train_video
from clipped_films import clipped_film, tiny_video
from dense_flux import group, relative, twins
from keyframe_runs import tiny_training as config
from tiny_models import build_tiny_models, keyframe_transformer, text_encoder, video_transformer

CPU = torch.device("cpu")
KINDS = ["int8", "nf4"]
WORST = {"int8": 0.01, "nf4": 0.1}
"""Norm of the error of normally distributed weights, as a part of theirs: measured 0.0075 and 0.092."""


def linear(*shape: int, bias: bool = True) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(*shape, bias=bias)


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_is_nearly_what_it_was_in_so_many_bytes(kind):
    layer = linear(512, 64)
    with torch.no_grad():
        layer.weight.normal_()
    kept = QuantisedLinear(layer, kind, CPU)
    assert relative(kept.restored(torch.float32), layer.weight.detach()) < WORST[kind]
    size = sum(buffer.numel() * buffer.element_size() for buffer in kept.buffers())
    assert size == BYTES[kind] * layer.weight.numel() + (4 * 64 if kind == "int8" else 0)


def test_what_lies_on_levels_is_kept_as_it_is():
    layer = linear(BLOCK, 3)
    scales = torch.tensor([[0.5], [2.0], [1.0]])
    whole = torch.arange(3 * BLOCK).view(3, BLOCK) % 128
    whole[:, 5] = -127
    places = torch.arange(3 * BLOCK).view(3, BLOCK) % 16
    for kind, weight in (("int8", whole * scales), ("nf4", torch.tensor(NF4)[places] * scales)):
        layer.weight.data = weight
        assert torch.equal(QuantisedLinear(layer, kind, CPU).restored(torch.float32), weight)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_or_block_of_zeros_stays_zero(kind):
    layer = linear(BLOCK, 2)
    layer.weight.data[1] = 0
    restored = QuantisedLinear(layer, kind, CPU).restored(torch.float32)
    assert torch.isfinite(restored).all()
    assert not restored[1].any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_it_computes_and_passes_gradients_as_the_restored_weight_does(kind, bias):
    kept = QuantisedLinear(linear(64, 32, bias=bias), kind, CPU)
    plain = linear(64, 32, bias=bias)
    plain.weight.data = kept.restored(torch.float32)
    x, same = torch.randn(2, 5, 64).requires_grad_(), None
    same = x.detach().clone().requires_grad_()
    kept(x).square().sum().backward()
    plain(same).square().sum().backward()
    assert torch.allclose(kept(x), plain(same), atol=1e-6)
    assert torch.allclose(x.grad, same.grad, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_codes_alone_are_kept_for_the_backward(kind):
    kept, saved = QuantisedLinear(linear(256, 256), kind, CPU), []
    x = torch.randn(1, 256).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (saved.append(t), t)[1], lambda t: t):
        kept(x)
    assert {t.data_ptr() for t in saved} == {kept.weight.data_ptr(), kept.scale.data_ptr()}


def test_under_autocast_it_computes_in_half_precision():
    kept = QuantisedLinear(linear(64, 64), "nf4", CPU)
    x = torch.randn(3, 64).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        out = kept(x)
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert x.grad.dtype == torch.float32


def linears(model: nn.Module, kind: type) -> set[str]:
    return {name for name, module in model.named_modules() if type(module) is kind}


def wans_text_encoder() -> UMT5EncoderModel:
    return UMT5EncoderModel(UMT5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2))


BUILDERS = [keyframe_transformer, video_transformer, text_encoder, wans_text_encoder]


@pytest.mark.parametrize("build", BUILDERS)
def test_linear_layers_of_blocks_are_quantised_and_no_others(build):
    model = build()
    plain = linears(model, nn.Linear)
    quantise_blocks(model, "int8", CPU)
    inside = linears(model, QuantisedLinear)
    assert inside | linears(model, nn.Linear) == plain
    assert all("block" in name for name in inside)
    # Outside: embeddings of time and words, and the last layers; nothing of a block.
    assert not any("blocks." in name or "block." in name for name in linears(model, nn.Linear))
    assert len(inside) > 5
    assert quantised_as(model) == "int8"


def test_none_changes_nothing():
    model = keyframe_transformer()
    quantise_blocks(model, "none", CPU)
    assert quantised_as(model) == "none"
    assert not linears(model, QuantisedLinear)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_encoder_is_nearly_what_it_was_and_a_cache_knows_the_difference(kind):
    t5 = text_encoder().eval()
    ids = torch.arange(4, 24)[None]
    with torch.no_grad():
        before, name = t5(ids)[0], module_sha256(t5)
        quantise_blocks(t5, kind, CPU)
        after = t5(ids)[0]
    assert after.dtype == torch.float32
    assert 0 < relative(after, before) < 2 * WORST[kind]
    assert module_sha256(t5) != name


def test_what_does_not_divide_into_blocks_is_refused():
    model = InterleavedFlux(**TINY_WIDTH_6)
    with pytest.raises(InputError, match=r"a multiple of 64 weights was wanted in .* Take quantise"):
        quantise_blocks(model, "nf4", CPU)


TINY_WIDTH_6 = {
    "in_channels": 4,
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 6,
    "num_attention_heads": 1,
    "joint_attention_dim": 4,
    "pooled_projection_dim": 4,
    "axes_dims_rope": (2, 2, 2),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("checkpointed", [False, True])
def test_adapters_beside_it_have_the_gradients_of_those_beside_the_restored_weights(kind, checkpointed):
    ours, _ = twins(torch.float32)
    quantise_blocks(ours, kind, CPU)
    plain, _ = twins(torch.float32)
    for name, module in ours.named_modules():
        if isinstance(module, QuantisedLinear):
            plain.get_submodule(name).weight.data = module.restored(torch.float32)
    if checkpointed:
        ours.enable_gradient_checkpointing()
    gradients = []
    for model in (ours, plain):
        torch.manual_seed(1)
        layers = LoraLayers(model, LoraConfig(rank=2))
        for adapter in layers.adapters:
            nn.init.normal_(adapter, std=0.1)
        model.train()(groups=[group(1, [0, 1], dtype=torch.float32)])[0].square().mean().backward()
        gradients.append([adapter.grad for adapter in layers.adapters])
    assert len(gradients[0]) == 2 * (2 * 12 + 2 * 5)
    assert max(relative(a, b) for a, b in zip(*gradients, strict=True)) < 1e-4
    assert layers.base == "none"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_compiled_blocks_compute_the_same(kind):
    losses = []
    for compiled in (False, True):
        model, _ = twins(torch.float32)
        quantise_blocks(model, kind, CPU)
        torch.manual_seed(1)
        layers = LoraLayers(model, LoraConfig(rank=2))
        if compiled:
            compile_blocks(model)
        loss = model.train()(groups=[group(1, [0, 1], dtype=torch.float32)])[0].square().mean()
        loss.backward()
        losses.append([float(loss.detach()), *(float(a.grad.norm()) for a in layers.adapters)])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4, abs=1e-8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_tiny_models(tmp_path_factory.mktemp("model"))


def trained(run, model, *changes: str):
    changes = ("lora.rank=4", "stages.8.loop.optimizer.learning_rate=0.05", *changes)
    with Progress(quiet=True) as progress:
        return train_keyframes(8, run, config(*changes), progress, init=str(model))


@pytest.fixture(scope="module", params=KINDS)
def run(request, model, tmp_path_factory):
    """A run of two steps beside a quantised base, saved after each."""
    folder = tmp_path_factory.mktemp(request.param)
    trained(folder, model, f"quantise={request.param}", "stages.8.loop.save_every=1")
    return request.param, folder


def test_a_run_trains_adapters_and_saves_only_them(run):
    kind, folder = run
    first, last = sorted((folder / "checkpoints/keyframes/stage-8").glob("step-*"))
    saved = last / "lora" / "pytorch_lora_weights.safetensors"
    with safe_open(saved, "pt") as file:
        assert all(name.startswith("transformer.") and ".lora_" in name for name in file.keys())  # noqa: SIM118
    assert not (last / "transformer").exists()
    assert json.loads((last / "lora" / "lora.json").read_text())["quantise"] == kind
    before, after = module_weights(first / "lora"), module_weights(last / "lora")
    assert all(not torch.equal(before[name], after[name]) for name in before if "lora_B" in name)


def test_it_goes_on_exactly(run, model, tmp_path):
    kind, folder = run
    shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run/checkpoints/keyframes/stage-8/step-000002")
    again = trained(tmp_path / "run", model, f"quantise={kind}", "stages.8.loop.save_every=1")
    straight = folder / "checkpoints/keyframes/stage-8/step-000002"
    for file in ("lora/pytorch_lora_weights.safetensors", "optimizer.safetensors"):
        a, b = load_file(again / file), load_file(straight / file)
        assert all(torch.equal(a[name], b[name]) for name in b)


def test_another_base_is_refused(run, model):
    kind, folder = run
    other = "none" if kind == "int8" else "int8"
    with pytest.raises(InputError, match=f"begun with quantise={kind}, found quantise={other}"):
        trained(folder, model, f"quantise={other}")


def test_the_loss_is_nearly_that_beside_the_base_in_half_precision(model, tmp_path):
    first = {}
    for kind in ("none", *KINDS):
        trained(tmp_path / kind, model, f"quantise={kind}")
        line = (tmp_path / kind / "checkpoints/keyframes/stage-8/metrics.jsonl").read_text().splitlines()[0]
        first[kind] = json.loads(line)["loss"]
    assert first["int8"] == pytest.approx(first["none"], rel=0.01)
    assert first["nf4"] == pytest.approx(first["none"], rel=0.05)
    assert len(set(first.values())) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_all_weights_cannot_be_trained_quantised(kind):
    with pytest.raises((CinemaError, ValidationError), match="quantise: adapters were wanted with it"):
        config(f"quantise={kind}")


def test_wan_keeps_its_norms(model):
    wan = InterleavedWan.from_pretrained(model / "video" / "transformer", dtype=torch.bfloat16)
    quantise_blocks(wan, "nf4", CPU)
    assert wan.blocks[0].attn1.to_q.weight.dtype == torch.int8
    assert wan.blocks[0].norm2.weight.dtype == torch.float32
    assert wan.blocks[0].scale_shift_table.dtype == torch.float32


def test_a_video_run_trains_beside_it_and_goes_on_with_no_other(model, tmp_path):
    data = clipped_film(tmp_path / "data" / "film", (12, 6, 9, 12, 5))
    with Progress(quiet=True) as progress:
        given = (progress, data, str(model))
        changes = ("lora.rank=2", "quantise=nf4")
        last = train_video(tmp_path / "run", tiny_video(*changes), *given)
        assert {path.name for path in (last / "lora").iterdir()} == {
            "lora.json",
            "pytorch_lora_weights.safetensors",
        }
        assert json.loads((last / "lora" / "lora.json").read_text())["quantise"] == "nf4"
        with pytest.raises(InputError, match="begun with quantise=nf4, found quantise=int8"):
            train_video(tmp_path / "run", tiny_video("lora.rank=2", "quantise=int8"), *given)
        with pytest.raises((CinemaError, ValidationError), match="quantise: adapters were wanted"):
            tiny_video("quantise=nf4")
