"""One suite over every annotator: files beside a movie, a model behind HTTP, the double that ships."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from captioned_films import SHA256, make_film
from chat_server import ChatServer, running, verdict
from cinema_cli.captioning.annotators import (
    Annotator,
    ChatAnnotator,
    ChatAnnotatorConfig,
    ChatReader,
    Film,
    FrameError,
    SidecarAnnotator,
)
from cinema_cli.captioning.book import LEDGER, Book
from cinema_cli.captioning.cast import Cast
from cinema_cli.captioning.verdict import Annotation
from cinema_cli.chat.ledger import Ledger, Prices
from cinema_cli.chat.model import Answer, ChatError, ChatModel, Picture, Request, ScriptedChat
from cinema_cli.chat.openai import OpenAIChat, OpenAIConfig
from cinema_cli.chat.patience import Patience
from cinema_cli.dataset import Ingested
from cinema_cli.errors import InputError, MissingError
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.movies import plan_truth

CAST = Cast.model_validate({"characters": [{"name": "Mira"}]})
COLOURS = ["red", "green", "blue"]


@dataclass
class Desk:
    """A film of three shots and an annotator who says: a red frame, a green frame, a blue frame."""

    film: Film
    board: Storyboard
    annotator: Annotator

    @property
    def shots(self) -> tuple[Shot, ...]:
        return self.board.shots


def caption(colour: str) -> str:
    return f"A {colour} frame with <Mira> and <Nobody>."


def srt(folder: Path) -> None:
    text = "".join(
        f"{n}\n00:00:{2 * n - 2:02d},000 --> 00:00:{2 * n:02d},000\n{caption(colour)}\n\n"
        for n, colour in enumerate(COLOURS, start=1)
    )
    (folder / "movie.srt").write_text(text, encoding="utf-8")


def vtt(folder: Path) -> None:
    cues = [
        f"00:{2 * n:02d}.000 --> 00:{2 * n + 2:02d}.000\n{caption(colour).replace('<', '&lt;')}\n"
        for n, colour in enumerate(COLOURS)
    ]
    (folder / "movie.vtt").write_text("\n".join(["WEBVTT\n", *cues]), encoding="utf-8")


def jsonl(folder: Path) -> None:
    lines = [
        {"start": 2 * n, "end": 2 * n + 2, "caption": caption(colour), "characters": ["Mira", "Nobody"]}
        for n, colour in enumerate(COLOURS)
    ]
    (folder / "movie.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def truth(folder: Path) -> None:
    planned = plan_truth(3, 300)
    shots = [
        shot.model_copy(update={"start": str(2 * n), "end": str(2 * n + 2), "caption": caption(COLOURS[n])})
        for n, shot in enumerate(planned.shots[:3])
    ]
    whole = planned.model_copy(update={"shots": tuple(shots), "sha256": SHA256})
    (folder / "movie.truth.json").write_text(whole.model_dump_json(), encoding="utf-8")


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def http(server: ChatServer) -> Iterator[ChatModel]:
    server.play()
    with OpenAIChat(OpenAIConfig(base_url=server.base_url, model="m")) as chat:
        yield chat


def look(request: Request) -> Answer:
    """What the double says: the colour of a frame by the file it was made from."""
    frame = request.parts[-1]
    assert isinstance(frame, Picture)
    return Answer(verdict(caption(SEEN[frame.source_sha256]), characters=["Mira"]))


SEEN: dict[str, str] = {}

SIDECARS: dict[str, Callable[[Path], None]] = {"truth": truth, "jsonl": jsonl, "vtt": vtt, "srt": srt}


def open_film(folder: Path, cast: Cast | None = CAST) -> tuple[Film, Storyboard]:
    board = make_film(folder / "film", COLOURS, folder / "movie.mp4")
    film = Film(folder / "film", Ingested.load(folder / "film"), cast, folder, (), Book(folder / "film"))
    return film, board


def chatting(film: Film, model: ChatModel) -> ChatAnnotator:
    return ChatAnnotator(
        model, ChatAnnotatorConfig(), Ledger([film.folder / LEDGER], Prices(), None, 2240), Patience(tries=1)
    )


@pytest.fixture(params=[*SIDECARS, "openai", "double"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    film, board = open_film(tmp_path)
    if request.param in SIDECARS:
        SIDECARS[request.param](tmp_path)
        return Desk(film, board, SidecarAnnotator())
    if request.param == "openai":
        return Desk(film, board, chatting(film, request.getfixturevalue("http")))
    import hashlib

    for shot, colour in zip(board.shots, COLOURS, strict=True):
        SEEN[hashlib.sha256((film.folder / str(shot.keyframe)).read_bytes()).hexdigest()] = colour
    return Desk(film, board, chatting(film, ScriptedChat(look)))


# -- the suite: what holds for every annotator -------------------------------------------------


def test_every_shot_gets_its_own_words(desk: Desk) -> None:
    reader = desk.annotator.open(desk.film)
    found = [reader.annotate(shot) for shot in reversed(desk.shots)]  # in any order
    assert [one.caption for one in found if one] == [
        f"A {colour} frame with <Mira> and Nobody." for colour in reversed(COLOURS)
    ]


def test_only_names_on_the_list_are_tagged_and_the_others_are_told(desk: Desk) -> None:
    found = desk.annotator.open(desk.film).annotate(desk.shots[0])
    assert isinstance(found, Annotation)
    assert (found.unknown, found.unconfirmed, found.rejected) == (("Nobody",), (), None)


def test_the_same_shot_has_the_same_inputs_and_words(desk: Desk) -> None:
    first, again = (desk.annotator.open(desk.film) for _ in range(2))
    shot = desk.shots[1]
    assert first.inputs(shot) == again.inputs(shot)
    assert first.annotate(shot) == again.annotate(shot)
    assert len({first.inputs(shot) for shot in desk.shots}) == 3


def test_another_cast_is_another_input(desk: Desk) -> None:
    other = Film(desk.film.folder, desk.film.ingested, Cast(), desk.film.folder, (), desk.film.book)
    readers = [desk.annotator.open(film) for film in (desk.film, other)]
    assert readers[0].inputs(desk.shots[0]) != readers[1].inputs(desk.shots[0])
    assert readers[1].cast.names == ()


def test_words_fit_the_storyboard(desk: Desk) -> None:
    reader = desk.annotator.open(desk.film)
    board = desk.board.model_copy(update={"cast": reader.cast.members()})
    for shot in desk.shots:
        found = reader.annotate(shot)
        assert found is not None
        board = board.with_shot(shot.id, caption=found.caption, rejected=found.rejected)
    assert all(shot.kept for shot in board.shots)


# -- what only files do ------------------------------------------------------------------------


def test_the_truth_knows_the_whole_film(tmp_path: Path) -> None:
    truth(tmp_path)
    film, _ = open_film(tmp_path, cast=None)
    reader = SidecarAnnotator().open(film)
    planned = plan_truth(3, 300)
    assert (reader.about.title, reader.about.caption) == (planned.title, planned.caption)
    assert reader.cast.names == tuple(puppet.name for puppet in planned.cast)


def test_the_truth_of_another_movie_is_refused(tmp_path: Path) -> None:
    truth(tmp_path)
    path = tmp_path / "movie.truth.json"
    path.write_text(path.read_text().replace(SHA256, "b" * 64))
    film, _ = open_film(tmp_path)
    with pytest.raises(InputError, match="belongs to another movie"):
        SidecarAnnotator().open(film)


def test_files_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    film, board = open_film(tmp_path)
    (tmp_path / "captions").mkdir()
    srt(tmp_path / "captions")
    vtt(tmp_path / "captions")
    with pytest.raises(MissingError):
        SidecarAnnotator().open(film)
    reader = SidecarAnnotator(tmp_path / "captions").open(film)
    assert reader.annotate(board.shots[0]) is not None
    assert reader.notes == ("movie.vtt was read, movie.srt beside it was not",)


def test_a_shot_that_the_file_does_not_know_has_no_words(tmp_path: Path) -> None:
    srt(tmp_path)
    film, board = open_film(tmp_path)
    assert board.shots[0].source is not None
    later = board.shots[0].source.model_copy(update={"start": "90", "mid": "91", "end": "92"})
    reader = SidecarAnnotator().open(film)
    assert reader.annotate(board.shots[0].model_copy(update={"source": later})) is None
    assert reader.annotate(board.shots[0].model_copy(update={"source": None})) is None


def test_a_film_that_was_made_has_no_file_beside_a_movie(tmp_path: Path) -> None:
    film, _ = open_film(tmp_path)
    made = Film(film.folder, None, None, film.folder, (), film.book)
    with pytest.raises(InputError, match=r"no ingest\.json"):
        SidecarAnnotator().open(made)


# -- what only models do -----------------------------------------------------------------------


def test_the_model_sees_the_cast_then_the_frame(tmp_path: Path) -> None:
    Image.new("RGB", (2000, 1000)).save(tmp_path / "mira.png")
    cast = Cast.model_validate({"characters": [{"name": "Mira", "pictures": ["mira.png"]}]})
    film, board = open_film(tmp_path, cast)
    chat = ScriptedChat([Answer(verdict())])
    chatting(film, chat).open(film).annotate(board.shots[0])
    parts = chat.requests[0].parts
    assert [part if isinstance(part, str) else part.longest for part in parts] == [
        "A reference picture of Mira:",
        512,
        "The frame:",
        1024,
    ]
    assert all(part.data[:2] == b"\xff\xd8" for part in parts if isinstance(part, Picture))


def reader_of(film: Film, *plays: Answer | Exception) -> tuple[ChatReader, ScriptedChat]:
    chat = ScriptedChat(plays)
    return chatting(film, chat).open(film), chat


def test_a_verdict_against_a_frame_is_its_outcome(tmp_path: Path) -> None:
    film, board = open_film(tmp_path)
    reader, _ = reader_of(film, Answer(verdict("Smear.", keep=False, reject_reason="blurred")))
    assert reader.annotate(board.shots[0]) == Annotation("Smear.", "blurred")


def test_a_refusal_is_its_outcome(tmp_path: Path) -> None:
    film, board = open_film(tmp_path)
    reader, chat = reader_of(film, Answer("", refusal="\x1bNo.\n"))
    for _ in range(2):
        assert reader.annotate(board.shots[0]) == Annotation("", "refused by the model: No.")
    assert len(chat.requests) == 1


@pytest.mark.parametrize("bad", [Answer("No."), Answer(verdict(), cut=True), Answer("")])
def test_no_verdict_is_asked_about_once_more(tmp_path: Path, bad: Answer) -> None:
    film, board = open_film(tmp_path)
    reader, chat = reader_of(film, bad, bad, Answer(verdict("A boat.")))
    with pytest.raises(FrameError, match="no verdict in 2 answers"):
        reader.annotate(board.shots[0])
    assert not reader.kept(board.shots[0])
    assert reader.annotate(board.shots[0]) == Annotation("A boat.")  # the next run asks again
    assert reader.kept(board.shots[0])
    assert len(chat.requests) == 3


def test_a_call_that_fails_is_about_its_frame(tmp_path: Path) -> None:
    film, board = open_film(tmp_path)
    reader, _ = reader_of(film, ChatError("bad picture.", again=False))
    with pytest.raises(FrameError, match="bad picture"):
        reader.annotate(board.shots[0])


def test_what_is_wrong_with_every_call_is_not(tmp_path: Path) -> None:
    film, board = open_film(tmp_path)
    reader, _ = reader_of(film, MissingError("no key."))
    with pytest.raises(MissingError):
        reader.annotate(board.shots[0])
