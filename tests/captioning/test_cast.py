from pathlib import Path

import pytest
from PIL import Image

from cinema_cli.captioning import cast as module
from cinema_cli.captioning.cast import Cast, cast_file
from cinema_cli.errors import InputError
from cinema_cli.storyboard import CastMember

TEXT = """
characters:
  - name: Mira
    aliases: [The Keeper]
    look: a red coat
    pictures: [mira/1.jpg]
  - name: Tom
"""


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "cast.yaml"
    path.write_text(text, encoding="utf-8")
    (folder / "mira").mkdir(exist_ok=True)
    Image.new("RGB", (8, 8)).save(folder / "mira" / "1.jpg")
    return path


def test_a_cast_file(tmp_path: Path) -> None:
    cast = Cast.load(write(tmp_path))
    assert cast.names == ("Mira", "Tom")
    assert cast.members() == (CastMember(name="Mira", look="a red coat"), CastMember(name="Tom"))
    assert list(cast.references(tmp_path)) == [("Mira", tmp_path / "mira" / "1.jpg")]
    assert [cast.resolve(word) for word in ("Mira", "mira", "the keeper", "Zed")] == ["Mira"] * 3 + [None]


def test_names_come_from_the_storyboard_too() -> None:
    members = (CastMember(name="Mira", look="a red coat"),)
    assert Cast.of(members).members() == members


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("characters: [{name: Mira}, {name: mira}]", "'mira' stands for Mira and for mira"),
        ("characters: [{name: Mira}, {name: Tom, aliases: [Mira]}]", "'mira' stands for Mira and for Tom"),
        ("characters: [{name: <Mira>}]", "name"),
        ("characters: [{name: Mira, age: 3}]", "age"),
        ("characters: [{name: Mira, pictures: [../1.jpg]}]", "inside the folder"),
        ("characters: [{name: Mira, pictures: [/etc/passwd]}]", "inside the folder"),
        ("characters: [{name: Mira, pictures: [none.jpg]}]", "none.jpg.*found nothing"),
        ("people: [{name: Mira}]", "people"),
        ("- Mira", "name: value"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Cast.load(write(tmp_path, text))


def test_a_picture_outside_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.jpg")
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(InputError, match="a link leads out"):
        Cast.load(write(tmp_path / "in", "characters: [{name: Mira, pictures: [link.jpg]}]"))


def test_too_large_a_picture_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PICTURE_BYTES", 100)
    with pytest.raises(InputError, match="at most 100 bytes"):
        Cast.load(write(tmp_path))


def test_too_many_pictures(tmp_path: Path) -> None:
    pictures = ", ".join(["mira/1.jpg"] * 8)
    text = "\n".join(f"  - {{name: N{n}, pictures: [{pictures}]}}" for n in range(5))
    with pytest.raises(InputError, match="at most 32 pictures"):
        Cast.load(write(tmp_path, f"characters:\n{text}"))


def test_a_folder_of_casts_has_one_for_each_film(tmp_path: Path) -> None:
    own = tmp_path / "night-train.yaml"
    own.write_text("characters: []")
    assert cast_file(tmp_path, Path("dataset/night-train")) == own
    assert cast_file(tmp_path, Path("dataset/other")) is None
    assert cast_file(own, Path("dataset/other")) == own
    assert cast_file(None, Path("dataset/other")) is None
