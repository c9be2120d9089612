"""Models of the hub, with the true ``huggingface_hub`` and a server that plays the hub."""

import filecmp
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cinema_cli.errors import InputError
from cinema_cli.models.hub import is_hub_name, needed_files, split_name
from cinema_cli.models.weights import weights_sha256
from hub_server import COMMIT, Repository, asked, served
from tiny_models import build_tiny_models

NAME = "some-lab/tiny-flux"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A repository as labs lay it out: a diffusers folder, with duplicates and pickles that nobody needs."""
    folder = build_tiny_models(tmp_path_factory.mktemp("models"))
    keyframes = folder / "keyframes"
    for name in (
        "flux1-tiny.safetensors",
        "ae.safetensors",
        "vae/diffusion_pytorch_model.bin",
        "picture.jpg",
    ):
        (keyframes / name).write_bytes(b"not needed")
    (keyframes / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Tiny\n")
    return folder


@pytest.fixture
def hub(built):
    with served() as hub:
        hub.repositories[NAME] = Repository(built / "keyframes", card={"license": "apache-2.0"})
        yield hub


def told(ran, code=0):
    """What the worker found; or, where it failed, its one sentence."""
    assert ran.returncode == code, (ran.returncode, ran.stderr)
    return json.loads(ran.stdout) if code == 0 else ran.stderr.strip()


def test_only_what_is_needed_is_fetched_and_then_no_network_is_wanted(hub, tmp_path, built):
    ran = asked(hub.address, tmp_path, NAME, "keyframes")
    found = told(ran)
    assert found["name"] == f"{NAME}@{COMMIT}"
    assert found["commit"] == COMMIT
    assert f"{NAME}: Apache-2.0: any use" in ran.stderr
    folder = Path(found["folder"])
    assert (folder / "transformer" / "diffusion_pytorch_model.safetensors").is_file()
    assert (folder / "README.md").is_file()
    assert not {"flux1-tiny.safetensors", "ae.safetensors", "picture.jpg"} & set(os.listdir(folder))
    assert not any(name.endswith(".bin") for name in hub.fetched())
    assert len(hub.fetched()) == len(set(hub.fetched()))
    # The cache names a file by its hash, so that nobody has to read it again.
    transformer = weights_sha256(built / "keyframes" / "transformer")
    assert weights_sha256(folder / "transformer") == transformer
    weights = (folder / "transformer" / "diffusion_pytorch_model.safetensors").resolve()
    weights.write_bytes(b"not read")
    assert weights_sha256(folder / "transformer") == transformer
    shutil.copyfile(built / "keyframes" / "transformer" / "diffusion_pytorch_model.safetensors", weights)
    before = len(hub.calls)
    again = told(asked(hub.address, tmp_path, NAME, "keyframes"))
    offline = told(asked(hub.address, tmp_path, NAME, "keyframes", HF_HUB_OFFLINE="1"))
    pinned = told(asked("http://127.0.0.1:9", tmp_path, f"{NAME}@{COMMIT}", "keyframes"))
    assert again == offline == pinned == found
    assert len(hub.calls) == before


def test_a_cut_download_goes_on(hub, tmp_path, built):
    weights = "transformer/diffusion_pytorch_model.safetensors"
    large = tmp_path / "large"
    shutil.copytree(built / "keyframes", large)
    more = {"more": torch.rand(6_000_000)}  # the library writes 10 MB at a time
    save_file(load_file(large / weights) | more, large / weights)
    hub.repositories[NAME].folder = large
    hub.cuts[weights] = [15_000_000]  # once: the rest is asked for within the command
    fetched = told(asked(hub.address, tmp_path / "a", NAME, "keyframes"))
    ranges = [call for call in hub.calls if call.startswith("GET") and weights in call]
    assert [call.partition(weights)[2].strip() for call in ranges] == ["", f"bytes={10 << 20}-"]
    assert filecmp.cmp(Path(fetched["folder"]) / weights, large / weights, shallow=False)
    hub.calls.clear()
    hub.cuts[weights] = [0] * 9  # until it gives up
    said = told(asked(hub.address, tmp_path / "b", NAME, "keyframes"), 5)
    assert said.splitlines()[-1].startswith(f"{NAME}: the hub broke off at {weights} (")
    assert said.endswith("What is done stays: the same command goes on.")
    done = set(hub.fetched()) - {weights}
    hub.calls.clear()
    hub.cuts.clear()
    told(asked(hub.address, tmp_path / "b", NAME, "keyframes"))
    assert weights in hub.fetched()
    assert not done & set(hub.fetched())


def test_access_that_must_be_asked_for(hub, tmp_path):
    hub.repositories[NAME].gated = True
    wanted = (
        f"{NAME}: access was wanted, but it must be asked for. Accept the terms on {hub.address}/{NAME} with "
        "your account, make this machine known with `hf auth login`, and run it again."
    )
    assert told(asked(hub.address, tmp_path, NAME, "keyframes"), 4) == wanted
    assert told(asked(hub.address, tmp_path, NAME, "keyframes", HF_TOKEN="hf_other"), 4) == wanted
    assert told(asked(hub.address, tmp_path, NAME, "keyframes", HF_TOKEN="hf_allowed"))["commit"] == COMMIT


def test_what_is_not_there(hub, tmp_path):
    said = told(asked(hub.address, tmp_path, "some-lab/no-such", "keyframes"), 4)
    assert said == (
        f"some-lab/no-such: neither a folder here nor a model on {hub.address}. Check the name; if it is "
        "private, `hf auth login` first."
    )
    said = told(asked(hub.address, tmp_path, f"{NAME}@v9", "keyframes"), 3)
    assert said.startswith(f"{NAME}@v9: there is no such revision of {NAME}.")
    said = told(asked(hub.address, tmp_path, NAME, "keyframes", HF_HUB_OFFLINE="1"), 4)
    assert said.startswith(f"{NAME}: not in the local cache, and HF_HUB_OFFLINE is set.")
    said = told(asked("http://127.0.0.1:9", tmp_path, NAME, "keyframes"), 4)
    assert said.startswith(f"{NAME}: not in the local cache, and http://127.0.0.1:9 is not reached (")
    said = told(asked(hub.address, tmp_path, NAME, "keyframes", "no-fetch"), 4).splitlines()[-1]
    assert said.endswith(f"would be fetched. Fetch it first: cinema doctor --model {NAME} --fetch")


def test_other_kinds_are_refused_before_they_are_fetched(hub, tmp_path, built):
    other = tmp_path / "sdxl"
    shutil.copytree(built / "keyframes", other)
    (other / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionXLPipeline"}))
    hub.repositories["some-lab/sdxl"] = Repository(other)
    said = told(asked(hub.address, tmp_path, "some-lab/sdxl", "keyframes"), 3)
    assert "FluxPipeline or WanPipeline" in said
    assert "was wanted, found StableDiffusionXLPipeline. Take a FLUX.1 such as" in said
    hub.repositories["some-lab/single"] = Repository(built / "clip")
    said = told(asked(hub.address, tmp_path, "some-lab/single", "keyframes"), 3)
    assert said.startswith(
        "some-lab/single: a model in diffusers' layout was wanted, found no model_index.json"
    )
    said = told(asked(hub.address, tmp_path, NAME, "video"), 3)
    assert said.endswith("found a model that draws keyframes: it is for cinema plan.")
    assert {name for name in hub.fetched() if name.endswith(".safetensors")} == set()


def test_a_half_that_is_in_the_cache_is_told_offline_and_fetched_online(hub, tmp_path):
    folder = Path(told(asked(hub.address, tmp_path, NAME, "keyframes"))["folder"])
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    said = told(asked(hub.address, tmp_path, NAME, "keyframes", HF_HUB_OFFLINE="1"), 4)
    assert f"{folder}/vae: weights were wanted, found none. The model is half there" in said
    hub.repositories[NAME].card = {}
    told(asked(hub.address, tmp_path, NAME, "keyframes"))
    assert (folder / "vae" / "diffusion_pytorch_model.safetensors").is_file()


def test_a_licence_is_accepted_once(hub, tmp_path, built):
    name = "black-forest-labs/FLUX.1-dev"
    hub.repositories[name] = Repository(built / "keyframes")
    said = told(asked(hub.address, tmp_path, name, "keyframes"), 4)
    assert said.startswith(
        f"{name} is under the FLUX.1 [dev] Non-Commercial License: weights and what is trained"
    )
    assert f"`cinema doctor --model {name} --accept-licence`" in said
    assert not any(file.endswith(".safetensors") for file in hub.fetched())
    told(asked(hub.address, tmp_path, name, "keyframes", "accept"))
    noted = json.loads((tmp_path / "config" / "cinema" / "licences.json").read_text())["accepted"]
    assert [(entry["model"], entry["licence"]) for entry in noted] == [
        (name, "FLUX.1 [dev] Non-Commercial License")
    ]
    told(asked(hub.address, tmp_path, name, "keyframes"))


def test_the_doctor_tells_of_a_model_of_the_hub(hub, tmp_path):
    ran = asked(hub.address, tmp_path, "cinema", "doctor", "--model", NAME, "--json")
    assert ran.returncode == 4
    (licence, model) = json.loads(ran.stdout)["findings"]
    assert licence["found"].startswith("Apache-2.0: any use")
    assert model["state"] == "missing"
    assert f"{NAME}@{COMMIT}: " in model["found"]
    assert model["advice"].startswith("To fetch them, say --fetch; ")
    ran = asked(hub.address, tmp_path, "cinema", "doctor", "--model", NAME, "--fetch", "--json", "--quiet")
    assert (ran.returncode, ran.stderr) == (0, "")
    found = {finding["name"]: finding["found"] for finding in json.loads(ran.stdout)["findings"]}
    assert found["keyframes: model"].startswith(f"{NAME}@{COMMIT} in ")
    assert found["keyframes: pipeline"] == "FluxPipeline"


def test_files_are_chosen_by_what_is_loaded():
    names = [
        *("model_index.json", "README.md", "flux1-dev.safetensors", "transformer/config.json"),
        *(f"transformer/diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)),
        "transformer/diffusion_pytorch_model.safetensors.index.json",
        "transformer/diffusion_pytorch_model.safetensors",  # the same once more: the index goes first
        "transformer/diffusion_pytorch_model.fp16.safetensors",
        *("vae/config.json", "vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.bin"),
        *("text_encoder/config.json", "text_encoder/model.safetensors", "tokenizer/spiece.model"),
        *("image_encoder/model.safetensors", "tokenizer/tokenizer.json"),
    ]
    assert needed_files(names, "video") == [
        *("README.md", "model_index.json", "transformer/config.json"),
        *(f"transformer/diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)),
        "transformer/diffusion_pytorch_model.safetensors.index.json",
        *("vae/config.json", "vae/diffusion_pytorch_model.safetensors"),
        *("text_encoder/config.json", "text_encoder/model.safetensors"),
        *("tokenizer/spiece.model", "tokenizer/tokenizer.json"),
    ]
    with pytest.raises(
        InputError, match=r"vae/: weights as safetensors .* found diffusion_pytorch_model\.bin"
    ):
        needed_files([name for name in names if name != "vae/diffusion_pytorch_model.safetensors"], "video")


def test_names_of_the_hub():
    assert split_name("Wan-AI/Wan2.2-TI2V-5B-Diffusers@main") == ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "main")
    assert split_name("black-forest-labs/FLUX.1-dev") == ("black-forest-labs/FLUX.1-dev", None)
    assert not any(is_hub_name(name) for name in ("toy", "./a/b", "/a/b", "~/a", "a/b/c", "a b/c", ""))


def test_of_an_editor_its_own_parts_are_needed() -> None:
    parts = ("transformer", "vae", "text_encoder", "tokenizer", "processor", "scheduler", "tokenizer_2")
    names = [f"{part}/config.json" for part in parts]
    names += [f"{part}/model.safetensors" for part in ("transformer", "vae", "text_encoder")]
    needed = needed_files(names, "keyframes", "QwenImageEditPlusPipeline")
    assert sorted(needed) == sorted(set(names) - {"tokenizer_2/config.json"})
