"""A judge behind a real server: what it is shown, and what becomes of its answers."""

import base64
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chat_server import ChatServer, running
from cinema_cli.chat.ledger import Prices
from cinema_cli.chat.model import Answer as Said
from cinema_cli.chat.model import ScriptedChat
from cinema_cli.errors import InputError
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.judge import RECORD, JudgeConfig, evenly, judge_film, open_judge
from cinema_cli.evaluation.judge_prompt import ASPECTS, PROMPT_SHA256, SCHEMA, SYSTEM
from cinema_cli.evaluation.judgement import Judgements
from cinema_cli.files import read_json, sha256_file, sha256_json
from cinema_cli.progress import Progress
from judged_films import answer, files, judge_config, scores
from judging import judge, score
from kept_films import change_shots, plain_film

TOKENS = (900, 60)
"""Of a call, as the server counts."""


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def film(tmp_path: Path) -> Film:
    return Film.open(plain_film(tmp_path / "film", 4))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


def grey(part: dict[str, Any]) -> int:
    """The level of grey of a picture that was sent."""
    data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
    with Image.open(io.BytesIO(data)) as picture:
        return round(picture.convert("L").getpixel((2, 2)))  # type: ignore[arg-type]


# -- a judgement -------------------------------------------------------------------------------


def test_six_scores_of_a_film(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(4, diversity=1.5)))
    section = judge(server, film, folder)
    assert section.name == "judge"
    assert [each.key for each in section.scores] == list(ASPECTS)
    assert [each.value for each in section.scores] == [4, 4, 4, 4, 1.5, 4]
    assert {(each.unit, each.n, each.better) for each in section.scores} == {("0 to 5", 1, "higher")}
    assert score(section, "diversity").note == "Because of diversity."
    assert len(server.calls) == 1


def test_what_a_judge_is_shown(
    server: ChatServer, film: Film, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEMA_API_KEY", "a-secret-key")
    server.play(answer(scores(4)))
    judge(server, film, folder)
    (call,) = server.calls
    assert call["headers"]["Authorization"] == "Bearer a-secret-key"
    system, user = call["body"]["messages"]
    assert system["content"] == SYSTEM
    assert call["body"]["response_format"]["json_schema"]["schema"] == SCHEMA
    kinds = [part["type"] for part in user["content"]]
    assert kinds == ["text", *["image_url"] * 4]
    assert [grey(part) for part in user["content"][1:]] == pytest.approx([1, 2, 3, 4], abs=1)
    words = " ".join(part["text"] for part in user["content"] if part["type"] == "text")
    assert words == "The keyframes, in order:"  # no caption: film's are "Shot 1 of film."
    for path in folder.rglob("*"):
        assert b"a-secret-key" not in path.read_bytes()


def test_pictures_are_sent_no_larger_than_wanted(server: ChatServer, film: Film, folder: Path) -> None:
    for shot in film.shots:
        Image.new("RGB", (160, 80)).save(film.folder / str(shot.keyframe))
    server.play(answer(scores(4)))
    judge(server, film, folder, picture_side=64)
    for part in server.calls[0]["body"]["messages"][1]["content"][1:]:
        data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size == (64, 32)


def test_the_record_says_who_judged_what_when_and_at_which_price(
    server: ChatServer, film: Film, folder: Path
) -> None:
    server.play(answer(scores(4)))
    before = datetime.now(UTC).date().isoformat()
    section = judge(server, film, folder, prices=Prices(price_in=2, price_out=10))
    record = Judgements.model_validate(read_json(folder / RECORD, 1 << 20))
    assert (record.model, record.prompt_sha256) == ("m", PROMPT_SHA256)
    assert record.keyframes == ("0001", "0002", "0003", "0004")
    pictures = [sha256_file(film.folder / str(shot.keyframe)) for shot in film.shots]
    assert record.pictures_sha256 == sha256_json(pictures)
    (judgement,) = record.judgements
    assert judgement.date in (before, datetime.now(UTC).date().isoformat())
    assert (judgement.cost.tokens_in, judgement.cost.tokens_out) == TOKENS
    assert float(judgement.cost.money) == pytest.approx((900 * 2 + 60 * 10) / 1e6)
    assert judgement.verdict.aesthetics.justification == "Because of aesthetics."
    told = " ".join(section.notes)
    for word in ("Judged by m on", judgement.date, PROMPT_SHA256[:16], "4 keyframes", "0.0024 usd"):
        assert word in told


def test_several_judgements_ask_the_same_and_are_told_as_mean_and_spread(
    server: ChatServer, film: Film, folder: Path
) -> None:
    server.play(
        answer(scores(5, diversity=1)), answer(scores(5, diversity=2)), answer(scores(5, diversity=4.5))
    )
    section = judge(server, film, folder, repeats=3)
    found = score(section, "diversity")
    assert (found.value, found.n) == (pytest.approx(2.5), 3)
    # The squares of -1.5, -0.5 and 2 sum up to 6.5; half of it is 3.25.
    assert found.note.startswith("1 to 4.5, standard deviation 1.80; the first: ")
    assert score(section, "aesthetics").note.startswith("5 to 5, standard deviation 0.00")
    first, *others = [call["body"] for call in server.calls]
    assert others == [first] * 2
    assert "2,700 + 180 tokens" in " ".join(section.notes)


def test_the_same_command_again_asks_nothing(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(3)), answer(scores(4)))
    first = judge(server, film, folder, repeats=2)
    record = (folder / RECORD).read_bytes()
    server.play(default={"play": "status", "status": 500})
    assert judge(server, film, folder, repeats=2) == first
    assert (folder / RECORD).read_bytes() == record
    assert server.calls == []


def test_a_date_is_that_of_the_answer(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(3)))
    judge(server, film, folder)
    journal = folder / "judge-1.jsonl"
    journal.write_text(re.sub(r'"date": "[^"]*"', '"date": "2026-01-02"', journal.read_text()))
    assert "on 2026-01-02 (UTC)" in " ".join(judge(server, film, folder).notes)
    server.play(answer(scores(3)))
    assert "on 2026-01-02 to 20" in " ".join(judge(server, film, folder, repeats=2).notes)


def test_more_judgements_keep_those_that_are_there(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(answer(scores(3)))
    judge(server, film, folder)
    server.play(answer(scores(4)))
    section = judge(server, film, folder, repeats=2)
    assert score(section, "aesthetics").value == pytest.approx(3.5)
    assert len(server.calls) == 1


def test_another_picture_or_model_is_another_question(server: ChatServer, film: Film, folder: Path) -> None:
    server.play(default=answer(scores(3)))
    judge(server, film, folder)
    Image.new("RGB", (16, 8), (200, 0, 0)).save(film.folder / "keyframes/0003.png")
    judge(server, film, folder)
    config = judge_config(server)
    with ExitStack() as stack, Progress(quiet=True) as progress:
        other = config.model_copy(update={"chat": config.chat.model_copy(update={"model": "other"})})
        judge_film(film, open_judge(other, stack), other, folder, progress)
    assert [call["body"]["model"] for call in server.calls] == ["m", "m", "other"]


def test_a_judge_may_be_played_from_a_list(film: Film, folder: Path) -> None:
    config = JudgeConfig(chat={"model": "played"})
    model = ScriptedChat([Said(scores(2))], name="played")
    with Progress(quiet=True) as progress:
        section = judge_film(film, model, config, folder, progress)
    assert score(section, "aesthetics").value == 2
    assert "Judged by played" in section.notes[0]


# -- which keyframes ---------------------------------------------------------------------------


def test_a_long_film_is_shown_in_part_and_said_so(server: ChatServer, folder: Path, tmp_path: Path) -> None:
    film = Film.open(plain_film(tmp_path / "long", 49))
    server.play(default=answer(scores(3)))
    section = judge(server, film, folder)
    assert len(server.calls[0]["body"]["messages"][1]["content"]) == 1 + 48
    assert "48 of 49 keyframes were shown, evenly spread." in section.notes
    section = judge(server, film, folder, most_keyframes=5)
    parts = server.calls[1]["body"]["messages"][1]["content"][1:]
    assert [grey(part) for part in parts] == pytest.approx([1, 13, 25, 37, 49], abs=1)
    assert "5 of 49 keyframes were shown, evenly spread." in section.notes


def test_48_keyframes_are_shown_whole(server: ChatServer, folder: Path, tmp_path: Path) -> None:
    film = Film.open(plain_film(tmp_path / "long", 48))
    server.play(answer(scores(3)))
    assert not any("evenly" in note for note in judge(server, film, folder).notes)
    assert len(server.calls[0]["body"]["messages"][1]["content"]) == 1 + 48


@pytest.mark.parametrize(("count", "most"), [(3, 2), (49, 48), (100, 7), (1000, 999), (2, 2)])
def test_a_spread_has_both_ends_and_no_shot_twice(film: Film, count: int, most: int) -> None:
    shots = [film.shots[0].model_copy(update={"id": str(number)}) for number in range(count)]
    chosen = [int(shot.id) for shot in evenly(shots, most)]
    assert len(chosen) == min(count, most)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert chosen == sorted(set(chosen))


def test_discarded_shots_and_those_without_a_picture_are_not_shown(
    server: ChatServer, film: Film, folder: Path
) -> None:
    change_shots(film.folder, {2: {"rejected": "blurred"}, 3: {"keyframe": None}})
    server.play(answer(scores(3)))
    section = judge(server, Film.open(film.folder), folder)
    assert len(server.calls[0]["body"]["messages"][1]["content"]) == 1 + 2
    assert "Shots that were not shown, since an annotator discarded them: 1." in section.notes


def test_one_keyframe_is_no_sequence(server: ChatServer, folder: Path, tmp_path: Path) -> None:
    film = Film.open(plain_film(tmp_path / "short", 1))
    server.play()
    section = judge(server, film, folder)
    assert {each.value for each in section.scores} == {None}
    assert "two keyframes or more was wanted, found 1" in section.scores[0].note
    assert server.calls == []
    assert files(folder) == []


def test_a_missing_picture_is_told_before_anything_is_asked(
    server: ChatServer, film: Film, folder: Path
) -> None:
    (film.folder / "keyframes/0003.png").unlink()
    server.play()
    with pytest.raises(InputError, match=r"0003.png: a picture was wanted"):
        judge(server, film, folder)
    assert server.calls == []
