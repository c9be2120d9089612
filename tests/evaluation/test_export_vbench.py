"""The folder that VBench reads, read as VBench reads it."""

import json
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.evaluation.export_files import RECORD
from cinema_cli.evaluation.export_vbench import export_vbench, film_names
from cinema_cli.evaluation.films import Film
from cinema_cli.ffmpeg import probe
from clipped_films import clipped_film
from kept_films import change_shots, plain_film


def read_as_vbench(videos: Path, prompt_file: Path) -> dict[str, str]:
    """Prompt by video: every video of the folder must stand in the prompt file (VBench, custom_input)."""
    prompts = json.loads(prompt_file.read_text(encoding="utf-8"))
    assert isinstance(prompts, dict)
    by_path = {(videos / name).absolute(): prompt for name, prompt in prompts.items()}
    found = [path for path in videos.iterdir() if path.suffix.lower() in (".mp4", ".gif", ".jpg", ".png")]
    assert len(by_path) >= len(found)
    return {path.name: by_path[path.absolute()] for path in found}


@pytest.fixture
def film(tmp_path: Path) -> Film:
    folder = clipped_film(tmp_path / "The harbour_at night", [5, 9])
    change_shots(folder, {1: {"caption": "<Mira> waves\n to <Tom>."}})
    return Film.open(folder)


def test_vbench_finds_every_clip_with_its_prompt(film: Film, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_vbench([film], out)
    found = read_as_vbench(out / "clips", out / "clips.json")
    assert found == {
        "The-harbour-at-night_0001.mp4": "Mira waves to Tom.",
        "The-harbour-at-night_0002.mp4": film.shots[1].caption.replace("<", "").replace(">", ""),
    }
    assert [probe(path).frames for path in sorted((out / "clips").iterdir())] == [5, 9]
    told = (out / "README.md").read_text()
    assert "--mode=custom_input --prompt_file clips.json" in told
    assert '--dimension "subject_consistency background_consistency ' in told


def test_whole_films_lie_apart_for_vbench_long(film: Film, tmp_path: Path) -> None:
    (film.folder / "film.mp4").write_bytes((film.folder / "clips/0001.mp4").read_bytes())
    export_vbench([film], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/films").iterdir()] == ["The-harbour-at-night.mp4"]


def test_films_of_one_name_and_again(film: Film, tmp_path: Path) -> None:
    other = Film.open(clipped_film(tmp_path / "other" / "The harbour-at-night", [5], seed=1))
    out = tmp_path / "out"
    assert export_vbench([film, other], out) == out
    record = (out / RECORD).read_bytes()
    export_vbench([film, other], out)
    assert (out / RECORD).read_bytes() == record
    assert set(read_as_vbench(out / "clips", out / "clips.json")) == {
        "The-harbour-at-night_0001.mp4",
        "The-harbour-at-night_0002.mp4",
        "The-harbour-at-night-2_0001.mp4",
    }
    export_vbench([other], out)
    assert set(read_as_vbench(out / "clips", out / "clips.json")) == {"The-harbour-at-night_0001.mp4"}


def test_names_differ_and_can_be_names(film: Film, tmp_path: Path) -> None:
    names = ["a", "a", "a-2", "夜", "x" * 200, "..", "a b"]
    folders = [film.folder.parent / str(number) / name for number, name in enumerate(names)]
    found = film_names([Film(folder, film.board) for folder in folders])
    assert found[:4] == ["a", "a-2", "a-2-2", "film"]
    assert found[4] == "x" * 80
    assert found[6] == "a-b"
    assert len(set(found)) == len(found)


def test_shots_without_a_clip_are_left_out(film: Film, tmp_path: Path) -> None:
    change_shots(film.folder, {1: {"clip": None}})
    export_vbench([Film.open(film.folder)], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/clips").iterdir()] == ["The-harbour-at-night_0002.mp4"]


def test_nothing_to_export_is_told(tmp_path: Path) -> None:
    film = Film.open(plain_film(tmp_path / "film", 2))
    with pytest.raises(InputError, match="films with clips were wanted for VBench, found none"):
        export_vbench([film], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_clip_is_told_before_anything_is_written(film: Film, tmp_path: Path) -> None:
    (film.folder / "clips/0002.mp4").unlink()
    with pytest.raises(InputError, match=r"0002.mp4: a file that the storyboard names was wanted"):
        export_vbench([film], tmp_path / "out")
    assert not (tmp_path / "out").exists()
