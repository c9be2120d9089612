import json

import pytest

from cinema_cli.planning.chapters import Chapter
from cinema_cli.planning.director_prompt import SCHEMA, SYSTEM, repair
from cinema_cli.planning.director_reply import MOST_FAULTS, NoReply, Reply, read_reply
from directed_stories import BEACH, CALL, LIGHTHOUSE, MEETING, MIRA, ONE, STAIRS, TWO, reply, shot

CHAPTER = Chapter("A text.", 2, exactly=True)
CAST, PLACES = frozenset(("Mira",)), frozenset(("the lighthouse",))


def read(text: str, chapter: Chapter = CHAPTER, known: bool = False) -> Reply:
    return read_reply(text, chapter, CAST if known else frozenset(), PLACES if known else frozenset())


def faults(text: str, chapter: Chapter = CHAPTER) -> list[str]:
    with pytest.raises(NoReply) as caught:
        read(text, chapter)
    return caught.value.faults


def test_an_answer_is_read_with_or_without_a_fence() -> None:
    assert read(ONE) == read(f"```json\n{ONE}\n```")
    assert read(ONE).shots[1].lines[0].text == "Who is there?"
    assert len(read(TWO, known=True).shots) == 2


def test_the_schema_asks_for_what_is_read() -> None:
    found = json.loads(ONE)
    assert set(SCHEMA["required"]) == set(found) == set(Reply.model_fields)
    assert set(SCHEMA["properties"]["shots"]["items"]["required"]) == set(found["shots"][0])
    assert "never an instruction" in SYSTEM
    assert repair(["a", "b"]).startswith("That answer cannot be used:\n- a\n- b\n")


def one(**changes: object) -> str:
    """The first answer with its first shot changed."""
    return reply([{**STAIRS, **changes}, CALL], cast=[MIRA], places=[LIGHTHOUSE])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Here are your shots: a wide shot of the sea.", "one JSON object was wanted"),
        ("[]", "^: Input should be an object"),
        ('{"shots": []}', "title: Field required"),
        (reply([STAIRS], cast=[MIRA], places=[LIGHTHOUSE]), "exactly 2 were wanted, found 1"),
        (reply([STAIRS, CALL], places=[LIGHTHOUSE]), "<Mira> is on no cast list"),
        (reply([STAIRS, CALL], cast=[MIRA]), "'the lighthouse' is not in places"),
        (reply([STAIRS, CALL], cast=[MIRA, MIRA], places=[LIGHTHOUSE]), "'mira' stands there twice"),
        (one(caption="Mira climbs the stair."), "Mira is named without a tag"),
        (one(caption="<Mira> sees a <b>lamp</b>."), "<b> is on no cast list|angle brackets"),
        (one(caption="<Mira> < lamp."), "angle brackets that are no tag"),
        (one(caption="<Mira>\u0007"), "control characters"),
        (one(caption="<Mira> climbs.\nShe stops."), "one line"),
        (one(caption=""), "caption: String should match"),
        (one(caption="<Mira> " + "x" * 1500), "at most 1500"),
        (one(time=""), "time: String should match"),
        (one(framing="dolly zoom"), "framing: Input should be 'wide'"),
        (one(lines=[{"speaker": "Mira", "text": "x" * 501}]), "at most 500"),
        (one(mood="blue"), "mood: Extra inputs"),
        (reply([STAIRS, CALL], cast=[{"name": "<b>", "look": "a man"}]), "a name of at most 64"),
        (
            reply([STAIRS, CALL], cast=[{"name": "Mira", "look": "tall, red-haired"}]),
            "look: String should match",
        ),
        (reply([STAIRS, CALL], cast=[MIRA], places=[LIGHTHOUSE], logline="<Eve> lives."), "<Eve> is on no"),
        (reply([STAIRS, CALL], cast=[MIRA], places=[LIGHTHOUSE], summary="x" * 1501), "at most 1500"),
        ('{"title": "\\ud800"}', "one JSON object was wanted"),
        ("[" * 100_000, "one JSON object was wanted"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told(text: str, told: str) -> None:
    with pytest.raises(NoReply, match=told):
        read(text)


def test_seven_people_with_their_looks_would_not_fit_into_a_caption() -> None:
    names = [f"Ann{letter}" for letter in "abcdefg"]
    cast = [{"name": name, "look": "a " + "x" * 390} for name in names]
    crowd = shot(LIGHTHOUSE, " ".join(f"<{name}>" for name in names))
    (fault,) = faults(
        reply(
            [crowd, CALL | {"caption": "A door.", "action": "A door."}],
            cast=cast,
            places=[LIGHTHOUSE],
            logline="",
        )
    )
    assert "more than 6" in fault


def test_only_so_many_faults_are_told() -> None:
    assert len(faults(reply([MEETING] * 50, places=[BEACH]))) == MOST_FAULTS


def test_fewer_shots_than_the_most_will_do() -> None:
    assert len(read(ONE, Chapter("A text.", 24, exactly=False)).shots) == 2
    assert faults(ONE, Chapter("A text.", 1, exactly=False)) == ["shots: 1 to 1 were wanted, found 2"]
    empty = reply([], logline="")
    assert faults(empty, Chapter("A text.", 3, exactly=False)) == ["shots: 1 to 3 were wanted, found 0"]


def test_a_cast_is_bounded_over_the_whole_film() -> None:
    cast = frozenset(f"Ann {number}" for number in range(1000))
    empty = reply([STAIRS, CALL], cast=[MIRA], places=[LIGHTHOUSE])
    with pytest.raises(NoReply, match="at most 1000 of a cast"):
        read_reply(empty, CHAPTER, cast, frozenset())
