"""Whether a GGUF file is the transformer that a folder describes."""

import json
from pathlib import Path

import pytest
import torch
from gguf import GGMLQuantizationType as Kind

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models import gguf_fit
from cinema_cli.models.gguf_fit import PREFIX, check_gguf
from cinema_cli.models.resolve import Place, check_model, look_up
from gguf_files import original_flux, original_wan, wide_flux, wide_wan, write_gguf
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = build_tiny_models(tmp_path_factory.mktemp("models"))
    torch.manual_seed(1)
    wide_flux().save_pretrained(folder / "keyframes" / "transformer")
    wide_wan().save_pretrained(folder / "video" / "transformer")
    return folder


@pytest.fixture
def flux(tmp_path: Path) -> Path:
    path = tmp_path / "flux.gguf"
    write_gguf(path, original_flux(wide_flux()), Kind.Q8_0)
    return path


@pytest.fixture
def wan(tmp_path: Path) -> Path:
    path = tmp_path / "wan.gguf"
    write_gguf(path, original_wan(wide_wan()), Kind.Q8_0, "wan")
    return path


def test_a_file_of_the_folders_model_fits(model: Path, flux: Path, wan: Path, tmp_path: Path) -> None:
    assert check_gguf(flux, model / "keyframes").architecture == "flux"
    assert check_gguf(wan, model / "video").architecture == "wan"
    whole = tmp_path / "whole.gguf"
    write_gguf(whole, {PREFIX + name: part for name, part in original_flux(wide_flux()).items()}, Kind.Q8_0)
    check_gguf(whole, model / "keyframes")


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        ("keyframes", {"in_channels": 64}, r"img_in.weight: \(32, 64\) was wanted, .* found \(32, 16\)"),
        ("keyframes", {"joint_attention_dim": 32}, r"txt_in.weight: \(32, 32\) was wanted"),
        ("keyframes", {"num_layers": 19}, "double_blocks: 19 was wanted, .* found 2"),
        ("keyframes", {"num_single_layers": 1}, "single_blocks: 1 was wanted, .* found 2"),
        ("keyframes", {"guidance_embeds": False}, "guidance: False was wanted, .* found True"),
        ("keyframes", {"_class_name": "Flux2Transformer2DModel"}, "found Flux2Transformer2DModel"),
        ("video", {"ffn_dim": 32}, r"blocks.0.ffn.0.weight: \(32, 32\) was wanted"),
        ("video", {"num_layers": 30}, "blocks: 30 was wanted, .* found 2"),
        ("video", {"in_channels": 48}, r"patch_embedding.weight: \(32, 48, 1, 2, 2\) was wanted"),
    ],
)
def test_another_model_is_refused(model, flux, wan, tmp_path, part, change, said) -> None:
    folder = tmp_path / "folder"
    (folder / "transformer").mkdir(parents=True)
    config = json.loads((model / part / "transformer" / "config.json").read_text())
    (folder / "transformer" / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InputError, match=said):
        check_gguf(flux if part == "keyframes" else wan, folder)


def test_a_file_of_another_family_is_refused(model: Path, flux: Path, wan: Path) -> None:
    with pytest.raises(InputError, match=r"img_in.weight was wanted, .* architecture wan with"):
        check_gguf(wan, model / "keyframes")
    with pytest.raises(InputError, match=r"patch_embedding.weight was wanted, .* architecture flux with"):
        check_gguf(flux, model / "video")


def test_a_model_is_whole_with_it_and_adapters_are_refused(model: Path, flux: Path, tmp_path: Path) -> None:
    place = look_up(str(model), "keyframes", flux)
    assert isinstance(place, Place)
    contents = check_model(place, gguf=flux)
    assert contents.gguf == flux
    assert contents.components[0].dtypes[0] in ("F32", "Q8_0")
    with pytest.raises(InputError, match="--transformer alone was wanted, found --adapter beside it"):
        check_model(place, str(tmp_path), gguf=flux)
    with pytest.raises(InputError, match=r"found a GGUF file, .* Give it as --transformer, beside --model"):
        look_up(str(flux), "keyframes")


def test_without_the_package_it_is_named(model: Path, flux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_fit, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'cinema-cli\[gguf\]'"):
        check_gguf(flux, model / "keyframes")
