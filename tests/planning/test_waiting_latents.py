"""Memory that runs out, or a kill, while a film is decoded: the next command decodes what was sampled."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cinema_cli.errors import MissingError
from cinema_cli.models.encoders import ImageCodec, VideoCodec
from cinema_cli.models.kept_latents import CLIPS, KEYFRAMES
from cinema_cli.planning.plan import PlanConfig, plan_film
from cinema_cli.progress import Progress, Task
from cinema_cli.rendering.render import RenderConfig, render_film
from tiny_models import FRAME_SIZE, build_tiny_models

STORY = "Mira walked along the harbour at night.\n\nTom waved at the castle in the morning.\n"


class Steps(Progress):
    """Counts sampling steps."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.steps = 0

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Task:
        return StepTask(self, what, total, unit, done)


class StepTask(Task):
    def advance(self, count: int = 1, note: str = "") -> None:
        super().advance(count, note)
        if self.unit == "steps":
            assert isinstance(self._progress, Steps)
            self._progress.steps += count


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


def plan(folder: Path, model: Path, **changes: object) -> int:
    """Plan a film of two shots; the sampling steps that it took."""
    story = folder / "story.txt"
    story.write_text(STORY, encoding="utf-8")
    config = PlanConfig(
        **{"model": str(model), "frame_size": FRAME_SIZE, "steps": 2, "text_length": 512, **changes}
    )
    progress = Steps()
    plan_film(story, folder / "film", config, progress)
    return progress.steps


def render(folder: Path, model: Path, **changes: object) -> int:
    config = RenderConfig(**{"model": str(model), "steps": 2, **changes})
    progress = Steps()
    render_film(folder / "film", None, config, progress)
    return progress.steps


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fails_once(monkeypatch: pytest.MonkeyPatch, codec: type[ImageCodec] | type[VideoCodec]) -> None:
    """Memory runs out at the first decoding."""
    decode = codec.decode

    def failing(*args: object) -> None:
        monkeypatch.setattr(codec, "decode", decode)
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(codec, "decode", failing)


def test_memory_that_runs_out_at_decoding_loses_no_keyframe(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("straight", "failed"):
        (tmp_path / name).mkdir()
    assert plan(tmp_path / "straight", model) == 2
    film = tmp_path / "failed" / "film"
    fails_once(monkeypatch, ImageCodec)
    with pytest.raises(MissingError, match=r"decoding shot 0001, 0002: .*tile=true"):
        plan(tmp_path / "failed", model)
    assert len(list((film / KEYFRAMES).iterdir())) == 1
    assert plan(tmp_path / "failed", model) == 0
    assert content(film / "keyframes") == content(tmp_path / "straight" / "film" / "keyframes")
    assert not (film / KEYFRAMES).exists()


def test_latents_of_other_inputs_are_not_taken(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_once(monkeypatch, ImageCodec)
    with pytest.raises(MissingError):
        plan(tmp_path, model)
    assert plan(tmp_path, model, steps=3) == 3


def test_a_kill_at_decoding_loses_no_keyframe(model: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from cinema_cli.models.encoders import ImageCodec\n"
        "from planning.test_waiting_latents import plan\n"
        "ImageCodec.decode = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"plan(Path({str(tmp_path)!r}), Path({str(model)!r}))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    killed = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "film" / KEYFRAMES).iterdir())) == 1
    assert plan(tmp_path, model, tile=True) == 0
    assert len(content(tmp_path / "film" / "keyframes")) == 2


def test_memory_that_runs_out_at_decoding_loses_no_clip(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(tmp_path, model)
    fails_once(monkeypatch, VideoCodec)
    with pytest.raises(MissingError, match=r"decoding shot 0001, 0002: .*tile=true"):
        render(tmp_path, model)
    assert len(list((tmp_path / "film" / CLIPS).iterdir())) == 1
    assert render(tmp_path, model, offload="sequential") == 0
    assert sorted(content(tmp_path / "film" / "clips")) == ["0001.mp4", "0002.mp4"]
    assert not (tmp_path / "film" / CLIPS).exists()
