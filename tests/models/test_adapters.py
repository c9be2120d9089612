"""Adapters, as training exports them, beside the models they were trained on and others."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.adapters import adapter_file, check_adapter
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.quantise import quantised_as
from cinema_cli.models.thrift import Thrift
from cinema_cli.models.video import InterleavedWan
from cinema_cli.models.weights import load_keyframe_models, load_video_models, weights_sha256
from cinema_cli.training.checkpoint import save_module
from cinema_cli.training.lora import LoraConfig, LoraLayers
from cinema_cli.training.video_config import VideoLoraConfig
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build_tiny_models(tmp_path_factory.mktemp("models")) / "keyframes"


def two_pairs() -> PairGroup:
    """As the tiny model takes them."""
    parts = (torch.randn(1, 2, *size) for size in ((8, 16), (5, 16), (12,)))
    return PairGroup(*parts, torch.full((1, 2), 0.5), [0, 1], (2, 4))


@pytest.fixture
def trained(model, tmp_path):
    """A checkpoint with adapters of rank 2, and the model that they adapt as it was in training."""
    transformer = InterleavedFlux.from_pretrained(model / "transformer")
    layers = LoraLayers(transformer, LoraConfig(rank=2))
    torch.manual_seed(0)
    for parameter in layers.adapters:
        parameter.data.normal_()
    step = tmp_path / "step-000010"
    for place in ("lora", "ema/lora"):
        save_module(layers, step / place)
    return step, transformer.eval()


def test_an_adapter_is_found_and_counts_as_it_was_trained(model, trained):
    step, transformer = trained
    file = adapter_file(step)
    assert file == step / "ema" / "lora" / "pytorch_lora_weights.safetensors"
    assert adapter_file(file) == adapter_file(file.parent) == file
    assert check_adapter(file, model) == 2
    cpu = torch.device("cpu")
    plain = load_keyframe_models(model, 96, cpu, torch.float32).transformer
    adapted = load_keyframe_models(model, 96, cpu, torch.float32, adapter=str(step)).transformer
    group = two_pairs()
    with torch.no_grad():
        wanted, found, other = (each(groups=[group])[0] for each in (transformer, adapted, plain))
    assert torch.allclose(found, wanted, atol=1e-6)
    assert not torch.allclose(other, wanted, atol=1e-2)
    assert weights_sha256(model, str(step)) != weights_sha256(model)


@pytest.mark.parametrize("offload", ["none", "model"])
def test_an_adapter_counts_as_much_beside_a_base_in_few_bits(model, trained, offload):
    step, transformer = trained
    cpu, thrift = torch.device("cpu"), Thrift(offload=offload, quantise="int8")
    few = load_keyframe_models(model, 96, cpu, torch.float32, adapter=str(step), thrift=thrift).transformer
    plain = load_keyframe_models(model, 96, cpu, torch.float32).transformer
    assert quantised_as(few) == "int8"
    group = two_pairs()
    with torch.no_grad():
        wanted, found, without = (each(groups=[group])[0] for each in (transformer, few, plain))
    assert (found - wanted).norm() < 0.03 * (wanted - without).norm()


def test_an_adapter_of_the_video_model(model, tmp_path):
    video = model.parent / "video"
    layers = LoraLayers(InterleavedWan.from_pretrained(video / "transformer"), VideoLoraConfig(rank=3))
    save_module(layers, tmp_path / "lora")
    file = adapter_file(tmp_path)
    assert check_adapter(file, video) == 3
    with pytest.raises(InputError, match=r"which .* does not have"):
        check_adapter(file, model)
    loaded = load_video_models(video, 32, torch.device("cpu"), torch.float32, str(tmp_path)).transformer
    added = {name.replace(".default_0.", ".") for name, _ in loaded.named_parameters() if "lora_" in name}
    assert {f"transformer.{name}" for name in added} == set(layers.names)


def test_an_adapter_of_another_model_is_refused(model, trained, tmp_path):
    file = adapter_file(trained[0])
    tensors = load_file(file)
    key = sorted(key for key in tensors if key.endswith("to_q.lora_A.weight"))[0]
    wide = tmp_path / "wide.safetensors"
    save_file(tensors | {key: torch.zeros(2, 3072)}, wide)
    with pytest.raises(
        InputError, match=r"an adapter of 24 inputs was wanted, as .* has, found 3072\. Give the"
    ):
        check_adapter(wide, model)
    save_file({"transformer.transformer_blocks.18.attn.to_q.lora_A.weight": torch.zeros(2, 24)}, wide)
    with pytest.raises(InputError, match=r"it adapts transformer_blocks\.18\.attn\.to_q, which .* not have"):
        check_adapter(wide, model)
    save_file({"lora_unet_blocks_0.lora_down.weight": torch.zeros(2, 24)}, wide)
    with pytest.raises(InputError, match=r"keys such as transformer\.NAME\.lora_A\.weight were wanted"):
        check_adapter(wide, model)
    save_file({key: tensors[key]}, wide)
    with pytest.raises(InputError, match="lora_A and lora_B of one rank were wanted"):
        check_adapter(wide, model)
    save_file({}, wide)
    with pytest.raises(InputError, match="adapted layers were wanted, found none"):
        check_adapter(wide, model)


def test_what_is_no_adapter(tmp_path):
    with pytest.raises(
        MissingError, match=r"pytorch_lora_weights\.safetensors was wanted, in it or in its lora/"
    ):
        adapter_file(tmp_path)
    with pytest.raises(InputError, match="found a pickle, which runs code"):
        adapter_file(tmp_path / "pytorch_lora_weights.bin")
