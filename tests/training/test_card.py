"""The model card: it tells what the run was, names no path, and its code runs."""

import re
from pathlib import Path

import pytest
import torch
import yaml
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    WanTransformer3DModel,
)
from torch import nn

from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.weights import model_folder
from cinema_cli.progress import Progress
from cinema_cli.training.card import CARD_NAME, Subject, base_name, described, model_card
from cinema_cli.training.checkpoint import faults, module_weights
from cinema_cli.training.lora import LoraConfig, LoraLayers
from cinema_cli.training.video_run import train_video
from clipped_films import tiny_video
from keyframe_runs import frozen_parts
from keyframe_tasks import theatre_task
from loop_tasks import LOOP, TinyTask, lines, run
from tiny_models import (
    build_tiny_models,
    image_autoencoder,
    keyframe_transformer,
    pooled_encoder,
    text_encoder,
    tokenizer,
    video_transformer,
)

SUBJECT = Subject("3 movies of 8 shots of the toy theatre", sequences=2, length="8 pairs")
STATE = {"loop": LOOP.model_dump(mode="json"), "batches": 4}
BASE = "tiny-base"


class Trained:
    """What a card needs of a task: the modules, and where they are adapters the model as well."""

    def __init__(self, **modules: nn.Module) -> None:
        self.modules = modules


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A complete tiny pipeline, as diffusers saves it."""
    torch.manual_seed(0)
    parts = {"vae": image_autoencoder(), "text_encoder": pooled_encoder(), "text_encoder_2": text_encoder()}
    words = {"tokenizer": tokenizer(), "tokenizer_2": tokenizer()}
    stock = FluxTransformer2DModel.from_config(keyframe_transformer().config)
    folder = tmp_path_factory.mktemp("models") / BASE
    FluxPipeline(FlowMatchEulerDiscreteScheduler(), transformer=stock, **parts, **words).save_pretrained(
        folder
    )
    return folder


def front_matter(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def code(card: str) -> str:
    (found,) = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    return found


def rows(card: str) -> dict[str, str]:
    return dict(line.strip("| ").split(" | ", 1) for line in card.splitlines() if re.match(r"\| \w", line))


class FromBase(TinyTask):
    """The tiny task, whose transformer was read from a base and is trained in full or by adapters."""

    card = SUBJECT

    def __init__(self, base: Path, adapters: bool) -> None:
        super().__init__()
        self.model = InterleavedFlux.from_pretrained(base / "transformer")
        trained = LoraLayers(self.model, LoraConfig(rank=4)) if adapters else self.model
        self.modules = {"lora" if adapters else "transformer": trained}

    def loss(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        x = torch.randn(2, 3, 16, generator=generator)
        ids = torch.zeros(3, 3), torch.zeros(1, 3)
        call = (x, torch.zeros(2, 1, 16), torch.zeros(2, 12), torch.ones(2), *ids)
        return (self.model(*call).sample - x).square().mean()


@pytest.fixture(scope="module", params=[False, True], ids=["full", "adapters"])
def checkpoint(request, base, tmp_path_factory) -> Path:
    """Six steps from the base; the folder named so that the card's line finds it lies inside."""
    task = FromBase(base, request.param)
    return run(task, tmp_path_factory.mktemp("run"), preview_every=0, validate_every=0)


def test_a_checkpoint_with_a_card_is_whole_and_a_changed_card_is_found(checkpoint, tmp_path):
    assert faults(checkpoint) == []
    card = checkpoint / CARD_NAME
    before = card.read_text()
    card.write_text(before.replace("tiny", "TINY"))
    found = faults(checkpoint)
    card.write_text(before)
    assert found == [f"{CARD_NAME} was changed"]


def test_it_tells_what_the_run_was(checkpoint):
    card = (checkpoint / CARD_NAME).read_text()
    told, adapters = rows(card), (checkpoint / "lora").is_dir()
    assert "# tiny: 6 steps" in card
    assert told["from"] == BASE
    assert told["on"] == SUBJECT.data
    assert told["sequences a step"] == "2, each of 8 pairs"
    assert told["steps"] == "6 of 6"
    assert told["loss"].startswith(f"{lines(checkpoint.parent)[-1]['loss']:.4f} ")
    assert told["precision"] == "fp32"
    assert told["optimizer"].startswith("muon, rate 0.001 (cosine, warm-up of 2 steps)")
    assert f"torch {torch.__version__}" in told["versions"]
    weights = module_weights(checkpoint / ("lora" if adapters else "transformer"))
    assert f"{sum(tensor.numel() for tensor in weights.values()):,} parameters" in told["trained"]
    assert told["trained"].startswith("adapters of rank 4" if adapters else "`transformer`")
    matter = front_matter(card)
    assert matter["library_name"] == "diffusers"
    assert matter["base_model"] == BASE
    assert matter["base_model_relation"] == ("adapter" if adapters else "finetune")
    assert ("lora" in matter["tags"]) == adapters
    assert f"The base model's licence applies: read it where you found {BASE}." in card


def test_it_names_no_path(checkpoint, base):
    card = (checkpoint / CARD_NAME).read_text()
    assert str(base.parent) not in card
    assert str(checkpoint.parent) not in card
    assert not re.search(r"(^|[\s`\"'])/\w", card)


def test_its_code_runs_in_the_folder_and_gives_the_averaged_weights(checkpoint, base, tmp_path, monkeypatch):
    # The base goes by its name: what the reader has at hand under that name is taken.
    for part in checkpoint.iterdir():
        (tmp_path / part.name).symlink_to(part)
    (tmp_path / BASE).symlink_to(base)
    monkeypatch.chdir(tmp_path)
    made: dict = {}
    exec(code((checkpoint / CARD_NAME).read_text()), made)
    loaded = made["pipeline"].transformer.state_dict()
    if (checkpoint / "lora").is_dir():
        averaged = {
            name.removeprefix("transformer."): value
            for name, value in module_weights(checkpoint / "ema" / "lora").items()
        }
        loaded = {name.replace(".default_0.", "."): value for name, value in loaded.items()}
    else:
        averaged = module_weights(checkpoint / "ema" / "transformer")
    assert averaged
    assert all(torch.equal(loaded[name], value) for name, value in averaged.items())


def test_what_was_made_from_scratch_has_no_base_and_loads_by_itself(tmp_path, monkeypatch):
    checkpoint = run(TinyTask(), tmp_path, preview_every=0)
    card = (checkpoint / CARD_NAME).read_text()
    assert rows(card)["from"] == "random weights"
    assert "on" not in rows(card)
    assert "base_model" not in front_matter(card)
    assert "None is given here" in card
    monkeypatch.chdir(checkpoint)
    made: dict = {}
    exec(code(card), made)
    assert type(made["transformer"]) is FluxTransformer2DModel


def test_text_encoders_are_loaded_by_their_own_library():
    task = Trained(transformer=keyframe_transformer(), text_encoder=pooled_encoder())
    told = code(model_card(task, "keyframes, stage 1", STATE, 2, 0.5))
    assert "from transformers import CLIPTextModel" in told
    assert 'text_encoder = CLIPTextModel.from_pretrained("ema/text_encoder")' in told


def test_a_video_model_has_its_own_pipeline():
    card = model_card(Trained(transformer=video_transformer()), "video", STATE, 2, 0.5)
    assert front_matter(card)["pipeline_tag"] == "text-to-video"
    assert f"from diffusers import {WanTransformer3DModel.__name__}" in code(card)
    assert "a stock `WanPipeline` makes one at a time" in card


def test_the_video_task_tells_its_movies_and_shots(tmp_path):
    model = build_tiny_models(tmp_path / "model")
    with Progress(quiet=True) as progress:
        last = train_video(tmp_path / "run", tiny_video("films=2", "movies=3"), progress, init=str(model))
    card = (last / CARD_NAME).read_text()
    told = rows(card)
    assert told["on"] == "3 movies of 8 shots of the toy theatre"
    assert told["sequences a step"] == "2, each of 2 shots"
    assert told["from"] == "model"
    assert front_matter(card)["base_model_relation"] == "finetune"
    assert 'WanPipeline.from_pretrained("model", transformer=transformer)' in code(card)
    assert faults(last) == []


def test_what_no_library_loads_has_no_code():
    card = model_card(Trained(reader=nn.Linear(2, 2)), "reader", STATE, 2, 0.5)
    assert "How to load it" not in card
    assert rows(card)["trained"] == "`reader`, 6 parameters"


def test_a_step_counts_the_batches_of_all_processes():
    task = Trained(transformer=keyframe_transformer())
    task.card = SUBJECT
    assert rows(model_card(task, "tiny", STATE, 2, 0.5))["sequences a step"] == "8, each of 8 pairs"


def test_data_are_the_theatre_or_a_dataset_by_its_hashes():
    assert described("3 movies of 8 shots", None) == "3 movies of 8 shots of the toy theatre"
    assert described("", {"sequences_sha256": "ab12"}) == "a dataset: sequences_sha256 `ab12`"


def test_a_base_goes_by_its_name_in_a_hub_or_its_folders(tmp_path):
    model = keyframe_transformer()
    hub = tmp_path / "models--black-forest-labs--FLUX.1-dev" / "snapshots" / "0e1f"
    names = {hub: "black-forest-labs/FLUX.1-dev", tmp_path / "mine" / "keyframes": "mine"}
    for folder, name in names.items():
        model.save_pretrained(folder / "transformer")
        assert base_name(InterleavedFlux.from_pretrained(folder / "transformer")) == name
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "keyframes").symlink_to(hub)
    assert base_name(InterleavedFlux.from_pretrained(tmp_path / "base/keyframes/transformer")) == names[hub]
    assert (
        base_name(InterleavedFlux.from_pretrained(model_folder("toy", "keyframes") / "transformer")) == "toy"
    )
    assert base_name(model) is None


@pytest.mark.parametrize("stage", [4, 8])
def test_the_keyframe_task_tells_its_movies_and_pairs(tmp_path, stage):
    task = theatre_task(frozen_parts(tmp_path), stage, f"stages.{stage}.sequences=3")
    told = rows(model_card(task, f"keyframes, stage {stage}", STATE, 2, 0.5))
    assert told["on"] == "3 movies of 12 shots of the toy theatre"
    assert told["sequences a step"] == f"12, each of {stage} pairs"
