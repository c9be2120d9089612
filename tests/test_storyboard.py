import json
from pathlib import Path
from typing import Any

import pytest

from cinema_cli import storyboard
from cinema_cli.errors import InputError
from cinema_cli.storyboard import CastMember, Remembered, Shot, Storyboard

HASH = "0" * 64
PORTRAIT = {
    "picture": "cast/Mira.png",
    "caption": "<Mira> waves.",
    "film": "Night Train",
    "shot": "0007",
    "picture_sha256": HASH,
}


def document(**changes: Any) -> dict[str, Any]:
    """The document of formats.md, with changes."""
    made = {
        "model": "toy",
        "weights_sha256": HASH,
        "inputs_sha256": HASH,
        "preset": "toy",
        "version": "0.1.0",
    }
    return {
        "format": "cinema-storyboard",
        "version": 1,
        "title": "The Lamp Keeper",
        "caption": "the global caption",
        "frame_size": [400, 800],
        "frame_rate": "24000/1001",
        "cast": [{"name": "Mira", "look": "a tall puppet in a red coat"}],
        "shots": [
            {"id": "0001", "caption": "A lighthouse.", "duration": "1001/24"},
            {
                "id": "0002",
                "scene": "the lighthouse at night",
                "caption": "Wide shot. <Mira> climbs the stairs.",
                "duration": "4",
                "keyframe": "keyframes/0002.png",
                "clip": "clips/0002.mp4",
                "seed": 11,
                "source": {"movie": "Night Train: 1.mkv", "start": "0", "mid": "1001/24", "end": "84"},
                "flags": [{"reason": "near-duplicate", "value": 0.99, "limit": 0.98, "shot": "0001"}],
                "rejected": "a title card",
                "lines": [{"speaker": "A Voice", "text": "Who is there?"}],
                "pin": ["0001"],
                "forbid": [],
                "context": [{"shot": "0001", "score": 0.31, "short_side_tokens": 15}],
                "keyframe_made_with": made,
                "clip_made_with": made,
            },
        ],
    } | changes


def with_context(**memory: Any) -> dict[str, Any]:
    return with_shot_field("context", [{"shot": "0001", "short_side_tokens": 15, **memory}])


def with_portrait(**changes: Any) -> dict[str, Any]:
    return document(cast=[{"name": "Mira", "portrait": PORTRAIT | changes}, {"name": "Tom"}])


def write(folder: Path, data: Any) -> Path:
    (folder / "storyboard.json").write_text(json.dumps(data))
    return folder


def with_shot_field(name: str, value: Any) -> dict[str, Any]:
    data = document()
    data["shots"][1][name] = value
    return data


def test_a_full_document_survives_loading_and_saving(tmp_path: Path) -> None:
    loaded = Storyboard.load(write(tmp_path, document()))
    assert loaded.shots[1].context == (Remembered(shot="0001", score=0.31, short_side_tokens=15),)
    loaded.save(tmp_path)
    first = (tmp_path / "storyboard.json").read_text()
    assert Storyboard.load(tmp_path / "storyboard.json") == loaded
    loaded.save(tmp_path / "storyboard.json")
    assert (tmp_path / "storyboard.json").read_text() == first
    saved = json.loads(first)
    assert list(saved)[:5] == ["format", "version", "title", "caption", "frame_size"]
    assert saved["shots"][1] == document()["shots"][1]
    assert "null" not in first


def test_why_a_shot_was_remembered_is_kept_where_it_is_known(tmp_path: Path) -> None:
    known = Storyboard.load(write(tmp_path, with_context(why="score", by="clip", score=0.31)))
    assert known.shots[1].context == (
        Remembered(shot="0001", why="score", by="clip", score=0.31, short_side_tokens=15),
    )
    known.save(tmp_path)
    assert Storyboard.load(tmp_path) == known


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (with_context(why="taste"), "shots.1.context.0.why"),
        (with_context(by="eye"), "shots.1.context.0.by"),
        (with_portrait(picture="../Mira.png"), "cast.0.portrait.picture"),
        (with_portrait(caption="<Mira> and <Tom>."), "a caption of <Mira> alone was wanted, found <Tom>"),
        (document(colour="red"), "unknown field colour"),
        (with_shot_field("durration", "4"), "unknown field shots.1.durration"),
        (document(version=2), "version 2 is newer"),
        (document(version=True), "version 1 was wanted, found True"),
        (document(version="1"), "version 1 was wanted, found '1'"),
        (document(format="other"), '"format": "cinema-storyboard"'),
        ([], '"format": "cinema-storyboard"'),
        (document(frame_size=[0, 800]), "frame_size.0"),
        (document(frame_size=[400.0, 800]), "frame_size.0"),
        (document(frame_size=[8193, 8192]), "at most 67108864 pixels"),
        (document(frame_rate="241"), "at most 240 frames a second"),
        (document(frame_rate=24), "written as text"),
        (document(title="a\x1b[31mred"), "without control characters"),
        (document(caption="<Bob> waves"), "caption: <Bob> is not in the cast (Mira)"),
        (document(cast=[{"name": "Mira"}, {"name": "Mira"}]), "cast name 'Mira' is given twice"),
        (document(cast=[{"name": "<Mira>"}]), "a name of at most 64"),
        (document(shots=[document()["shots"][0]] * 2), "shot id '0001' is given twice"),
        (with_shot_field("caption", "<Bob> waves"), "shot 0002: <Bob> is not in the cast"),
        (with_shot_field("caption", "x" * 4001), "at most 4000 characters"),
        (with_shot_field("duration", 4), "written as text"),
        (with_shot_field("duration", "4.0"), "rational number"),
        (with_shot_field("duration", "NaN"), "rational number"),
        (with_shot_field("duration", "-4"), "rational number"),
        (with_shot_field("duration", "٤"), "rational number"),
        (with_shot_field("duration", "4\n"), "rational number"),
        (with_shot_field("duration", "1/0"), "divides by zero"),
        (with_shot_field("duration", "0"), "more than 0"),
        (with_shot_field("duration", "3601"), "at most 3600 seconds"),
        (with_shot_field("duration", "9" * 5000), "rational number"),
        (with_shot_field("id", "../2"), "shots.1.id"),
        (with_shot_field("seed", -1), "shots.1.seed"),
        (with_shot_field("seed", 1.0), "shots.1.seed"),
        (with_shot_field("pin", ["0009"]), "pin wants another shot of this film, found '0009'"),
        (with_shot_field("pin", ["0002"]), "pin wants another shot"),
        (with_shot_field("forbid", ["0009"]), "forbid wants another shot"),
        (with_shot_field("forbid", ["0001"]), "pinned and forbidden"),
        (with_shot_field("keyframe", "../0001.png"), "relative path"),
        (with_shot_field("clip", "/etc/passwd"), "relative path"),
        (
            with_shot_field("source", {"movie": "a.mkv", "start": "4", "mid": "3", "end": "5"}),
            "start <= mid < end",
        ),
        (
            with_shot_field("source", {"movie": "../a", "start": "0", "mid": "0", "end": "1"}),
            "without folders",
        ),
    ],
)
def test_a_document_that_cannot_be_used_is_told(tmp_path: Path, data: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        Storyboard.load(write(tmp_path, data))
    assert told in str(caught.value)
    assert str(tmp_path / "storyboard.json") in str(caught.value)


def test_numbers_that_json_does_not_have_are_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        with_shot_field("context", [{"shot": "0001", "score": float("nan"), "short_side_tokens": 1}]),
    )
    with pytest.raises(InputError, match="NaN is not a number"):
        Storyboard.load(tmp_path)


def test_a_storyboard_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"storyboard\.json: cannot be read \(No such file"):
        Storyboard.load(tmp_path)


def test_more_shots_than_the_bound_are_refused() -> None:
    shots = tuple(Shot(id=f"{number:05d}", duration="1") for number in range(storyboard.MAX_SHOTS + 1))
    with pytest.raises(ValueError, match="at most 10000 items"):
        Storyboard(frame_size=(128, 256), shots=shots)
    assert len(Storyboard(frame_size=(128, 256), shots=shots[1:]).shots) == storyboard.MAX_SHOTS


def test_tags_are_found_once_each_in_order_and_can_be_stripped() -> None:
    caption = "<Zoë> and <R2-D2> wave at <Zoë>; 3 <4, <3, a < b > c."
    assert storyboard.tags(caption) == ("Zoë", "R2-D2")
    assert storyboard.strip_tags(caption) == "Zoë and R2-D2 wave at Zoë; 3 <4, <3, a < b > c."


def test_a_changed_shot_leaves_the_first_storyboard_alone_and_is_checked() -> None:
    first = Storyboard.model_validate(document())
    second = first.with_shot("0001", caption="<Mira> sleeps.", seed=4)
    assert (first.shots[0].seed, second.shots[0].seed, second.shots[1]) == (None, 4, first.shots[1])
    for changes in ({"caption": "<Bob> sleeps."}, {"colour": "red"}, {"duration": 1.5}, {"keyframe": "/a"}):
        with pytest.raises(InputError, match="shot 0001"):
            first.with_shot("0001", **changes)
    with pytest.raises(InputError, match="The film has 0001 to 0002"):
        first.with_shot("0003", seed=1)


def test_shots_are_chosen_by_id_or_by_its_number() -> None:
    film = Storyboard(
        frame_size=(128, 256), shots=tuple(Shot(id=i, duration="1") for i in ("0001", "0010", "b"))
    )
    assert film.chosen(["b", "1"]) == ("0001", "b")
    assert film.chosen(["0010", "10"]) == ("0010",)
    for unknown in ("100", "0", "", "1-2"):
        with pytest.raises(InputError, match="There is no shot"):
            film.chosen([unknown])


def test_without_a_cast_any_tag_is_allowed() -> None:
    shots = (Shot(id="1", caption="<Bob> waves.", duration="1"),)
    assert Storyboard(frame_size=(128, 256), shots=shots).cast == ()
    with pytest.raises(ValueError, match="<Bob> is not in the cast"):
        Storyboard(frame_size=(128, 256), shots=shots, cast=(CastMember(name="Mira"),))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"speaker": "Mira", "text": ""}, "pattern"),
        ({"speaker": "Mira", "text": "x" * 501}, "at most 500"),
        ({"speaker": "Mira", "text": "two\nlines"}, "one line"),
        ({"speaker": "Mira", "text": "<i>thus</i>"}, "pattern"),
        ({"speaker": "<Mira>", "text": "thus"}, "a name"),
        ({"speaker": "Mira"}, "text is missing"),
    ],
)
def test_what_cannot_be_a_spoken_line_is_told(line: dict[str, str], told: str) -> None:
    board = Storyboard(frame_size=(8, 8), shots=(Shot(id="1", duration="2"),))
    with pytest.raises(InputError, match=told):
        board.with_shot("1", lines=[line])


def test_who_speaks_need_not_be_of_the_cast_and_lines_are_bounded(tmp_path: Path) -> None:
    board = Storyboard(frame_size=(8, 8), cast=(CastMember(name="Tom"),), shots=(Shot(id="1", duration="2"),))
    line = {"speaker": "A Voice", "text": "Who is there?"}
    board = board.with_shot("1", lines=[line] * 32)
    board.save(tmp_path)
    assert Storyboard.load(tmp_path) == board
    with pytest.raises(InputError, match="32"):
        board.with_shot("1", lines=[line] * 33)


def test_portraits_survive_loading_and_saving_and_are_those_of_whom_a_shot_tags(tmp_path: Path) -> None:
    data = with_portrait()
    data["shots"][1]["context"] = [
        {"shot": "0007", "portrait_of": "Mira", "film": "Night Train", "why": "pin", "short_side_tokens": 15}
    ]
    board = Storyboard.load(write(tmp_path, data))
    board.save(tmp_path)
    assert Storyboard.load(tmp_path) == board
    assert board.shots[1].context[0].portrait_of == "Mira"
    assert board.portrayed(board.shots[0]) == ()
    assert board.portrayed(board.shots[1]) == (board.cast[0],)
    tom = board.shots[1].model_copy(update={"caption": "<Tom> waves at <Mira> and <Tom>."})
    assert board.portrayed(tom) == (board.cast[0],)
