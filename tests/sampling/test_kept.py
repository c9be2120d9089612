from pathlib import Path

from cinema_cli.dataset import RECORD
from cinema_cli.sampling.kept import all_lost, kept_film
from cinema_cli.storyboard import Storyboard
from kept_films import change_shots, flag, ingested, plain_film


def test_what_is_lost_is_counted_once_by_the_first_reason(tmp_path: Path) -> None:
    folder = plain_film(tmp_path / "film", 9)
    change_shots(
        folder,
        {
            1: {"keyframe": None},
            2: {"flags": (flag("blurred"), flag("near-black")), "rejected": "a title", "caption": ""},
            3: {"flags": (flag("near-black"),)},
            4: {"rejected": "a title card", "caption": ""},
            5: {"caption": ""},
        },
    )
    (folder / "keyframes/0006.png").unlink()
    film = kept_film(folder)
    assert [shot.id for shot in film.shots] == ["0007", "0008", "0009"]
    assert film.lost == {
        "no keyframe": 1,
        "blurred": 1,
        "near-black": 1,
        "rejected": 1,
        "no caption": 1,
        "keyframe file missing": 1,
    }
    kept = [shot.id for shot in Storyboard.load(folder).shots if shot.kept]
    assert kept == ["0006", "0007", "0008", "0009"]  # of files the storyboard knows nothing


def test_flags_can_be_allowed_by_name(tmp_path: Path) -> None:
    folder = plain_film(tmp_path / "film", 3)
    change_shots(
        folder, {1: {"flags": (flag("blurred"),)}, 2: {"flags": (flag("blurred"), flag("near-black"))}}
    )
    film = kept_film(folder, ["blurred"])
    assert [shot.id for shot in film.shots] == ["0001", "0003"]
    assert film.lost == {"near-black": 1}


def test_the_losses_of_all_films_add_up_most_frequent_first(tmp_path: Path) -> None:
    films = []
    for name in "ab":
        folder = plain_film(tmp_path / name, 4)
        change_shots(folder, {1: {"rejected": "x"}, 2: {"flags": (flag("blurred"),)}})
        films.append(kept_film(folder))
    change_shots(tmp_path / "b", {3: {"flags": (flag("blurred"),)}})
    films[1] = kept_film(tmp_path / "b")
    assert list(all_lost(films).items()) == [("blurred", 3), ("rejected", 2)]


def test_the_identity_is_the_movie_and_what_is_kept_of_it(tmp_path: Path) -> None:
    folder = plain_film(tmp_path / "film", 4)
    before = kept_film(folder).sha256
    change_shots(folder, {2: {"caption": "Other words."}})
    assert kept_film(folder).sha256 == before
    folder.rename(tmp_path / "renamed")
    assert kept_film(tmp_path / "renamed").sha256 == before
    change_shots(tmp_path / "renamed", {2: {"rejected": "a title"}})
    fewer = kept_film(tmp_path / "renamed").sha256
    assert fewer != before
    ingested("another movie").save(tmp_path / "renamed")
    assert kept_film(tmp_path / "renamed").sha256 not in (before, fewer)
    (tmp_path / "renamed" / RECORD).unlink()
    assert kept_film(tmp_path / "renamed").shots  # a film that was made has no record
