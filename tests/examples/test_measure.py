import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cinema_cli.errors import InputError
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import Figure, MovieShot, Place, Puppet, StagedShot
from tiny_models import build_tiny_models

RECIPE = Path(__file__).parents[2] / "examples" / "toy-weights"


@pytest.fixture
def recipe(monkeypatch):
    """The scripts of the recipe, by name: they import each other as neighbours."""
    monkeypatch.syspath_prepend(RECIPE)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in [
        n for n, m in sys.modules.items() if Path(getattr(m, "__file__", None) or "").parent == RECIPE
    ]:
        del sys.modules[name]


def movie_shot(*puppets: tuple[str, str, str], described=(), layout=1, size="wide") -> MovieShot:
    positions = ("middle",) if len(puppets) == 1 else ("left", "right")
    figures = tuple(
        Figure(Puppet(name, coat, hat, "round", "tan", "tall"), position, "right", "stands")
        for (name, coat, hat), position in zip(puppets, positions, strict=False)
    )
    staged = StagedShot(Place("beach", layout), "day", size, figures)
    return MovieShot(staged, f"{[p[0] for p in puppets]}", tuple(described))


def test_wilson_is_the_textbook_interval(recipe):
    wilson = recipe("card").wilson
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(1.0, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)
    assert wilson(0.0, 20)[0] == 0.0


def test_looks_that_stand_and_fall_together_count_once(recipe):
    card = recipe("card")
    together = [[1.0] * 4, [0.0] * 4] * 20
    apart = [[1.0, 0.0, 1.0, 0.0]] * 40
    assert card.design_effect(together) == pytest.approx(4.0, rel=0.05)
    assert card.design_effect(apart) == 1.0
    figure = card.Figure("key", "text")
    wide, narrow = (card.row(figure, [{"key": m} for m in movies]) for movies in (together, apart))
    assert wide.measured == narrow.measured == 50.0
    assert wide.n == narrow.n == 160
    assert wide.high - wide.low > 1.8 * (narrow.high - narrow.low)


def test_movies_without_a_look_do_not_count(recipe):
    card = recipe("card")
    row = card.row(card.Figure("key", "coat", ">= 90 %"), [{"key": [1, 0]}, {}, {"key": []}, {"key": [1, 1]}])
    assert (row.measured, row.n, row.movies) == (75.0, 4, 2)
    assert row.markdown().startswith("| coat | >= 90 % | 75.0 % | 4 in 2 movies | ")


def test_what_was_not_measured_is_said(recipe):
    card = recipe("card")
    row = card.row(card.Figure("16", "16 pairs", "x"), [{"key": [1.0]}])
    assert row.measured is None
    assert row.markdown() == "| 16 pairs | x | not yet | 0 | |"


def test_decibels_have_a_mean_and_an_interval_over_movies(recipe):
    card = recipe("card")
    figure = card.Figure("psnr", "codec", unit="dB")
    row = card.row(figure, [{"psnr": [30.0, 32.0]}, {"psnr": [34.0, 36.0]}])
    assert row.measured == 33.0
    assert row.low < 33.0 < row.high
    alone = card.row(figure, [{"psnr": [30.0]}])
    assert (alone.measured, alone.low) == (30.0, None)
    assert "| 30.0 dB |" in alone.markdown()


def test_the_truth_is_seen_right_and_a_wrong_picture_wrong(recipe):
    looks = recipe("looks")
    two = movie_shot(("Ada", "red", "blue"), ("Bo", "green", "white"), described=("Ada",))
    swapped = movie_shot(("Bo", "green", "white"), ("Ada", "red", "blue"))
    right, wrong = looks.see(two, draw_frame(two.staged)), looks.see(two, draw_frame(swapped.staged))
    assert right.scenery == {"set": True, "time": True, "size": True}
    assert looks.look_at_puppets([right], "named", looks.is_named_only) == {
        "coat named": [1.0],
        "hat named": [1.0],
    }
    assert looks.look_at_puppets([wrong], "x", lambda shot, figure: True)["coat x"] == [0.0, 0.0]
    assert looks.look_at_two([right, wrong], "two") == {"two": [1.0, 0.0]}


def test_a_figure_that_is_not_found_counts_as_wrong(recipe):
    looks = recipe("looks")
    two = movie_shot(("Ada", "red", "blue"), ("Bo", "green", "white"))
    seen = looks.see(two, np.full((128, 256, 3), 128, np.uint8))
    assert len(seen.coats) == len(seen.hats) == len(seen.positions) == 2
    assert looks.look_at_two([seen], "two") == {"two": [0.0]}


def test_a_place_is_compared_with_its_first_frame(recipe):
    looks = recipe("looks")
    mira = ("Mira", "red", "blue")
    shots = [
        movie_shot(mira),
        movie_shot(mira, layout=2),
        movie_shot(mira, size="medium"),
        movie_shot(),
        movie_shot(mira, ("Bo", "green", "white")),
    ]
    frames = np.stack([draw_frame(shot.staged) for shot in shots])
    assert looks.look_at_places(shots, frames) == {"place 1-3": [1.0]}
    assert looks.look_at_places(shots, frames, " memory", first=4) == {}
    frames[3] = draw_frame(movie_shot(layout=7).staged)
    assert looks.look_at_places(shots, frames) == {"place 1-3": [0.0]}
    assert [looks.gap_class(n) for n in (0, 1, 3, 4, 7, 8)] == ["0", "1-3", "1-3", "4-7", "4-7", "8+"]


def test_shuffled_captions_tell_no_look_of_the_movie(recipe):
    keyframe_figures = recipe("keyframe_figures")
    shots, other = write_movie(5, 8).shots, write_movie(6, 8).shots
    captions = keyframe_figures.shuffled_captions(shots, other)
    for shot, caption in zip(shots, captions, strict=True):
        assert (caption in {o.caption for o in other if o.described}) == bool(shot.described)
        assert (caption == shot.caption) == (not shot.described)


@pytest.mark.parametrize("action", ["stands", "walks", "waves", "jumps"])
def test_the_verb_is_read_off_the_motion_alone(recipe, action):
    motion = recipe("motion")
    mira, bo = movie_shot(("Mira", "red", "blue"), ("Bo", "green", "white")).staged.figures
    staged = StagedShot(Place("beach", 1), "day", "medium", (replace(mira, action=action), bo))
    clip = motion.true_clip(staged, 9)
    assert motion.read_action(clip, staged, 0) == action
    assert motion.read_action(clip, staged, 1) == "stands"
    assert motion.read_action(np.repeat(clip[:1], 9, axis=0), staged, 0) == "stands"


def test_a_look_that_changes_once_does_not_hold(recipe):
    motion = recipe("motion")
    shot = movie_shot(("Mira", "red", "blue"))
    other = movie_shot(("Mira", "red", "green"))
    clip = motion.true_clip(shot.staged, 3)
    assert motion.look_through(shot, clip) == {"coat clip": [1.0], "hat clip": [1.0]}
    clip[2] = draw_frame(other.staged)
    assert motion.look_through(shot, clip) == {"coat clip": [1.0], "hat clip": [0.0]}
    assert motion.look_through(movie_shot(), clip) == {}


def test_psnr(recipe):
    looks = recipe("looks")
    black = np.zeros((2, 4, 4, 3), np.uint8)
    other = black.copy()
    other[1] = 51
    assert looks.psnr(other, black) == pytest.approx([99.0, 20 * np.log10(5)])


def measured(measure, options: list[str], out: Path, monkeypatch) -> dict[str, dict[str, object]]:
    """The rows that a run of the script wrote, by figure."""
    monkeypatch.setattr(sys, "argv", ["measure.py", "--out", str(out), "--steps", "1", *options])
    measure.main()
    return {row["figure"]: row for row in json.loads(out.read_text())["rows"]}


def test_untrained_models_are_measured_and_more_movies_only_add(recipe, tmp_path, monkeypatch, capsys):
    measure = recipe("measure")
    monkeypatch.setattr(measure, "READER_FRAMES", 2)
    monkeypatch.setattr(measure.keyframe_figures, "PAIRS", 4)
    monkeypatch.setattr(measure.video_figures, "SHOTS", 2)
    out, model = tmp_path / "card.json", ["--model", str(build_tiny_models(tmp_path / "model"))]
    rows = measured(measure, [*model, "--sequences", "1"], out, monkeypatch)
    assert rows["set as captioned"]["n"] == 4
    assert rows["clip: first frame against the keyframe, as decoded"]["n"] == 2
    assert rows["verb read on drawn clips (the reader itself)"]["measured"] == 100
    assert rows["image autoencoder, drawn frames"]["measured"] < 20
    assert rows["identity in context at 48 pairs"]["measured"] is None
    assert "| set as captioned | >= 95 % |" in capsys.readouterr().out
    journal = out.with_suffix(".jsonl")
    lines = journal.read_text()
    assert measured(measure, [*model, "--sequences", "1"], out, monkeypatch) == rows
    assert journal.read_text() == lines
    some = [*model, "--sequences", "2", "--part", "keyframes", "--trials", "ceiling"]
    assert measured(measure, some, out, monkeypatch)["image autoencoder, drawn frames"]["n"] == 8
    assert journal.read_text().startswith(lines)
    assert len(journal.read_text().splitlines()) == len(lines.splitlines()) + 1


def test_an_unknown_trial_is_told(recipe):
    measure = recipe("measure")
    part = measure.Part("keyframes", "", {"ceiling": dict, "memory": dict}, ())
    assert list(measure.chosen([part], ["memory"])[0].trials) == ["memory"]
    assert measure.chosen([part], None) == [part]
    with pytest.raises(InputError, match="some of ceiling, memory were wanted, found dream"):
        measure.chosen([part], ["memory", "dream"])


def test_weights_that_are_not_there_are_told_in_a_sentence(recipe, tmp_path, monkeypatch, capsys):
    measure = recipe("measure")
    monkeypatch.setattr(measure, "READER_FRAMES", 2)
    monkeypatch.setattr(
        sys, "argv", ["measure.py", "--model", str(tmp_path), "--out", str(tmp_path / "c.json")]
    )
    with pytest.raises(SystemExit) as stop:
        measure.main()
    assert stop.value.code == 4
    assert "Give a folder in diffusers' layout, or a name on the hub" in capsys.readouterr().err
