import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.contact_sheet import name_hues, text_runs, write_contact_sheet
from cinema_cli.errors import InputError
from cinema_cli.files import sha256_file
from cinema_cli.storyboard import CastMember, Portrait, Remembered, Shot, Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie

PLAIN = (18, 18, 22)


class Page(HTMLParser):
    """Every tag with its attributes, and the text that is seen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, name: str) -> list[str]:
        return [
            str(attributes[name]) for found, attributes in self.tags if found == tag and name in attributes
        ]


@pytest.fixture
def board(tmp_path: Path) -> Storyboard:
    (tmp_path / "keyframes").mkdir()
    (tmp_path / "clips").mkdir()
    shots = []
    for number, drawn in enumerate(write_movie(seed=3, shots=3).shots, start=1):
        Image.fromarray(draw_frame(drawn.staged)).save(tmp_path / f"keyframes/{number:04d}.png")
        shots.append(
            Shot(
                id=f"{number:04d}",
                scene="the pier & the sea",
                caption=f"<Mira> waves to <O'Neil>, 1 < 2, shot {number}.",
                duration="3/2",
                keyframe=f"keyframes/{number:04d}.png",
                clip="clips/one.mp4",
                seed=40 + number,
            )
        )
    (tmp_path / "clips/one.mp4").write_bytes(b"a clip")
    memories = [
        Remembered(shot="0002", why="score", by="clip", score=0.31, short_side_tokens=8),
        Remembered(shot="0001", why="pin", by="t5", score=-0.05, short_side_tokens=4),
        Remembered(shot="gone", short_side_tokens=2),
    ]
    chosen = {"context": tuple(memories), "pin": ("0001",), "forbid": ("0002", "0004")}
    shots[2] = shots[2].model_copy(update=chosen)
    shots.append(Shot(id="0004", scene="<script>alert(1)</script>", duration="2"))
    cast = [CastMember(name="Mira", look="a tall puppet"), CastMember(name="O'Neil", look="with <b>hat</b>")]
    return Storyboard(title="Fish & <Ships>", caption="", frame_size=(128, 256), cast=cast, shots=shots)


def test_page_shows_every_shot_with_its_picture(board: Storyboard, tmp_path: Path) -> None:
    path = write_contact_sheet(board, tmp_path)
    page = Page(path.read_text(encoding="utf-8"))
    pictures = page.all("img", "src")
    assert len(pictures) == 3
    for number, uri in enumerate(pictures, start=1):
        head, _, data = uri.partition(",")
        assert head == "data:image/jpeg;base64"
        shown = Image.open(io.BytesIO(base64.b64decode(data))).resize((256, 128))
        wanted = np.asarray(Image.open(tmp_path / f"keyframes/{number:04d}.png").convert("RGB"), dtype=int)
        assert np.abs(np.asarray(shown, dtype=int) - wanted).mean() < 4
    assert page.text.count("not drawn yet") == 1
    for wanted_text in (
        "Fish & <Ships>",
        "the pier & the sea",
        "1 < 2",
        "seed 42",
        "1.5 s",
        "0:03",
        "4 shots",
    ):
        assert wanted_text in page.text


def test_page_asks_nothing_of_the_network_and_runs_no_script(board: Storyboard, tmp_path: Path) -> None:
    html = write_contact_sheet(board, tmp_path).read_text(encoding="utf-8")
    page = Page(html)
    assert {"script", "link", "iframe"}.isdisjoint(tag for tag, _ in page.tags)
    own = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", html)
    assert not re.search(r"https?:|//|@import|url\([^)]", own)
    assert any("default-src 'none'" in policy for policy in page.all("meta", "content"))
    assert "<script>alert(1)</script>" in page.text
    assert "with <b>hat</b>" in page.text


def test_names_keep_one_colour_each(board: Storyboard, tmp_path: Path) -> None:
    page = Page(write_contact_sheet(board, tmp_path).read_text(encoding="utf-8"))
    coloured = page.all("b", "style")
    assert len(coloured) == 6
    assert coloured[0::2] == coloured[:1] * 3
    assert coloured[1::2] == coloured[1:2] * 3
    assert coloured[0] != coloured[1]
    assert len(set(name_hues(board).values())) == 2


def test_memories_shrink_and_lead_to_their_shots(board: Storyboard, tmp_path: Path) -> None:
    page = Page(write_contact_sheet(board, tmp_path).read_text(encoding="utf-8"))
    heights = [int(str(style).removeprefix("height:").removesuffix("px")) for style in page.all("i", "style")]
    assert heights == [46, 23, 12]
    inner = [target for target in page.all("a", "href") if target.startswith("#")]
    assert inner == ["#shot-0001", "#shot-0002", "#shot-0004", "#shot-0002", "#shot-0001"]
    cards = [attributes["id"] for tag, attributes in page.tags if tag == "li" and "id" in attributes]
    assert {f"#{id}" for id in cards} >= set(inner)


def test_a_shot_tells_what_it_saw_and_why(board: Storyboard, tmp_path: Path) -> None:
    html = write_contact_sheet(board, tmp_path).read_text(encoding="utf-8")
    page = Page(html)
    assert page.all("li", "title") == [
        "shot 0002 · CLIP 0.31 · 8 tokens",
        "shot 0001 · pinned · T5 −0.05 · 4 tokens",
        "shot gone · 2 tokens",
    ]
    listed = [
        attributes.get("class") for tag, attributes in page.tags if tag == "li" and "title" in attributes
    ]
    assert listed == [None, "pin", None]
    words = " ".join(page.text.split())
    assert "Saw 3 pictures when it was drawn 00020.31 0001pin −0.05 gone" in words
    assert "pinned 0001forbidden 0002, 0004clip" in words
    assert "its score (CLIP: how well its picture fits these words; T5: how alike the words are)" in words
    assert "A number struck out is a shot that it must not see." in words


def test_what_is_said_stands_below_the_caption(board: Storyboard, tmp_path: Path) -> None:
    said = board.with_shot(
        "0002", lines=[{"speaker": "A Voice", "text": "Who & where?"}, {"speaker": "Mira", "text": "Here."}]
    )
    said = said.with_shot("0001", caption="<Mira> waits.").model_copy(update={"cast": ()})
    page = write_contact_sheet(said, tmp_path).read_text(encoding="utf-8")
    assert page.count('class="said"') == 2
    assert "A Voice “Who &amp; where?”" in page
    assert re.search(r'<b style="--hue:\d+">Mira</b> “Here\.”', page)


def test_a_page_without_memories_has_no_legend_of_them(board: Storyboard, tmp_path: Path) -> None:
    plain = [shot.model_copy(update={"context": (), "forbid": ()}) for shot in board.shots]
    board = board.model_copy(update={"shots": tuple(plain)})
    text = Page(write_contact_sheet(board, tmp_path).read_text(encoding="utf-8")).text
    assert "stands what a shot" not in text
    assert "struck out" not in text


@pytest.mark.parametrize(
    ("memory", "title", "below"),
    [
        ({"why": "recent"}, "shot 0001 · recent · 1 token", "0001recent"),
        ({"why": "introduced"}, "shot 0001 · introduced · 1 token", "0001introduced"),
        ({"score": 0.5}, "shot 0001 · score 0.50 · 1 token", "00010.50"),  # an older document
        ({"why": "score", "by": "recency", "score": 1}, "shot 0001 · recency 1.00 · 1 token", "00011.00"),
    ],
)
def test_every_reason_has_its_word(
    board: Storyboard, tmp_path: Path, memory: dict[str, object], title: str, below: str
) -> None:
    context = (Remembered.model_validate({"shot": "0001", "short_side_tokens": 1, **memory}),)
    page = Page(
        write_contact_sheet(board.with_shot("0003", context=context, pin=()), tmp_path).read_text(
            encoding="utf-8"
        )
    )
    assert page.all("li", "title") == [title]
    assert f"drawn {below} " in " ".join(page.text.split())


def test_film_and_clips_are_linked_only_when_they_exist(board: Storyboard, tmp_path: Path) -> None:
    without = Page(write_contact_sheet(board, tmp_path).read_text(encoding="utf-8"))
    assert "film.mp4" not in without.all("a", "href")
    assert without.all("a", "href").count("clips/one.mp4") == 3
    (tmp_path / "film.mp4").write_bytes(b"a film")
    (tmp_path / "clips/one.mp4").unlink()
    with_film = Page(write_contact_sheet(board, tmp_path).read_text(encoding="utf-8"))
    assert "film.mp4" in with_film.all("a", "href")
    assert "clips/one.mp4" not in with_film.all("a", "href")


def test_text_runs_split_only_at_known_names() -> None:
    hues = {"Ann": 10.0, "Ann Lee": 20.0}
    assert text_runs("<Ann Lee>, <Ann> and <Bo> < 3", hues) == [
        ("Ann Lee", 20.0),
        (", ", None),
        ("Ann", 10.0),
        (" and <Bo> < 3", None),
    ]


@pytest.mark.parametrize(
    ("content", "told"), [(b"GIF89a no picture", "wanted a png, jpg or webp"), (None, "is not there")]
)
def test_a_keyframe_that_is_no_picture_is_named(
    board: Storyboard, tmp_path: Path, content: bytes | None, told: str
) -> None:
    broken = tmp_path / "keyframes/0002.png"
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(InputError, match=f"0002.png.*{told}"):
        write_contact_sheet(board, tmp_path)
    assert not (tmp_path / "contact-sheet.html").exists()


def portrayed(board: Storyboard, folder: Path) -> Storyboard:
    """The film with a portrait of O'Neil, whom its third shot remembers twice, once as another picture."""
    (folder / "cast").mkdir()
    Image.new("RGB", (64, 32), (200, 30, 30)).save(folder / "cast" / "O_Neil.png")
    sha256 = sha256_file(folder / "cast" / "O_Neil.png")
    portrait = Portrait(
        picture="cast/O_Neil.png", caption="<O'Neil>.", film="Fish & <Co>", shot="0009", picture_sha256=sha256
    )
    cast = (board.cast[0], board.cast[1].model_copy(update={"portrait": portrait}))
    seen = {"portrait_of": "O'Neil", "film": "Fish & <Co>", "why": "pin", "short_side_tokens": 8}
    context = (
        Remembered(shot="0002", picture_sha256=sha256, **seen),
        Remembered(shot="0009", picture_sha256="0" * 64, **seen),
        Remembered(shot="0001", why="recent", short_side_tokens=4),
    )
    return board.model_copy(update={"cast": cast}).with_shot("0003", context=context, pin=())


def test_portraits_are_shown_in_the_cast_and_where_they_were_remembered(
    board: Storyboard, tmp_path: Path
) -> None:
    html = write_contact_sheet(portrayed(board, tmp_path), tmp_path).read_text(encoding="utf-8")
    page = Page(html)
    assert page.all("li", "title") == [
        "portrait of O'Neil · Fish & <Co>, shot 0002 · 8 tokens",
        "portrait of O'Neil · Fish & <Co>, shot 0009 · 8 tokens",
        "shot 0001 · recent · 4 tokens",
    ]
    words = " ".join(page.text.split())
    assert "portrait from Fish & <Co>, shot 0009" in words
    assert "Saw 3 pictures when it was drawn O'Neil, Fish & <Co>portrait O'Neil, Fish & <Co>portrait" in words
    assert page.all("img", "alt")[0] == "Portrait of O'Neil"
    assert page.all("i", "class") == ["p-1", "k-0001"]  # of the second, which is another since, nothing
    assert html.count(".memory .p-") == 1
    assert ".k-0002" not in html  # 0002 is a shot of the other film
    assert [each for each in page.all("a", "href") if each == "#shot-0002"] == ["#shot-0002"]  # forbidden


def test_a_portrait_that_is_gone_is_told(board: Storyboard, tmp_path: Path) -> None:
    board = portrayed(board, tmp_path)
    (tmp_path / "cast" / "O_Neil.png").unlink()
    with pytest.raises(InputError, match="the storyboard names this portrait of <O'Neil>, but it is not"):
        write_contact_sheet(board, tmp_path)
