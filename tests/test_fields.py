from fractions import Fraction
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.fields import inside, seconds

OUTSIDE = [
    "", ".", "..", "a/../b", "./a", "/a", "a//b", "a/", "a\\b", "C:/a", "c:a", "~", "~root/a", "a/~b",
    "file:///a", "https://host/a", "a\nb", "a\x00b", "a\x7f", "a\u2028b", "x" * 1025,
]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_that_could_leave_the_folder_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError):
        inside(tmp_path, path)


def test_links_may_not_leave_the_folder(tmp_path: Path) -> None:
    film, outside = tmp_path / "film", tmp_path / "outside"
    film.mkdir()
    outside.mkdir()
    (outside / "secret.png").write_text("x")
    (film / "keyframes").symlink_to(outside)
    (film / "one.png").symlink_to(outside / "secret.png")
    (film / "ring.png").symlink_to(film / "ring.png")
    (film / "real.png").write_text("x")
    (film / "alias.png").symlink_to("real.png")
    for path in ("keyframes/secret.png", "one.png", "keyframes/new.png"):
        with pytest.raises(InputError, match="leads out"):
            inside(film, path)
    assert inside(film, "alias.png").read_text() == "x"
    assert inside(film, "clips/0001.mp4") == film / "clips/0001.mp4"


def test_time_is_exact() -> None:
    assert seconds("1001/24") == Fraction(1001, 24)
    assert seconds("4") == 4
