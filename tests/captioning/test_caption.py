"""Whole runs over small films: what is asked, what is written, what is left alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from captioned_films import BLACK, BLUE, GREEN, MIRA, RED, SHA256, caption_config, edit, make_film, run, words
from chat_server import ChatServer, running, verdict
from cinema_cli.captioning.book import LEDGER
from cinema_cli.captioning.caption import CaptionConfig, caption_films
from cinema_cli.chat.model import Answer, ScriptedChat, Usage
from cinema_cli.chat.openai import OpenAIConfig
from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import locked
from cinema_cli.progress import Progress
from cinema_cli.storyboard import CastMember, Flag, Storyboard
from cinema_cli.theatre.movies import plan_truth


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def film(tmp_path: Path) -> Path:
    make_film(tmp_path / "film", ["red", "green", "black", "blue"], cast=MIRA)
    return tmp_path / "film"


# -- what a run does ---------------------------------------------------------------------------


def test_every_frame_gets_words_or_a_reason(server: ChatServer, film: Path) -> None:
    server.play()
    result = run(film.parent, caption_config(server, workers=3))
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert Storyboard.load(film).cast == MIRA
    tally = result.tally
    assert (tally.captioned, dict(tally.rejected), tally.shots) == (3, {"too-dark": 1}, 4)
    assert dict(tally.unknown_tags) == {"Nobody": 3}
    assert (result.spent.tokens_in, result.spent.tokens_out) == (4 * 900, 4 * 60)
    assert result.unfinished == ""
    assert [shot.kept for shot in Storyboard.load(film).shots] == [True, True, False, True]
    assert "A green frame" in (film / "contact-sheet.html").read_text(encoding="utf-8")


def test_a_second_run_costs_nothing(server: ChatServer, film: Path) -> None:
    server.play()
    run(film, caption_config(server))
    before = (film / "storyboard.json").read_bytes()
    server.play()
    result = run(film, caption_config(server))
    assert server.calls == []
    assert (result.tally.skipped, result.spent.tokens, result.spent_in_all.tokens) == (4, 0, 4 * 960)
    assert (film / "storyboard.json").read_bytes() == before


def test_words_that_went_lost_come_back_from_the_book(server: ChatServer, film: Path) -> None:
    server.play()
    run(film, caption_config(server))
    make_film(film, ["red", "green", "black", "blue"], cast=MIRA)  # as ingested, without words
    server.play()
    result = run(film, caption_config(server))
    assert server.calls == []
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert (result.tally.captioned, result.spent.tokens) == (3, 0)


def test_other_inputs_are_asked_about_anew(server: ChatServer, film: Path, tmp_path: Path) -> None:
    server.play()
    run(film, caption_config(server))
    server.play()
    (film / "keyframes" / "0002.png").write_bytes((film / "keyframes" / "0001.png").read_bytes())
    run(film, caption_config(server))
    assert server.calls == []  # the frame of shot 0001 was asked about before
    assert words(film)[1] == RED
    other = OpenAIConfig(base_url=server.base_url, model="other", timeout=10)
    run(film, caption_config(server, chat=other))
    assert len(server.calls) == 3  # four shots, three different frames


def test_a_persons_words_are_never_replaced(server: ChatServer, film: Path) -> None:
    server.play()
    run(film, caption_config(server))
    edit(film, "0001", caption="By hand.")
    edit(film, "0003", rejected="ugly")
    other = OpenAIConfig(base_url=server.base_url, model="other", timeout=10)
    server.play()
    result = run(film, caption_config(server, chat=other))
    assert words(film) == [("By hand.", None), GREEN, ("", "ugly"), BLUE]
    assert (result.tally.by_hand, len(server.calls)) == (2, 2)
    result = run(film, caption_config(server, chat=other, again=True))
    assert words(film) == [RED, GREEN, BLACK, BLUE]
    assert result.tally.skipped == 2


def test_what_a_person_writes_during_the_run_stays(server: ChatServer, film: Path) -> None:
    def write(request: object) -> Answer:
        edit(film, "0001", caption="Meanwhile.")
        return Answer(verdict("By the model."), usage=Usage(900, 60))

    with Progress(quiet=True) as progress:
        result = caption_films(film, caption_config(server), progress, ScriptedChat(write))
    assert [caption for caption, _ in words(film)] == ["Meanwhile."] + ["By the model."] * 3
    assert result.tally.notes == ["film, shot 0001: edited meanwhile, left as it is"]


def test_flagged_frames_are_not_paid_for(server: ChatServer, film: Path) -> None:
    edit(film, "0002", flags=(Flag(reason="blurred", value=1.0, limit=2.0),))
    server.play()
    result = run(film, caption_config(server))
    assert (result.tally.flagged, len(server.calls), words(film)[1]) == (1, 3, ("", None))
    run(film, caption_config(server, flagged=True))
    assert words(film)[1] == GREEN


def test_tags_by_hand_join_the_cast(server: ChatServer, film: Path, tmp_path: Path) -> None:
    edit_cast = tmp_path / "cast.yaml"
    edit_cast.write_text("characters:\n  - {name: Mira, look: a red coat, aliases: [Nobody]}\n")
    board = Storyboard.load(film)
    shots = (board.shots[0].model_copy(update={"caption": "<Zed> waits."}), *board.shots[1:])
    board.model_copy(update={"cast": (), "shots": shots}).save(film)
    server.play()
    result = run(film, caption_config(server, cast=edit_cast))
    assert Storyboard.load(film).cast == (
        CastMember(name="Mira", look="a red coat"),
        CastMember(name="Zed"),
    )
    assert words(film)[1][0] == "A green frame with <Mira> and <Mira>."
    assert dict(result.tally.aliases) == {"Nobody": 2}
    assert result.tally.notes == ["film: <Zed> is tagged in words that stay, and stays in the cast"]


# -- several films -----------------------------------------------------------------------------


def test_a_film_without_a_sidecar_fails_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_film(tmp_path / name, ["red", "green"], tmp_path / f"{name}.mp4")
    (tmp_path / "b.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nA boat.\n", encoding="utf-8")
    result = run(tmp_path, CaptionConfig())
    assert words(tmp_path / "b") == [("A boat.", None), ("", None)]
    assert (result.tally.captioned, result.tally.without_words) == (1, 1)
    assert "1 films could not be opened" in result.unfinished
    assert "a.truth.json, a.jsonl, a.vtt, a.srt" in result.tally.films_failed[0]
    (tmp_path / "b.srt").unlink()
    with pytest.raises(MissingError, match="--sidecars"):
        run(tmp_path, CaptionConfig())


def test_the_truth_names_the_film_unless_a_person_did(tmp_path: Path) -> None:
    movie = tmp_path / "movie.mp4"
    truth = plan_truth(3, 240).model_copy(update={"sha256": SHA256})
    (tmp_path / "movie.truth.json").write_text(truth.model_dump_json(), encoding="utf-8")
    for name, title, caption in (("a", "movie", ""), ("b", "My title", ""), ("c", "movie", "My words.")):
        make_film(tmp_path / "films" / name, ["red"], movie, title=title, caption=caption)
    run(tmp_path / "films", CaptionConfig())
    found = [Storyboard.load(tmp_path / "films" / name) for name in ("a", "b", "c")]
    assert [(board.title, board.caption) for board in found] == [
        (truth.title, truth.caption),
        ("My title", truth.caption),
        (truth.title, "My words."),
    ]
    assert [member.name for member in found[0].cast] == [puppet.name for puppet in truth.cast]
    first, *others = found[0].cast
    by_hand = first.model_copy(update={"look": "as I see her"})
    found[0].model_copy(update={"cast": (by_hand, *others)}).save(tmp_path / "films" / "a")
    run(tmp_path / "films", CaptionConfig(again=True))
    assert Storyboard.load(tmp_path / "films" / "a").cast == (by_hand, *others)
    assert Storyboard.load(tmp_path / "films" / "c").caption == truth.caption


def test_two_commands_do_not_work_on_one_film(server: ChatServer, film: Path) -> None:
    server.play()
    with locked(film), pytest.raises(InputError, match="another cinema"):
        run(film, caption_config(server))
    assert (server.calls, words(film)) == ([], [("", None)] * 4)


def test_who_leaves_the_list_leaves_the_captions_and_the_cast(
    server: ChatServer, film: Path, tmp_path: Path
) -> None:
    said = verdict("<Mira> sees <Tom>.", characters=["Mira", "Tom"])
    server.play(default={"play": "answer", "content": said})
    path = tmp_path / "cast.yaml"
    path.write_text("characters: [{name: Mira}, {name: Tom}]")
    run(film, caption_config(server, cast=path))
    assert words(film)[0][0] == "<Mira> sees <Tom>."
    path.write_text("characters: [{name: Mira}]")
    result = run(film, caption_config(server, cast=path))
    assert {caption for caption, _ in words(film)} == {"<Mira> sees Tom."}
    assert (Storyboard.load(film).cast, result.tally.notes) == (MIRA, [])


def test_each_film_has_its_own_cast(server: ChatServer, tmp_path: Path) -> None:
    casts = tmp_path / "casts"
    casts.mkdir()
    (casts / "a.yaml").write_text("characters: [{name: Mira}]")
    for name in ("a", "b"):
        make_film(tmp_path / "films" / name, ["red"])
    server.play()
    result = run(tmp_path / "films", caption_config(server, cast=casts))
    assert [words(tmp_path / "films" / name)[0][0] for name in ("a", "b")] == [
        "A red frame with <Mira> and Nobody.",
        "A red frame with Mira and Nobody.",
    ]
    assert result.tally.notes == [f"b: has no cast file of its own in {casts}"]
    assert (tmp_path / "films" / "a" / LEDGER).is_file()


def test_a_model_must_be_named() -> None:
    with pytest.raises(ValueError, match="--model"):
        CaptionConfig(annotator="openai")
