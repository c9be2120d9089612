import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.evaluation import stress, weights_card
from cinema_cli.evaluation.figures import row
from cinema_cli.evaluation.stress import FIGURES, SETTINGS, StressCell, StressConfig, run_stress, stories_of
from cinema_cli.evaluation.stress_report import (
    CHANCE,
    identity,
    retained,
    stress_plots,
    stress_table,
    table_2_rows,
)
from cinema_cli.evaluation.stress_test import StressTestConfig, stress_test
from cinema_cli.evaluation.truth import true_shots
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Storyboard
from cinema_cli.theatre.screenplay import write_movie
from tiny_models import build_tiny_clip, build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = build_tiny_models(tmp_path_factory.mktemp("model"))
    build_tiny_clip(folder / "clip")
    return str(folder)


def cell(setting: str, pairs: int, coat: list[float], hat: list[float]) -> StressCell:
    movies = [{"coat named": coat, "hat named": hat}]
    rows = tuple(row(figure, movies) for figure in FIGURES)
    return StressCell(setting, pairs, 1, rows, 60.0, ())


def test_the_settings_are_those_of_the_paper():
    assert SETTINGS["joint"].planned(48) == {"mode": "joint"}
    golden = SETTINGS["extend-goldenmem"].planned(48)
    assert golden == {
        "mode": "extend",
        "at_once": 1,
        "memory": {"schedule": "golden", "groups": 3, "frames": 12},  # Table 3: 3 x 12
    }
    assert SETTINGS["joint-goldenmem"].planned(32)["at_once"] == 8
    assert SETTINGS["extend"].planned(32)["memory"] == {"schedule": "full", "groups": 1, "frames": 32}


def test_long_stories_are_fewer_so_that_every_length_has_as_many_frames():
    config = StressConfig(frames=96)
    assert [stories_of(config, pairs) for pairs in (8, 16, 24, 32, 48)] == [12, 6, 4, 3, 2]
    assert stories_of(StressConfig(), 48) == 2
    assert stories_of(StressConfig(stories=20), 48) == 20  # as the paper


def test_identity_is_the_mean_of_coat_and_hat_and_what_is_left_of_it_is_told():
    cells = [cell("joint", 8, [1, 1, 1, 1], [1, 1, 0, 0]), cell("joint", 48, [1, 1, 0, 0], [1, 0, 0, 0])]
    assert [identity(one) for one in cells] == [75.0, 37.5]
    assert retained(cells) == {("joint", 8): 100.0, ("joint", 48): 50.0}
    assert "| joint | 48 | 1 | 50 % | 50.0 (" in stress_table(cells)
    rows = table_2_rows(cells, {})
    assert [(one.pairs, one.identity, one.character) for one in rows] == [(8, 0.75, None), (48, 0.375, None)]
    assert CHANCE == 12.5


def test_what_was_not_seen_is_not_plotted_and_not_invented():
    cells = [cell("joint", 8, [1, 0], [1, 0]), cell("extend", 8, [], [])]
    assert identity(cells[1]) is None
    assert ("extend", 8) not in retained(cells)
    plots = stress_plots(cells)
    assert all(plot.startswith("<svg") for plot in plots)
    assert "joint" in plots[0]
    assert "a guess" in plots[0]


def test_stories_are_drawn_in_every_setting_read_back_and_kept(model, tmp_path, monkeypatch):
    monkeypatch.setattr(weights_card, "READER_FRAMES", 2)
    config = StressTestConfig(weights=model, pairs=(2, 3), stories=1, steps=1, unseen=1)
    with Progress(quiet=True) as progress:
        made = stress_test(config, tmp_path, progress)
    assert [(one.setting, one.pairs) for one in made.cells] == [(s, n) for n in (2, 3) for s in SETTINGS]
    for one in made.cells:
        board = Storyboard.load(one.films[0])
        movie = write_movie(weights_card.FIRST, one.pairs)
        assert [shot.caption for shot in board.shots] == [shot.caption for shot in movie.shots]
        assert len(true_shots(board)) == one.pairs
        remembered = [len(shot.context) for shot in board.shots]
        assert any(remembered) == (one.setting in ("extend", "extend-goldenmem"))  # 3 pairs are one window
        assert one.rows[[figure.key for figure in FIGURES].index("set")].n == one.pairs
    full, small = (
        Storyboard.load(one.films[0]).shots[-1].context
        for one in made.cells
        if one.pairs == 3 and one.setting in ("extend", "extend-goldenmem")
    )
    assert len(full) == 2  # all earlier ones
    assert {each.short_side_tokens for each in full} == {16}
    assert max(each.short_side_tokens for each in small) < 16
    table = made.table.read_text()
    assert "| extend, GoldenMem | 3 | 1 |" in table
    assert "| Captain Cinema (w/ G.Mem) | 48 |" in table
    assert "unseen puppet beside 12 pictures at noise 751-1000: coat" in table
    page = made.page.read_text()
    assert "<svg" in page
    assert "<script" not in page
    data = json.loads(made.data.read_text())
    assert [one["setting"] for one in data["cells"]] == [one.setting for one in made.cells]
    assert made.sheet is not None
    assert made.sheet.is_file()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png") if path != made.sheet}
    with Progress(quiet=True) as progress:
        again = stress_test(config, tmp_path, progress)
    assert again.cells == made.cells
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_figures_of_other_drawing_are_other_items_of_the_journal(monkeypatch):
    config = StressConfig()

    def key(**changes):
        return stress._key(config.model_copy(update=changes), "a" * 64, "extend-goldenmem", 8, 0)

    assert key() == key(weights="elsewhere"), "the hash of the weights tells them apart, not their folder"
    preset = stress.load_preset("toy")
    shifted = {**preset, "plan": {**preset["plan"], "shift": 1.0}}
    keys = {key(), key(steps=3), key(guidance=2.0)}
    monkeypatch.setattr(stress, "load_preset", lambda name: shifted)
    assert len(keys | {key()}) == 4


def test_stories_are_drawn_as_the_preset_draws_but_looks_are_told_once():
    preset = stress.load_preset("toy")["plan"]
    planned = stress.planned_as(StressConfig(), stress.SETTINGS["joint"], 8)
    assert (planned.guidance, planned.guidance_above) == (preset["guidance"], preset["guidance_above"])
    assert planned.guidance != 1
    assert not planned.repeat_looks
    assert stress.planned_as(StressConfig(guidance=1), stress.SETTINGS["joint"], 8).guidance == 1


def test_stopped_in_the_middle_of_a_story_it_goes_on(model, tmp_path):
    code = f"""
from pathlib import Path
from cinema_cli.evaluation.stress import StressConfig, run_stress
from cinema_cli.progress import Progress
config = StressConfig(weights={model!r}, pairs=(4,), stories=1, steps=2, settings=("extend",))
with Progress() as progress:
    run_stress(config, Path({str(tmp_path / "stopped")!r}), progress)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    first = tmp_path / "stopped" / "films" / "extend-4" / "000" / "keyframes" / "0002.png"
    while not first.exists() and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=120)
    assert child.returncode != 0
    assert "keyframes were drawn. The same command draws the others." in told
    kept = first.stat().st_mtime_ns
    config = StressConfig(weights=model, pairs=(4,), stories=1, steps=2, settings=("extend",))
    with Progress(quiet=True) as progress:
        (cell,) = run_stress(config, tmp_path / "stopped", progress)
    assert first.stat().st_mtime_ns == kept
    assert cell.rows[[figure.key for figure in FIGURES].index("set")].n == 4


def test_an_unknown_setting_is_told(model, tmp_path):
    config = StressConfig(weights=model, settings=("dream",))
    with Progress(quiet=True) as progress, pytest.raises(InputError, match="some of joint, joint-goldenmem"):
        run_stress(config, tmp_path, progress)
    assert not Path(tmp_path / stress.DATA_NAME).exists()
