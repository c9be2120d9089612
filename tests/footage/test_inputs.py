import os
from pathlib import Path

import pytest

from cinema_cli.footage.inputs import find_movies, slug


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(given: list[Path], out: Path = Path("dataset")) -> list[tuple[str, str]]:
    return [(movie.path.name, movie.name) for movie in find_movies(given, out)[0]]


def reasons(given: list[Path], out: Path = Path("dataset")) -> dict[str, str]:
    return {refused.path.name: refused.reason for refused in find_movies(given, out)[1]}


def test_folders_are_searched_by_ending_and_named_files_are_taken(tmp_path: Path) -> None:
    wanted = [tmp_path / "a.mkv", tmp_path / "b" / "c.MP4", tmp_path / "b" / "d.ts"]
    touch(*wanted, tmp_path / "notes.txt", tmp_path / ".hidden.mp4", tmp_path / ".git" / "x.mp4")
    assert names([tmp_path]) == [("a.mkv", "a"), ("c.MP4", "c"), ("d.ts", "d")]
    assert names([tmp_path / "notes.txt"]) == [("notes.txt", "notes")]
    assert find_movies([tmp_path], tmp_path)[0][0].bytes == 1


def test_the_dataset_itself_and_made_clips_are_no_movies(tmp_path: Path) -> None:
    film = tmp_path / "made"
    touch(tmp_path / "a.mp4", tmp_path / "ds" / "b.mp4", film / "storyboard.json", film / "clips" / "1.mp4")
    touch(film / "film.mp4")
    assert names([tmp_path], tmp_path / "ds") == [("a.mp4", "a"), ("film.mp4", "film")]


def test_movies_that_share_a_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    one, two, third = (tmp_path / part for part in ("x/disc1/Night.mp4", "y/disc1/night.mkv", "y/Day.mp4"))
    touch(one, two, third)
    assert [name for _, name in names([tmp_path])] == ["x-disc1-night", "day", "y-disc1-night"]
    touch(tmp_path / "z" / "a b.mp4", tmp_path / "z" / "a-b.mp4")
    assert [name for _, name in names([tmp_path / "z"])][-2:] == [
        f"{slug(str(tmp_path / 'z' / 'a-b')[1:])}",
        f"{slug(str(tmp_path / 'z' / 'a-b')[1:])}-2",
    ]


def test_a_movie_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").symlink_to("a.mp4")
    assert names([tmp_path / "a.mp4", tmp_path, tmp_path / "b.mp4"]) == [("a.mp4", "a")]


def test_links_are_followed_only_inside_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "movies", tmp_path / "secret"
    touch(inside / "a.mp4", outside / "s.mp4")
    (inside / "out.mp4").symlink_to(outside / "s.mp4")
    (inside / "folder").symlink_to(outside)
    (inside / "gone.mp4").symlink_to("nowhere.mp4")
    (inside / "ring.mp4").symlink_to("ring.mp4")
    assert names([inside]) == [("a.mp4", "a")]
    told = reasons([inside])
    assert "leads out" in told["out.mp4"]
    assert "not followed" in told["folder"]
    assert "leads nowhere" in told["gone.mp4"]
    assert "leads" in told["ring.mp4"]
    assert names([inside / "out.mp4"]) == [("out.mp4", "out")]  # who names it means it


def test_what_is_no_plain_file_is_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it would wait for ever
    touch(tmp_path / "a.mp4")
    (tmp_path / "empty.mp4").touch()
    assert names([tmp_path]) == [("a.mp4", "a")]
    told = reasons([tmp_path, tmp_path / "none.mp4", Path("http://127.0.0.1/x.mp4")])
    assert told == {
        "pipe.mp4": "wanted a plain file, found something else",
        "empty.mp4": "the file is empty",
        "none.mp4": "wanted a movie file or a folder on this machine, found nothing there",
        "x.mp4": "wanted a movie file or a folder on this machine, found nothing there",
    }


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    strange.write_bytes(b"x")
    ((refused,),) = (find_movies([tmp_path], Path("dataset"))[1],)
    assert "UTF-8" in refused.reason


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The Lamp Keeper (1924)", "the-lamp-keeper-1924"),
        ("-rf", "rf"),
        ("a:b%20c\nd", "a-b-20c-d"),
        ("Sjöfåglar", "sjöfåglar"),
        ("東京物語", "東京物語"),
        ("...", "movie"),
        ("x" * 300, "x" * 96),
    ],
)
def test_a_folder_name_is_plain(title: str, name: str) -> None:
    assert slug(title) == name
