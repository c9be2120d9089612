"""The folders that ViStoryBench reads, read as ViStoryBench reads them."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.evaluation.export_vistorybench import export_vistorybench
from cinema_cli.evaluation.films import Film
from cinema_cli.storyboard import FILE_NAME, CastMember, Storyboard
from kept_films import change_shots, drawn_film, plain_film

FIELDS = (
    "Setting Description",
    "Plot Correspondence",
    "Characters Appearing",
    "Static Shot Description",
    "Shot Perspective Design",
)


def read_outputs(root: Path, method: str, mode: str) -> dict[str, list[Path]]:
    """Pictures by story, in natural order, of the newest run (ViStoryBench, load_outputs)."""
    runs = sorted((root / method / mode / "en").iterdir())
    assert re.fullmatch(r"\d{8}[_-]\d{6}", runs[-1].name)
    stories = sorted(runs[-1].iterdir(), key=lambda story: int(story.name))
    return {
        story.name: sorted(
            (story / "shots").iterdir(), key=lambda path: int(re.findall(r"\d+", path.stem)[0])
        )
        for story in stories
    }


def read_story(folder: Path) -> dict[str, Any]:
    """Shots and characters with their pictures (ViStoryBench, StoryDataset)."""
    data = json.loads((folder / "story.json").read_text(encoding="utf-8-sig"))
    for shot in data["Shots"]:
        assert all("en" in shot[field] for field in FIELDS)
    for name, facts in data["Characters"].items():
        pictures = folder / "image" / name
        facts["images"] = sorted(pictures.iterdir()) if pictures.is_dir() else []
    return dict(data)


@pytest.fixture
def film(tmp_path: Path) -> Film:
    folder = plain_film(tmp_path / "film", 4)
    spoken = [{"speaker": "Tom", "text": "Hello!"}]
    changes: dict[int, dict[str, object]] = {
        1: {"caption": "<Mira> and <Tom> run.", "scene": "the harbour, night"},
        2: {"caption": "Close-up.\n<Mira> waves.", "lines": spoken},
        3: {"caption": "An empty harbour."},
        4: {"caption": "<Mira> and <Ada> sit."},
    }
    change_shots(folder, changes)
    cast = tuple(CastMember(name=name, look=f"{name}'s coat") for name in ("Mira", "Tom", "Ada"))
    Storyboard(**{**dict(Storyboard.load(folder)), "cast": cast}).save(folder)
    os.utime(folder / FILE_NAME, (1_790_000_000, 1_790_000_000))
    return Film.open(folder)


def grey(path: Path) -> Any:
    with Image.open(path) as picture:
        return picture.convert("L").getpixel((0, 0))


def test_the_benchmark_finds_every_picture_in_order(film: Film, tmp_path: Path) -> None:
    other = Film.open(plain_film(tmp_path / "other", 12))
    os.utime(other.folder / FILE_NAME, (1_780_000_000, 1_780_000_000))
    out = tmp_path / "out"
    export_vistorybench([film, other], out, method="ours", mode="toy")
    found = read_outputs(out / "outputs", "ours", "toy")
    assert {story: [grey(path) for path in paths] for story, paths in found.items()} == {
        "01": [1, 2, 3, 4],
        "02": list(range(1, 13)),
    }
    assert found["02"][-1].name == "shot_12.png"
    assert (out / "outputs/ours/toy/en/20260921-141320").is_dir()  # of the newest storyboard, UTC


def test_the_story_is_told_in_the_benchmarks_words(film: Film, tmp_path: Path) -> None:
    export_vistorybench([film], tmp_path / "out", face="unrealistic_human")
    story = read_story(tmp_path / "out/dataset/ViStory/01")
    first, second, *_ = story["Shots"]
    assert first["index"] == 1
    assert first["Characters Appearing"]["en"] == ["Mira", "Tom"]
    assert first["Setting Description"]["en"] == "the harbour, night"
    assert second["Static Shot Description"]["en"] == "Close-up. Mira waves."
    assert second["Plot Correspondence"]["en"] == "Tom: Hello!"
    assert first["Plot Correspondence"]["en"] == second["Shot Perspective Design"]["en"] == "as described"
    mira = story["Characters"]["Mira"]
    assert (mira["num_of_appearances"], mira["prompt_en"], mira["tag"]) == (
        3,
        "Mira's coat",
        "unrealistic_human",
    )
    assert mira["name_en"] == "Mira"
    assert list(story["Characters"]) == ["Mira", "Tom", "Ada"]


def test_puppets_have_no_real_faces(film: Film, tmp_path: Path) -> None:
    puppets = Film.open(drawn_film(tmp_path / "puppets", 3))
    export_vistorybench([film, puppets], tmp_path / "out")
    faces = [
        {
            facts["tag"]
            for facts in read_story(tmp_path / "out/dataset/ViStory" / story)["Characters"].values()
        }
        for story in ("01", "02")
    ]
    assert faces == [{"realistic_human"}, {"unrealistic_human"}]


def test_references_are_the_first_pictures_of_one_alone(film: Film, tmp_path: Path) -> None:
    export_vistorybench([film], tmp_path / "out")
    story = read_story(tmp_path / "out/dataset/ViStory/01")
    assert [grey(path) for path in story["Characters"]["Mira"]["images"]] == [2]
    assert story["Characters"]["Tom"]["images"] == []
    told = (tmp_path / "out/README.md").read_text()
    assert "without the reference that ViStoryBench wants: Tom in 01, Ada in 01." in told
    assert "compare the film with itself" in told
    assert "01 is film." in told


def test_done_again_it_is_the_same(film: Film, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export_vistorybench([film], out) == out
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert len(before) == 5
    export_vistorybench([film], out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == before
    export_vistorybench([film], out, timestamp="20270101-000000")
    assert [path.name for path in (out / "outputs/cinema/base/en").iterdir()] == ["20270101-000000"]


def test_a_shot_without_a_keyframe_is_told(film: Film, tmp_path: Path) -> None:
    change_shots(film.folder, {3: {"keyframe": None}})
    with pytest.raises(InputError, match=r"a keyframe for every shot was wanted .* found none for shot 0003"):
        export_vistorybench([Film.open(film.folder)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options", [{"method": "a/b"}, {"method": ".."}, {"mode": ""}, {"timestamp": "today"}, {"mode": "x" * 65}]
)
def test_names_that_cannot_be_folders_are_told(film: Film, tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(InputError, match="was wanted"):
        export_vistorybench([film], tmp_path / "out", **options)  # type: ignore[arg-type]


def test_no_films_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 to 999 films were wanted"):
        export_vistorybench([], tmp_path / "out")


def rename(film: Film, *names: str) -> Film:
    captions: dict[int, dict[str, object]] = {
        n: {"caption": f"<{name}> waves."} for n, name in enumerate(names, 1)
    }
    Storyboard(**{**dict(Storyboard.load(film.folder)), "cast": ()}).save(film.folder)
    change_shots(film.folder, {**{n: {"caption": ""} for n in range(1, 5)}, **captions})
    return Film.open(film.folder)


@pytest.mark.parametrize("name", ["A/../../../x", "a:b", "a\\b"])
def test_a_name_never_leads_out_of_the_folder(film: Film, tmp_path: Path, name: str) -> None:
    export_vistorybench([rename(film, name)], tmp_path / "out")
    (character,) = read_story(tmp_path / "out/dataset/ViStory/01")["Characters"].values()
    assert len(character["images"]) == 1
    assert not {"/", "\\", ":"} & set(character["name_en"])


def test_two_that_would_become_one_are_told(film: Film, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="would take A/B and A-B for one"):
        export_vistorybench([rename(film, "A/B", "A-B")], tmp_path / "out")
