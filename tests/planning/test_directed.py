"""From a director's answers to shot lists."""

import pytest

from cinema_cli.planning.before import Before
from cinema_cli.planning.chapters import Chapter
from cinema_cli.planning.directed import Directed, Telling, doings, own_words, staged_by_theatre
from cinema_cli.planning.director_reply import ShotReply, read_reply
from cinema_cli.planning.told import PlaceLook, Told
from cinema_cli.storyboard import CastMember
from cinema_cli.theatre.world import Place
from directed_stories import MIRA, ONE, STAIRS, STORY, TOM, TWO, reply, shot

NOBODY = Telling.of(Before())


def told(*answers: str, before: Telling = NOBODY) -> Telling:
    for text in answers:
        chapter = Chapter("A text.", 48, exactly=False)
        before = before.after(read_reply(text, chapter, before.names, before.place_names))
    return before


@pytest.fixture
def directed() -> Directed:
    return Directed(STORY, told(ONE, TWO))


def test_cast_places_and_summary_go_from_chapter_to_chapter() -> None:
    so_far = told(ONE).so_far()
    assert so_far == {
        "summary": "Mira heard somebody.",
        "cast": [{"name": "Mira", "look": "a tall woman in a red coat and a blue hat"}],
        "places": [{"name": "the lighthouse", "look": "a narrow stone stair, white walls"}],
        "last_shots": [shot["caption"] for shot in (STAIRS, {"caption": CALL_CAPTION})],
    }
    assert [member.name for member in told(ONE, TWO).cast] == ["Mira", "Tom"]
    assert len(told(ONE, TWO).last) == 3


CALL_CAPTION = "Close-up. <Mira> listens at a dark door, her mouth open."


def test_a_look_that_is_told_again_stays_the_first_one_and_is_noted() -> None:
    other = reply([], cast=[TOM, {"name": "Mira", "look": "a short man"}], logline="")
    before = told(ONE)
    again = before.after(read_reply_of(other, before))
    assert again.cast[0].look == "a tall woman in a red coat and a blue hat"
    assert again.notes == ("the director describes Mira anew in a later chapter; the first look stays",)
    same = before.after(read_reply_of(reply([], cast=[MIRA], logline=""), before))
    assert same.notes == ()


def read_reply_of(text: str, before: Telling):  # type: ignore[no-untyped-def]
    return read_reply(text, Chapter("A text.", 0, exactly=True), before.names, before.place_names)


def test_the_director_s_own_words(directed: Directed) -> None:
    film = own_words(directed, Before())
    assert (film.title, film.caption) == ("The Two Lamps", "<Mira> and <Tom> meet.")
    assert [(entry.name, entry.look) for entry in film.cast] == [
        ("Mira", "a tall woman in a red coat and a blue hat"),
        ("Tom", TOM["look"]),
    ]
    assert [shot.scene for shot in film.shots] == ["the lighthouse, night"] * 2 + ["the beach, morning"] * 2
    assert film.shots[0].caption == (
        "Wide shot from below. On a narrow stone stair at night <Mira>, a tall woman in a red coat and a "
        "blue hat, climbs, a lamp in her hand. Calm."
    )
    assert film.shots[1].caption == CALL_CAPTION
    assert f"<Tom>, {TOM['look']}, in a rowing boat" in film.shots[2].caption
    assert [(line.speaker, line.text) for line in film.shots[1].lines] == [("Mira", "Who is there?")]
    assert [shot.described for shot in film.shots] == [("Mira",), (), ("Tom",), ()]
    assert film.told is not None
    assert [place.name for place in film.told.places] == ["the lighthouse", "the beach"]


def test_the_theatre_stages_the_same_shots(directed: Directed) -> None:
    film = staged_by_theatre(directed, 0, Before())
    assert [shot.caption for shot in film.shots] == [
        "Wide shot. In the harbour at night, <Mira>, a tall tan-skinned puppet in a red coat and a blue "
        "round hat, walks on the left.",
        "Close-up. In the harbour at night, <Mira> waves in the middle.",
        "Wide shot. On the beach by day, <Mira> waves on the left and <Tom>, a short tan-skinned puppet in a "
        "green coat and a yellow pointed hat, stands on the right.",
        "Medium shot. On the beach by day, <Mira> walks on the left and <Tom> walks on the right, heading "
        "right.",
    ]
    assert [shot.sentence for shot in film.shots][1] == CALL_CAPTION
    assert [len(shot.lines) for shot in film.shots] == [0, 1, 0, 0]
    assert [entry.name for entry in film.cast] == ["Mira", "Tom"]
    assert all(entry.puppet is not None for entry in film.cast)


def test_who_is_in_the_film_keeps_look_and_place() -> None:
    before = Before(
        cast=(CastMember(name="Mira", look="a short pale-skinned puppet in a pink coat and a red tall hat"),),
        seen=("Mira",),
        captions=("One.", "Two.", "Three.", "Four."),
        places={Place("castle", 7): "the lighthouse", Place("beach", 7): "the strand, early"},
        told=Told(summary="Mira waited.", places=(PlaceLook(name="the strand", look="grey sand"),)),
    )
    start = Telling.of(before)
    assert start.so_far()["places"] == [
        {"name": "the strand", "look": "grey sand"},
        {"name": "the lighthouse", "look": "the lighthouse"},
    ]
    assert start.so_far()["last_shots"] == ["Two.", "Three.", "Four."]
    after = told(reply([shot(LIGHT, "<Mira> waves.")], logline=""), before=start)
    staged = staged_by_theatre(Directed("Mira waves.", after), 0, before)
    assert staged.cast == ()
    assert staged.shots[0].caption == "Wide shot. In the harbour at night, <Mira> waves on the left."
    own = own_words(Directed("Mira waves.", after), before)
    assert (own.cast, own.shots[0].caption) == ((), "<Mira> waves.")


LIGHT = {"name": "the lighthouse"}


def test_scenes_that_name_no_place_are_not_told_as_places() -> None:
    words = ["—", "the <b>", "x" * 81, *(f"the room {number}" for number in range(3000))]
    before = Before(places={Place("castle", index): word for index, word in enumerate(words)})
    names = [place["name"] for place in Telling.of(before).so_far()["places"]]
    assert names == [f"the room {number}" for number in range(2800, 3000)]


def test_a_film_without_a_title_gets_the_director_s() -> None:
    film = own_words(Directed("Mira climbs. Tom rows.", told(ONE)), Before())
    assert film.title == "Lamps"
    script = "Title: The Boat\n\nINT. LIGHTHOUSE - NIGHT\n\nMira climbs."
    assert own_words(Directed(script, told(ONE)), Before()).title == "The Boat"
    nameless = told(ONE.replace('"Lamps"', '" "'))
    assert own_words(Directed("Mira climbs. Tom rows.", nameless), Before()).title == "Mira climbs"


@pytest.mark.parametrize(
    ("action", "caption", "does"),
    [
        ("<Mira> waves to <Tom>.", "<Mira>, <Tom>", {"Mira": "wave", "Tom": "stands"}),
        ("<Mira> and <Tom> run.", "<Mira>, <Tom>", {"Mira": "run", "Tom": "run"}),
        ("<Mira>, <Tom> and <Ada> jump.", "", {"Mira": "jump", "Tom": "jump", "Ada": "jump"}),
        ("<Mira> looks at <Tom>, who jumps.", "", {"Mira": "look", "Tom": "jump"}),
        ("Rain falls.", "<Mira> under a roof.", {"Mira": "stands"}),
        ("<Tom> waves; <Mira> sees <Tom>.", "", {"Tom": "wave", "Mira": "see"}),
    ],
)
def test_who_does_what(action: str, caption: str, does: dict[str, str]) -> None:
    asked = shot(LIGHT, caption or action, action=action)
    found = doings(ShotReply.model_validate(asked))
    assert list(found) == list(does)
    for name, verb in does.items():
        assert found[name].startswith(verb), found
