"""What is chosen for models of true size, by their numbers of parameters; and whether bytes are right."""

import json

import pytest
import torch
from pydantic import ValidationError

from cinema_cli.config import build, with_overrides
from cinema_cli.errors import MissingError
from cinema_cli.models import thrift
from cinema_cli.models.contents import Component, Contents, TensorFact, read_contents
from cinema_cli.models.quantise import quantise_blocks
from cinema_cli.models.thrift import ThriftConfig, choose_thrift, component_bytes, lying
from cinema_cli.models.weights import load_keyframe_models
from tiny_models import build_tiny_models

FLUX = {
    "transformer": 11_901_408_320,
    "vae": 83_819_683,
    "text_encoder": 123_060_480,
    "text_encoder_2": 4_762_310_656,
}
GPU = torch.device("cuda")


SHAPES = {
    # FLUX.1-dev's: 19 double-stream blocks, 38 single-stream ones, and what is outside them.
    "transformer": {
        **{f"transformer_blocks.{i}.all": (339_831_296,) for i in range(19)},
        **{f"single_transformer_blocks.{i}.all": (141_591_808,) for i in range(38)},
        "outside": (64_124_992,),
    },
    "text_encoder_2": {"shared.weight": (32128, 4096), **{f"layers.{i}": (42_883_580,) for i in range(108)}},
}


@pytest.fixture
def flux(tmp_path, monkeypatch):
    """FLUX.1-dev by its numbers of parameters: nothing but an autoencoder's config lies on the disk."""

    def tensors(folder):
        return {name: TensorFact("BF16", shape) for name, shape in SHAPES[folder.name].items()}

    monkeypatch.setattr(thrift, "tensors_of", tensors)
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    parts = tuple(Component(name, "x", count, 2 * count, ("BF16",)) for name, count in FLUX.items())
    return Contents(tmp_path, "keyframes", "FluxPipeline", parts)


def chosen(contents, monkeypatch, memory, device=GPU, ram=128, size=(704, 1280), **config):
    monkeypatch.setattr(thrift, "device_memory", lambda where: memory << 30)
    monkeypatch.setattr(thrift, "machine_memory", lambda: ram << 30)
    return choose_thrift(contents.folder, contents, ThriftConfig(**config), device, torch.bfloat16, size)


@pytest.mark.parametrize(
    ("memory", "offload", "tile"), [(80, "none", False), (48, "none", False), (32, "sequential", False)]
)
def test_as_much_as_fits_lies_on_the_device(flux, monkeypatch, memory, offload, tile):
    made = chosen(flux, monkeypatch, memory)
    assert (made.offload, made.tile) == (offload, tile)
    assert made.told.startswith(f"memory: offload {offload}, ")


def test_where_room_is_short_parts_take_turns(flux, monkeypatch):
    assert chosen(flux, monkeypatch, 24).offload == "group"  # the transformer would leave 2 GB to a step
    assert chosen(flux, monkeypatch, 24, offload="model").offload == "model"
    # Turns need the machine's memory for all of it; without, the words are encoded first.
    assert chosen(flux, monkeypatch, 24, ram=24).offload == "sequential"


def test_where_a_part_alone_is_too_large_layers_take_turns(flux, monkeypatch):
    made = chosen(flux, monkeypatch, 16)
    assert made.offload == "group"
    assert made.told.startswith("memory: offload group, 1.5 GB of 33.7 GB of weights at once on cuda, ")
    assert chosen(flux, monkeypatch, 80, offload="group").offload == "group"
    with pytest.raises(MissingError, match=r"room for .*offload=sequential"):
        chosen(flux, monkeypatch, 16, ram=24)


@pytest.mark.parametrize("asked", ["model", "group"])
def test_on_the_cpu_turns_save_nothing_and_it_is_told(flux, monkeypatch, asked):
    made = chosen(flux, monkeypatch, 48, torch.device("cpu"), offload=asked)
    assert made.offload == "none"
    assert made.told.startswith(f"memory: offload none ({asked} saves nothing on a CPU), 33.7 GB of 33.7 GB")
    with pytest.raises(MissingError, match=r"room for 33.7 GB of weights at once \(offload=none\)"):
        chosen(flux, monkeypatch, 24, torch.device("cpu"), offload=asked)


def test_frames_that_would_not_fit_whole_are_decoded_in_tiles(flux, monkeypatch):
    assert chosen(flux, monkeypatch, 24, size=(704, 1280), offload="sequential").tile
    assert not chosen(flux, monkeypatch, 24, size=(704, 1280), offload="sequential", tile=False).tile
    assert not chosen(flux, monkeypatch, 24, size=(704, 1280), offload="model").tile
    assert chosen(flux, monkeypatch, 80, tile=True).tile


def test_on_the_cpu_there_is_no_second_place_to_lie(flux, monkeypatch):
    assert chosen(flux, monkeypatch, 32, torch.device("cpu")).offload == "sequential"


@pytest.mark.parametrize(("asked", "memory"), [("none", 16), ("model", 16), ("auto", 1), ("group", 1)])
def test_what_does_not_fit_is_told_before_it_is_read(flux, monkeypatch, asked, memory):
    with pytest.raises(MissingError, match=r"room for .* of weights at once .*largest part is transformer"):
        chosen(flux, monkeypatch, memory, offload=asked)


def test_weights_in_few_bits_are_counted_as_they_lie(tmp_path):
    folder = build_tiny_models(tmp_path) / "keyframes"
    contents = read_contents(folder, "keyframes")
    models = load_keyframe_models(folder, 96, torch.device("cpu"), torch.float32)
    for kind in ("int8", "nf4"):
        sizes = component_bytes(folder, contents, 4, kind)
        again = load_keyframe_models(folder, 96, torch.device("cpu"), torch.float32)
        for name, module in (("transformer", again.transformer), ("text_encoder_2", again.text.t5)):
            quantise_blocks(module, kind, torch.device("cpu"))
            layers = [each for each in module.modules() if hasattr(each, "kind")]
            scales = sum(4 * each.out_features for each in layers) if kind == "int8" else 0
            kept = [*module.parameters(), *(b for each in layers for b in each.buffers())]
            unique = {id(part): part for part in kept}.values()
            assert sizes[name] == sum(p.numel() * p.element_size() for p in unique) - scales
        assert sizes["vae"] == sum(4 * p.numel() for p in models.codec.vae.parameters())


def test_what_lies_together_is_less_from_way_to_way():
    sizes = {name: 2 * count for name, count in FLUX.items()}
    assert lying(sizes, "none") > lying(sizes, "sequential") > lying(sizes, "model")
    assert lying(sizes, "model") == sizes["transformer"]
    assert lying(sizes, "model", decoding=True) == sizes["vae"]


def test_settings_are_given_by_name():
    config = build(ThriftConfig, with_overrides({}, ["tile=true", "offload=model", "quantise=nf4"]), "test")
    assert (config.tile, config.offload, config.quantise) == (True, "model", "nf4")
    with pytest.raises(ValidationError):
        ThriftConfig(offload="disk")
