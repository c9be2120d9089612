"""From a name to a folder that is whole and fits; every sentence as a user reads it."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.contents import read_contents, read_header
from cinema_cli.models.resolve import Place, check_model, look_up, model_folder, parts_of, pinned, same_model
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def model(built, tmp_path):
    """A copy that a test may break."""
    return Path(shutil.copytree(built, tmp_path / "model"))


def change(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def in_shards(folder, count=2):
    """Weights in several files with an index, as large models have them; the names of the files."""
    file = next(folder.glob("*.safetensors"))
    tensors = load_file(file)
    names = [f"{file.stem}-{i + 1:05d}-of-{count:05d}.safetensors" for i in range(count)]
    placed = {key: names[i % count] for i, key in enumerate(sorted(tensors))}
    for name in names:
        save_file({key: tensors[key] for key in tensors if placed[key] == name}, folder / name)
    (folder / f"{file.name}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    file.unlink()
    return names


def check(name, part="keyframes", **how):
    found = look_up(str(name), part)
    assert isinstance(found, Place)
    return check_model(found, **how)


def test_a_model_is_the_embedded_one_a_folder_of_parts_or_a_part(built):
    assert check("toy").pipeline == "FluxPipeline"
    for name, part in ((built, "keyframes"), (built / "keyframes", "keyframes"), (built / "video", "video")):
        assert model_folder(str(name), part) == built / part
        assert check(name, part).part == part
    assert parts_of("toy") == parts_of(str(built)) == ("keyframes", "video")
    assert parts_of(str(built / "video")) == ("video",)


def test_contents_are_counted_without_reading_them(model):
    whole = read_contents(model / "keyframes", "keyframes")
    in_shards(model / "keyframes" / "transformer")
    assert read_contents(model / "keyframes", "keyframes") == whole
    for component in whole.components:
        tensors = [
            tensor
            for file in (model / "keyframes" / component.name).glob("*.safetensors")
            for tensor in load_file(file).values()
        ]
        assert component.parameters == sum(tensor.numel() for tensor in tensors)
        assert component.bytes == sum(tensor.nbytes for tensor in tensors)
    assert whole.components[0].kind == "FluxTransformer2DModel"
    assert whole.components[0].dtypes == ("F32",)
    assert whole.bytes_as(2) == {each.name: 2 * each.parameters for each in whole.components}


def test_what_is_no_model(model, tmp_path):
    with pytest.raises(MissingError, match=r"Weights for keyframes were wanted in nowhere/keyframes"):
        look_up("nowhere", "keyframes")
    with pytest.raises(MissingError, match=r"it holds neither model_index\.json nor keyframes/ nor video/"):
        look_up(str(model / "clip"), "keyframes")
    file = model / "keyframes" / "vae" / "diffusion_pytorch_model.safetensors"
    with pytest.raises(InputError, match="a model's folder was wanted, found a single file"):
        look_up(str(file), "keyframes")
    step = tmp_path / "step-000010"
    (step / "ema").mkdir(parents=True)
    (step / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="found a checkpoint, which holds only what was trained"):
        look_up(str(step), "keyframes")


def test_other_architectures(model):
    with pytest.raises(InputError, match=r"found a model that makes clips: it is for cinema render\."):
        look_up(str(model / "video"), "keyframes")
    index = model / "keyframes" / "model_index.json"
    change(index, _class_name="StableDiffusionXLPipeline")
    with pytest.raises(InputError, match=r"was wanted, found StableDiffusionXLPipeline\. Take a FLUX"):
        check(model)
    change(index, _class_name="FluxPipeline")
    config = model / "keyframes" / "transformer" / "config.json"
    change(config, _class_name="SD3Transformer2DModel")
    with pytest.raises(InputError, match=r"FluxTransformer2DModel was wanted, found SD3Transformer2DModel"):
        check(model)
    change(config, _class_name="FluxTransformer2DModel", in_channels=384)  # FLUX.1-Fill
    with pytest.raises(InputError, match=r"transformer: in_channels: 16 was wanted, found 384"):
        check(model)
    change(config, in_channels=16, joint_attention_dim=4096)
    with pytest.raises(InputError, match=r"text_encoder_2: d_model: 4096 was wanted, found 16"):
        check(model)


@pytest.mark.parametrize(
    ("file", "fields", "said"),
    [
        ("transformer/config.json", {"image_dim": 1280}, "image_dim: nothing was wanted, found 1280"),
        ("transformer/config.json", {"in_channels": 36}, "in_channels: 4 was wanted, found 36"),
        (
            "model_index.json",
            {"transformer_2": ["diffusers", "WanTransformer3DModel"]},
            r"transformer_2: nothing was wanted, found \['diffusers', 'WanTransformer3DModel'\]",
        ),
    ],
    ids=["image encoder", "image-to-video of Wan2.1", "A14B"],
)
def test_wans_that_ours_cannot_be(model, file, fields, said):
    change(model / "video" / file, **fields)
    with pytest.raises(InputError, match=said + r"\. Take a Wan such as Wan-AI/Wan2\.2-TI2V-5B-Diffusers\."):
        check(model, "video")


def test_a_wan_that_knows_text_alone_does_not_start_from_a_keyframe(model):
    index, vae = model / "video" / "model_index.json", model / "video" / "vae" / "config.json"
    change(index, transformer_2=[None, None], image_encoder=[None, None], expand_timesteps=False)
    assert check(model, "video")
    change(vae, is_residual=False)
    with pytest.raises(InputError, match=r"found one that knows text alone, such as Wan2\.1"):
        check(model, "video")
    assert check(model, "video", to_train=True)
    change(index, expand_timesteps=True)
    assert check(model, "video")
    change(index, expand_timesteps=False)
    (model / "video" / "cinema.json").write_text("{}")  # it was trained here
    assert check(model, "video")


def test_half_of_a_model(model):
    transformer = model / "keyframes" / "transformer"
    names = in_shards(transformer)
    (transformer / names[1]).unlink()
    (model / "keyframes" / "0123.incomplete").touch()
    with pytest.raises(MissingError) as raised:
        check(model)
    assert str(raised.value) == (
        f"{transformer}: 2 files of weights were wanted, 1 of them are missing ({names[1]}). The model is "
        "half there (a download was cut: 0123.incomplete): download it again into the same place, what is "
        "done is kept."
    )


def test_a_file_that_was_cut(model):
    file = model / "keyframes" / "vae" / "diffusion_pytorch_model.safetensors"
    content = file.read_bytes()
    for kept in (len(content) - 1, 20):  # in the tensors, in the header
        file.write_bytes(content[:kept])
        with pytest.raises(MissingError, match=rf"bytes were wanted, found {kept:,}: the download was cut"):
            check(model)
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")
    with pytest.raises(InputError, match="a safetensors file was wanted, found other data"):
        check(model)
    save_file({"a": torch.zeros(2, 3)}, file)
    assert read_header(file)["a"].shape == (2, 3)


def test_parts_that_are_missing(model):
    shutil.rmtree(model / "keyframes" / "tokenizer_2")
    with pytest.raises(MissingError, match=r"tokenizer_2: a tokenizer was wanted, found none"):
        check(model)
    shutil.rmtree(model / "keyframes" / "text_encoder_2")
    with pytest.raises(MissingError, match=r"text_encoder_2/config\.json: a part of the model was wanted"):
        check(model)


def test_pickles_are_refused(model):
    vae = model / "keyframes" / "vae"
    (vae / "diffusion_pytorch_model.safetensors").rename(vae / "diffusion_pytorch_model.bin")
    with pytest.raises(InputError, match=r"found diffusion_pytorch_model\.bin, a pickle, which runs code"):
        check(model)


def test_an_index_names_files_beside_it_only(model):
    transformer = model / "keyframes" / "transformer"
    (transformer / "diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "../../other.safetensors"}})
    )
    with pytest.raises(InputError, match="a weight_map of files beside it was wanted"):
        check(model)


def test_names_that_are_noted():
    assert pinned("toy") == "toy"
    assert same_model("org/name@abc", "org/name")
    assert same_model("org/name@abc", "org/name@abc")
    assert not same_model("org/name@abc", "org/name@def")
    assert not same_model("toy", "org/name")
