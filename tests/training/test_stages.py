import json
import re
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.weights import weights_sha256
from cinema_cli.progress import Progress
from cinema_cli.sampling.features import PairFeatures
from cinema_cli.sampling.loader import Loader
from cinema_cli.sampling.sample import SampleConfig, open_sequences, sample_dataset
from cinema_cli.training import stages
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.keyframes import KeyframeTask
from cinema_cli.training.sequences import HELD_OUT, DatasetSequences
from cinema_cli.training.stages import train_keyframes
from kept_films import drawn_film
from keyframe_runs import frozen_parts
from keyframe_runs import tiny_training as config
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return frozen_parts(tmp_path_factory.mktemp("run"))


def test_stages_follow_each_other(run):
    with Progress(quiet=True) as progress:
        with pytest.raises(InputError, match="comes first"):
            train_keyframes(8, run, config(), progress)
        first = train_keyframes(1, run, config("stages.1.train_text=true"), progress)
        with pytest.raises(InputError, match="stage-4: this stage comes first"):
            train_keyframes(8, run, config(), progress)
        with pytest.raises(InputError, match="transformer were to be trained, found"):
            train_keyframes(1, run, config("stages.1.loop.steps=3"), progress)
        second = train_keyframes(4, run, config(), progress)
        with pytest.raises(InputError, match="among 1, 4, 8, 16 was wanted, found 32"):
            train_keyframes(32, run, config(), progress)
    assert {"transformer", "text_encoder", "text_encoder_2"} <= {p.name for p in first.iterdir()}
    assert "text_encoder_2" not in {p.name for p in second.iterdir()}
    lines = (second.parent / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]
    assert (second.parent / "previews" / "step-000002.png").stat().st_size > 0
    moved = [
        not torch.equal(a, b)
        for a, b in zip(
            module_weights(first / "transformer").values(),
            module_weights(second / "transformer").values(),
            strict=True,
        )
    ]
    assert any(moved)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "dataset"
    for seed in range(2):
        drawn_film(folder / f"film-{seed}", 20, seed)
    with Progress(quiet=True) as progress:
        sample_dataset(folder, SampleConfig(pairs=(8,)), progress)
    return folder


SMALL = ("frame_size=[16,32]", "stages.8.sequences=2")


def trained(run: Path, dataset: Path, *changes: str, **where: object) -> Path:
    """Stage 8 on a dataset; starts from the embedded layout, for no earlier stage is there."""
    with Progress(quiet=True) as progress:
        return train_keyframes(8, run, config(*SMALL, *changes), progress, dataset, **where)


def losses(checkpoint: Path) -> list[float]:
    lines = (checkpoint.parent / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A whole model to start from: frozen parts and a transformer."""
    return build_tiny_models(tmp_path / "model")


def test_a_stage_trains_on_a_dataset_from_a_model(tmp_path, dataset, tiny):
    last = trained(tmp_path / "run", dataset, init=str(tiny))
    assert last == tmp_path / "run/checkpoints/keyframes/stage-8/step-000002"
    assert len(losses(last)) == 2
    start = module_weights(tiny / "keyframes" / "transformer")
    moved = module_weights(last / "transformer")
    assert start.keys() == moved.keys()
    assert any(not torch.equal(start[key], moved[key]) for key in start)
    assert all((start[key] - moved[key]).abs().max() < 0.1 for key in start)  # it did start from there
    with Image.open(last.parent / "previews" / "step-000002.png") as strip:
        assert strip.size == (8 * 32, 4 * 16)  # and below, what the base drew


def test_of_a_dataset_nobody_knows_where_somebody_is_shown(tmp_path, dataset):
    weighed = config("stages.4.subject_weight=3")
    with Progress(quiet=True) as progress, pytest.raises(InputError, match="1 was wanted with a dataset"):
        train_keyframes(4, tmp_path, weighed, progress, data=dataset, init="toy")


def test_the_cache_changes_nothing_but_the_time(tmp_path, dataset, tiny):
    first = trained(tmp_path / "run", dataset, init=str(tiny))
    shutil.rmtree(first.parent)
    assert len(list((tmp_path / "run/cache").rglob("*.safetensors"))) >= 4
    assert losses(trained(tmp_path / "run", dataset, init=str(tiny))) == losses(first)


def test_stopped_and_gone_on_is_uninterrupted(tmp_path, dataset, tiny):
    whole = trained(tmp_path / "whole", dataset, "stages.8.loop.steps=6", init=str(tiny))
    changes = ("stages.8.loop.steps=6", "stages.8.loop.preview_every=0")
    bound = KeyframeTask.batch

    def interrupted(task, seed):
        if seed == 2:
            signal.raise_signal(signal.SIGTERM)
        return bound(task, seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeyframeTask, "batch", interrupted)
        with pytest.raises(Interrupted, match="after step 3"):
            trained(tmp_path / "stopped", dataset, *changes, init=str(tiny))
    resumed = trained(tmp_path / "stopped", dataset, *changes, init=str(tiny))
    assert losses(resumed) == losses(whole)


def test_cached_words_are_what_the_task_would_have_encoded(tmp_path, dataset):
    base = frozen_parts(tmp_path) / "keyframes"
    codec, text = ImageCodec.load(base), TextEncoder.load(base, 24)
    manifests, films = open_sequences(dataset, 8)
    made = config(*SMALL, "stages.8.drop_captions=0.5", "stages.8.drop_pair=0.3")
    features = PairFeatures(films, codec, text, (16, 32), tmp_path / "cache", print)
    source = DatasetSequences(Loader(manifests, films, features, 2, 0, workers=0))
    task = KeyframeTask(InterleavedFlux(**made.transformer.model_dump()), codec, text, source, 8, made)
    batch = task.batch(5).sequences
    assert batch.words is not None
    for seed in range(4):
        levels = task.draw_levels(torch.Generator().manual_seed(seed))
        cached = task._words(batch, levels.dropped)
        anew = task._words(replace(batch, words=None), levels.dropped)
        assert torch.allclose(cached.text, anew.text, atol=2e-3)
        assert torch.allclose(cached.pooled, anew.pooled, atol=2e-3)
    assert levels.dropped.any()


def test_trained_text_encoders_read_the_captions_themselves(tmp_path, dataset, tiny):
    last = trained(tmp_path / "run", dataset, "stages.8.train_text=true", init=str(tiny))
    start = module_weights(tiny / "keyframes" / "text_encoder_2")
    moved = module_weights(last / "text_encoder_2")
    assert any(not torch.equal(start[key], moved[key]) for key in start)
    assert len(list((tmp_path / "run/cache").iterdir())) == 1  # latents, no words


def test_words_are_not_kept_on_request_and_are_the_same(tmp_path, dataset, tiny):
    kept = trained(tmp_path / "kept", dataset, init=str(tiny))
    last = trained(tmp_path / "run", dataset, "keep_words=false", init=str(tiny))
    assert len(list((tmp_path / "run/cache").iterdir())) == 1  # latents, no words
    assert losses(last) == pytest.approx(losses(kept), abs=1e-3)  # kept in half precision


def test_there_is_nothing_to_fall_back_to(tmp_path, dataset, tiny, capsys):
    start = str(tiny)
    with pytest.raises(MissingError, match="cinema sample` with --pairs 8 first"):
        trained(tmp_path / "run", dataset, init=start, sequences=tmp_path / "elsewhere")
    with pytest.raises(InputError, match="a folder of ingested films"):
        trained(tmp_path / "run", tmp_path / "nowhere", init=start)
    with pytest.raises(MissingError, match="--init toy"):
        trained(tmp_path / "run", dataset)
    with pytest.raises(MissingError, match=r"no model_index\.json"):
        trained(tmp_path / "run", dataset, init=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="frame_size: multiples of 8 were wanted"):
        trained(tmp_path / "run", dataset, "frame_size=[20,40]", init=start)
    with pytest.raises(InputError, match="in that shape were wanted, found 32 x 64"):
        trained(tmp_path / "run", dataset, "frame_size=[16,16]", init=start)
    assert not (tmp_path / "run" / "checkpoints").exists()
    with Progress(quiet=True) as progress, pytest.raises(InputError, match="the theatre draws"):
        train_keyframes(8, tmp_path / "run", config("frame_size=[16,32]"), progress, init=start)


def test_held_out_films_are_looked_at_and_never_trained_on(tmp_path, dataset, tiny):
    base = tiny / "keyframes"
    codec, text = ImageCodec.load(base), TextEncoder.load(base, 24)
    opened = open_sequences(dataset, 8)
    with Progress(quiet=True) as progress:
        made = config(*SMALL, "held_out=0.5")
        source = stages._dataset(8, tmp_path / "cache", made, codec, text, opened, progress)
    (name,) = source.facts["films_held_out"]
    (apart,) = [film for film in opened[1] if film.name == name]
    held = {shot.caption for shot in apart.shots}
    seen = {caption for seed in range(40) for row in source.batch(seed, 2, 8).captions for caption in row}
    assert len(seen) > 10
    assert not seen & held
    assert {caption for row in source.preview(4, 8).captions for caption in row} <= held


def test_a_stage_goes_on_with_the_films_held_out_that_it_began_with(tmp_path, dataset, tiny):
    last = trained(tmp_path / "run", dataset, "held_out=0.5", init=str(tiny))
    assert len(json.loads((last.parent / "data.json").read_text())["films_held_out"]) == 1
    with pytest.raises(InputError, match="begun with other sequences of a dataset"):
        trained(tmp_path / "run", dataset, init=str(tiny))


def test_a_stage_goes_on_with_the_data_it_began_with(tmp_path, dataset, tiny):
    run, start = tmp_path / "run", str(tiny)
    first = trained(run, dataset, init=start)
    assert trained(run, dataset, init=start) == first  # done: nothing more
    with Progress(quiet=True) as progress:
        with pytest.raises(InputError, match="was begun with other sequences"):
            train_keyframes(8, run, config(), progress, init=start)
        sample_dataset(dataset, SampleConfig(pairs=(8,), seed=9), progress, tmp_path / "other")
        with pytest.raises(InputError, match="was begun with other sequences"):
            trained(run, dataset, init=start, sequences=tmp_path / "other")
        with pytest.raises(InputError, match="was begun with other sequences"):
            trained(run, dataset, "stages.8.sequences=1", init=start)
        train_keyframes(8, tmp_path / "drawn", config(), progress, init=start)
        with pytest.raises(InputError, match="was begun with the theatre"):
            trained(tmp_path / "drawn", dataset, init=start)


@pytest.mark.parametrize(
    ("given", "kind"),
    [("company=0.4", ""), ("company=0.7", "-0.7"), ("returns=0.5", "-0.7-returns-0.5")],
)
def test_the_theatre_s_cache_keeps_its_names(tmp_path, given, kind):
    run = frozen_parts(tmp_path)
    with Progress(quiet=True) as progress:
        train_keyframes(1, run, config(f"stages.1.{given}"), progress)
    folder = run / "cache" / weights_sha256(run / "keyframes" / "vae")[:16]
    named = {
        f"theatre-{config().shots}-{first + n}{kind}.safetensors" for first in (0, HELD_OUT) for n in range(3)
    }
    assert {path.name for path in folder.iterdir()} <= named


def test_captions_that_lose_their_end_are_counted(tmp_path, dataset, tiny, capsys):
    with Progress() as progress:
        train_keyframes(
            8, tmp_path / "run", config(*SMALL, "text_length=12"), progress, dataset, init=str(tiny)
        )
    assert re.search(r"\d+ captions have more than 12 text tokens", capsys.readouterr().err)
