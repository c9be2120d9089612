"""Films that an editor draws: foreseen, stopped by a signal, and gone on with."""

import json
import signal
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL

from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.models import thrift
from cinema_cli.models.kept_latents import KEYFRAMES
from cinema_cli.planning.estimate import EditorEstimate, estimate_plan
from cinema_cli.planning.plan import PlanConfig, plan_film
from cinema_cli.progress import Progress, Task
from stock_models import BUILDERS

STORY = "Mira walks in the forest. Tom waves on the beach at night. Mira jumps in the castle."


class Signals(Progress):
    """A signal comes at a sampling step; steps are counted."""

    def __init__(self, step: int = 0, number: signal.Signals = signal.SIGINT) -> None:
        super().__init__(quiet=True)
        self.step, self.number, self.steps = step, number, 0

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Task:
        return SignallingTask(self, what, total, unit, done)


class SignallingTask(Task):
    def advance(self, count: int = 1, note: str = "") -> None:
        super().advance(count, note)
        progress = self._progress
        assert isinstance(progress, Signals)
        progress.steps += count
        if progress.steps == progress.step:
            signal.raise_signal(progress.number)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BUILDERS["kontext"](tmp_path_factory.mktemp("models"))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY, encoding="utf-8")
    return path


def configured(model: Path, **changes: object) -> PlanConfig:
    small = {"frame_size": (32, 64), "steps": 2, "text_length": 512, "retrieval": {"kind": "recency"}}
    return PlanConfig(**{"model": str(model), **small, **changes})


def pictures(film: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (film / "keyframes").iterdir()}


def test_a_dry_run_tells_and_writes_nothing(
    story: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = story.parent / "film"
    made = estimate_plan(story, film, configured(model, references=2))
    assert isinstance(made, EditorEstimate)
    assert (made.shots, made.drawn, made.steps, made.references, made.fits) == (3, 3, 6, 2, True)
    assert made.mode.startswith("no fine-tune: FluxKontextPipeline, frame by frame")
    assert made.memory.startswith("offload none, ")
    assert not film.exists()
    plan_film(story, film, configured(model), Progress(quiet=True))
    assert estimate_plan(story, film, configured(model)).drawn == 0
    assert estimate_plan(film, None, configured(model, redo=("2",))).drawn == 1
    assert estimate_plan(story, film, configured(model, negative="blur")).drawn == 3
    with pytest.raises(InputError, match="quantise: none was wanted"):
        estimate_plan(story, film, configured(model, quantise="int8"))
    monkeypatch.setattr(thrift, "device_memory", lambda where: 1000)
    made = estimate_plan(story, film, configured(model))
    assert isinstance(made, EditorEstimate)
    assert not made.fits
    assert "room for " in made.memory


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_frame_in_hand_finish(story: Path, model: Path, number: signal.Signals) -> None:
    straight, stopped = story.parent / "straight", story.parent / "stopped"
    plan_film(story, straight, configured(model), Progress(quiet=True))
    with pytest.raises(
        Interrupted, match=r"2 keyframes were drawn\. The same command draws the others"
    ) as raised:
        plan_film(story, stopped, configured(model), Signals(3, number))
    assert raised.value.exit_code == 5
    assert len(pictures(stopped)) == 2
    again = Signals()
    assert plan_film(story, stopped, configured(model), again).drawn == 1
    assert again.steps == 2
    assert pictures(stopped) == pictures(straight)


def test_what_was_sampled_waits_for_its_decoding(
    story: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, decode = story.parent / "film", AutoencoderKL.decode

    def fails_once(*_args: object, **_options: object) -> None:
        monkeypatch.setattr(AutoencoderKL, "decode", decode)
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(AutoencoderKL, "decode", fails_once)
    with pytest.raises(MissingError, match="decoding shot 0001"):
        plan_film(story, film, configured(model), Progress(quiet=True))
    assert len(list((film / KEYFRAMES).iterdir())) == 1
    progress = Signals()
    assert plan_film(story, film, configured(model, offload="model", tile=True), progress).drawn == 3
    assert progress.steps == 4  # of two frames: the first one waited
    assert not (film / KEYFRAMES).exists()
    assert json.loads((film / "storyboard.json").read_text())["shots"][0]["keyframe"] == "keyframes/0001.png"
