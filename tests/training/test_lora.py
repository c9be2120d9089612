"""Adapters: only they move, and what is saved is what stock pipelines and ComfyUI know."""

import json

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from safetensors import safe_open

from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.progress import Progress
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.lora import LoraConfig, LoraLayers
from cinema_cli.training.stages import train_keyframes
from dense_flux import group, relative, twins
from keyframe_runs import tiny_training as config
from tiny_models import build_tiny_models

RANK = 4


def test_adapters_start_by_changing_nothing_and_are_all_that_is_trained():
    ours, _ = twins(torch.float32)
    g = group(1, [0, 1], dtype=torch.float32)
    before = ours(groups=[g])[0]
    layers = LoraLayers(ours, LoraConfig(rank=RANK))
    assert torch.equal(ours(groups=[g])[0], before)
    trained = [p for p in ours.parameters() if p.requires_grad]
    assert {id(p) for p in trained} == {id(p) for p in layers.parameters()}
    assert {p.shape[0] if "lora_A" in name else p.shape[1] for name, p in layers.state_dict().items()} == {
        RANK
    }
    adapted = {name.rsplit(".lora_", 1)[0] for name in layers.names}
    # 12 linear layers of a double-stream block, 5 of a single-stream one, two blocks of each.
    assert len(adapted) == 2 * 12 + 2 * 5


def test_averages_and_checkpoints_read_them_back():
    ours, _ = twins(torch.float32)
    layers = LoraLayers(ours, LoraConfig(rank=RANK))
    changed = {name: torch.randn_like(value) for name, value in layers.state_dict().items()}
    layers.load_state_dict(changed)
    assert all(torch.equal(value, changed[name]) for name, value in layers.state_dict().items())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two steps with adapters, from a tiny model."""
    folder = tmp_path_factory.mktemp("lora")
    model = build_tiny_models(folder / "model")
    changes = ("lora.rank=4", "half_base=false", "stages.8.loop.optimizer.learning_rate=0.05")
    with Progress(quiet=True) as progress:
        last = train_keyframes(8, folder / "run", config(*changes), progress, init=str(model))
    return model, last


def test_only_adapters_are_saved(trained):
    _, last = trained
    assert not (last / "transformer").exists()
    saved = last / "ema" / "lora" / "pytorch_lora_weights.safetensors"
    with safe_open(saved, "pt") as file:
        names = list(file.keys())
    assert all(name.startswith("transformer.") and ".lora_" in name for name in names)
    assert not any("alpha" in name or "default" in name or "base_layer" in name for name in names)
    told = json.loads((last / "lora" / "lora.json").read_text())
    assert told["alpha"] == told["rank"] == RANK


def test_a_stock_pipeline_loads_them_and_computes_the_same(trained):
    model, last = trained
    ours = InterleavedFlux.from_pretrained(model / "keyframes" / "transformer")
    layers = LoraLayers(ours, LoraConfig(rank=RANK))
    layers.load_state_dict(module_weights(last / "ema" / "lora"))
    plain = FluxTransformer2DModel.from_pretrained(model / "keyframes" / "transformer")
    others = dict.fromkeys(("vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"))
    pipeline = FluxPipeline(FlowMatchEulerDiscreteScheduler(), transformer=plain, **others)
    g = torch.Generator().manual_seed(0)
    latents, text, pooled = (torch.randn(*shape, generator=g) for shape in ((1, 6, 16), (1, 5, 16), (1, 12)))
    ids = torch.zeros(6, 3), torch.zeros(5, 3)
    call = (latents, text, pooled, torch.tensor([0.5]), *ids)
    without = plain(*call).sample
    pipeline.load_lora_weights(last / "ema" / "lora", weight_name="pytorch_lora_weights.safetensors")
    with_adapters = pipeline.transformer(*call).sample
    assert relative(with_adapters, without) > 1e-4
    assert relative(with_adapters, ours(*call).sample) < 1e-5
