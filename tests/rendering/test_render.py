"""``render_film`` on real files, with tiny random models."""

import shutil
import signal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.ffmpeg import probe
from cinema_cli.models.encoders import ShotTextEncoder
from cinema_cli.models.video import InterleavedWan
from cinema_cli.progress import Progress, Task
from cinema_cli.rendering.render import RenderConfig, RenderResult, render_film
from cinema_cli.storyboard import Storyboard
from pictured_films import make_film
from tiny_models import build_tiny_models


class Signals(Progress):
    """Somebody presses Ctrl-C at a sampling step, so many times."""

    def __init__(self, step: int, times: int) -> None:
        super().__init__(quiet=True)
        self.step, self.times = step, times

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Task:
        return SignallingTask(self, what, total, unit, done)


class SignallingTask(Task):
    def advance(self, count: int = 1, note: str = "") -> None:
        super().advance(count, note)
        progress = self._progress
        assert isinstance(progress, Signals)
        if self.unit == "steps" and self.count == progress.step:
            for _ in range(progress.times):
                signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


def render(folder: Path, model: Path, progress: Progress | None = None, **changes: object) -> RenderResult:
    out = changes.pop("out", None)
    assert out is None or isinstance(out, Path)
    config = RenderConfig(**{"model": str(model), "steps": 2, "window": 2, **changes})
    return render_film(folder, out, config, progress or Progress(quiet=True))


@pytest.fixture(scope="module")
def rendered(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of three short shots, rendered once."""
    folder = make_film(tmp_path_factory.mktemp("rendered") / "film", ["1/4", "1/8", "1/4"])
    render(folder, model)
    return folder


@pytest.fixture
def film(rendered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(rendered, tmp_path / "film"))


def clips(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "clips").iterdir()}


def changed(folder: Path, before: dict[str, bytes]) -> list[str]:
    return sorted(name for name, content in clips(folder).items() if content != before.get(name))


def edit(folder: Path, id: str, **changes: object) -> None:
    Storyboard.load(folder).with_shot(id, **changes).save(folder)


def test_a_storyboard_becomes_a_film_of_exactly_its_length(model: Path, tmp_path: Path) -> None:
    folder = make_film(tmp_path / "film", ["2", "2"])
    made = render(folder / "storyboard.json", model)
    assert (made.film, made.contact_sheet) == (folder / "film.mp4", folder / "contact-sheet.html")
    assert (made.shots, made.rendered, made.skipped) == (2, 2, 0)
    assert list(made.seconds) == ["load", "render", "join"]
    info = probe(made.film)
    assert (info.frames, info.rate, info.duration) == (2 * 2 * 24, 24, 4)
    for shot in Storyboard.load(folder).shots:
        assert shot.clip == f"clips/{shot.id}.mp4"
        assert shot.clip_made_with is not None
        clip = probe(folder / shot.clip)
        assert (clip.frames, clip.rate, clip.duration) == (16, 8, Fraction(2))
    assert "film.mp4" in made.contact_sheet.read_text(encoding="utf-8")
    assert not list(folder.glob("**/.*.part*"))


def test_rendered_again_nothing_is_made(film: Path, model: Path) -> None:
    before, document = clips(film), (film / "storyboard.json").read_bytes()
    joined = (film / "film.mp4").stat().st_mtime_ns
    made = render(film, model)
    assert (made.rendered, made.skipped) == (0, 3)
    assert (clips(film), (film / "storyboard.json").read_bytes()) == (before, document)
    assert (film / "film.mp4").stat().st_mtime_ns == joined
    (film / "film.mp4").unlink()
    assert render(film, model).rendered == 0
    assert (film / "film.mp4").is_file()


def test_a_changed_shot_is_made_alone_and_the_film_joined_again(film: Path, model: Path) -> None:
    before, joined = clips(film), (film / "film.mp4").read_bytes()
    edit(film, "0003", caption="<Mira> jumps.")
    made = render(film, model)
    assert (made.rendered, made.skipped) == (1, 2)
    assert changed(film, before) == ["0003.mp4"]
    assert (film / "film.mp4").read_bytes() != joined


def test_other_words_spoken_are_other_subtitles_of_the_same_film(film: Path, model: Path) -> None:
    joined = (film / "film.mp4").stat().st_mtime_ns
    edit(film, "0002", lines=[{"speaker": "Mira", "text": "Good evening."}])
    assert render(film, model).rendered == 0
    assert "Good evening." in (film / "film.und.srt").read_text(encoding="utf-8")
    assert (film / "film.mp4").stat().st_mtime_ns == joined
    edit(film, "0002", lines=[])
    assert render(film, model).rendered == 0
    assert not (film / "film.und.srt").exists()


def test_another_keyframe_is_another_clip(film: Path, model: Path) -> None:
    before = clips(film)
    Image.fromarray(np.asarray(Image.open(film / "keyframes/0003.png"))[::-1].copy()).save(
        film / "keyframes/0003.png"
    )
    assert render(film, model).rendered == 1
    assert changed(film, before) == ["0003.mp4"]


def test_another_caption_of_the_film_is_another_film(film: Path, model: Path) -> None:
    board = Storyboard.load(film)
    board.model_copy(update={"caption": "About something else."}).save(film)
    assert render(film, model).rendered == 3


def test_a_longer_shot_is_made_anew(film: Path, model: Path) -> None:
    edit(film, "0002", duration="1/2")
    assert render(film, model).rendered == 1
    assert probe(film / "film.mp4").frames == 6 + 12 + 6


def test_guidance_is_another_clip_and_negative_words_count_with_it_alone(film: Path, model: Path) -> None:
    before = clips(film)
    assert render(film, model, negative="blurry").rendered == 0
    assert render(film, model, guidance=3.0).rendered == 3
    assert changed(film, before)
    assert render(film, model, guidance=3.0).rendered == 0
    led = clips(film)
    assert render(film, model, guidance=3.0, negative="blurry").rendered == 3
    assert changed(film, led)


def test_read_one_after_the_other_no_words_are_wanted_once_the_model_is_there(
    film: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for kind in (ShotTextEncoder, InterleavedWan):
        name = "load" if kind is ShotTextEncoder else "from_pretrained"
        stock = getattr(kind, name)

        def watched(*given, read=stock, kind=kind, **options):
            order.append(kind.__name__)
            return read(*given, **options)

        monkeypatch.setattr(kind, name, watched)
    assert render(film, model, offload="sequential", guidance=3.0, negative="blurry").rendered == 3
    assert set(order) == {"ShotTextEncoder", "InterleavedWan"}
    assert order[-1] == "InterleavedWan"


def test_redo_makes_one_clip(film: Path, model: Path) -> None:
    made = render(film, model, redo=("3",))
    assert (made.rendered, made.skipped) == (1, 2)
    with pytest.raises(InputError, match="no shot '9'"):
        render(film, model, redo=("9",))


def test_a_clip_of_ones_own_stays(film: Path, model: Path) -> None:
    shutil.copy(film / "clips/0001.mp4", film / "clips/own.mp4")
    edit(film, "0003", clip="clips/own.mp4", clip_made_with=None, caption="Mine.")
    assert render(film, model).rendered == 0
    assert Storyboard.load(film).shot("0003").clip == "clips/own.mp4"


def test_a_film_elsewhere(film: Path, model: Path, tmp_path: Path) -> None:
    made = render(film, model, out=tmp_path / "out" / "other.mp4")
    assert (made.rendered, made.film) == (0, tmp_path / "out" / "other.mp4")
    assert probe(made.film).frames == 6 + 3 + 6
    for wrong in ("film", "film.gif"):
        with pytest.raises(InputError, match="mp4 file was wanted"):
            render(film, model, out=tmp_path / wrong)


def test_a_stop_lets_the_window_end_and_is_resumed(model: Path, tmp_path: Path, rendered: Path) -> None:
    folder = make_film(tmp_path / "film", ["1/4", "1/8", "1/4"])
    with pytest.raises(Interrupted, match="2 clips were made"):
        render(folder, model, Signals(step=1, times=1))
    assert sorted(clips(folder)) == ["0001.mp4", "0002.mp4"]
    assert not (folder / "film.mp4").exists()
    made = render(folder, model)
    assert (made.rendered, made.skipped) == (1, 2)
    assert clips(folder) == clips(rendered)


def test_a_killed_render_goes_on(model: Path, tmp_path: Path, rendered: Path) -> None:
    folder = make_film(tmp_path / "film", ["1/4", "1/8", "1/4"])
    with pytest.raises(KeyboardInterrupt):
        render(folder, model, Signals(step=3, times=2))
    assert [shot.clip is not None for shot in Storyboard.load(folder).shots] == [True, True, False]
    made = render(folder, model)
    assert (made.rendered, made.skipped) == (1, 2)
    assert clips(folder) == clips(rendered)


def test_a_keyframe_that_cannot_be_used_is_told_before_anything_is_made(model: Path, tmp_path: Path) -> None:
    folder = make_film(tmp_path / "film", ["1/4", "1/4"])
    keyframe = folder / "keyframes/0002.png"
    whole = keyframe.read_bytes()
    keyframe.write_bytes(whole[:-30])
    with pytest.raises(InputError, match=r"0002\.png.*cannot be read.*cinema plan with --redo 0002"):
        render(folder, model)
    Image.new("RGB", (64, 32)).save(keyframe)
    with pytest.raises(InputError, match="32 x 32 pixels was wanted, found 32 x 64"):
        render(folder, model)
    keyframe.unlink()
    with pytest.raises(InputError, match="Draw shot 0002 again"):
        render(folder, model)
    edit(folder, "0002", keyframe=None)
    with pytest.raises(InputError, match="Shot 0002: a keyframe was wanted, found none"):
        render(folder, model)
    assert not (folder / "clips").exists()


def test_a_film_that_cannot_be_is_told_before_anything_is_made(model: Path, tmp_path: Path) -> None:
    folder = make_film(tmp_path / "film", ["1/4"])
    board = Storyboard.load(folder)
    board.model_copy(update={"frame_rate": "25"}).save(folder)
    with pytest.raises(InputError, match="multiple of 8"):
        render(folder, model)
    board.model_copy(update={"shots": ()}).save(folder)
    with pytest.raises(InputError, match="shots were wanted, found none"):
        render(folder, model)
    board.save(folder)
    with pytest.raises(MissingError, match="Weights for video"):
        render(folder, tmp_path)
