import pytest

from cinema_cli.theatre.reading import best_action, best_place, read_actions, read_time
from cinema_cli.theatre.wording import ACTION_WORDS, PLACE_WORDS, TIME_WORDS


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("She walked into the dark old woods.", "forest"),
        ("He ran from the castle to the harbour.", "harbour"),
        ("They waited on the quay.", "harbour"),
        ("They lived in a castle on a hill.", "castle"),
        ("The farm was silent.", "farm"),
        ("He sat under a tree and waited.", "forest"),
        ("She flew to the moon.", "space"),
        ("At the corner of the market he stopped.", "city"),
        ("We walked home.", "kitchen"),
        ("Mother waved from the kitchen door.", "kitchen"),
        ("They walked home through the quiet streets.", "city"),
        ("They climbed the mountain.", "snowfield"),
        ("She crept into the throne room.", "castle"),
        ("They lived on the space station.", "space"),
        ("They waited at the train station.", "city"),
        ("He jumped over the wall of the palace.", "castle"),
        ("They stood on the surface of the moon.", "space"),
        ("He waved at the castle.", "castle"),
        ("They spotted a cave.", "cave"),
        ("He waved at the castle from the forest.", "forest"),
    ],
)
def test_where_a_sentence_plays(sentence: str, name: str) -> None:
    place = best_place(sentence)
    assert place is not None
    assert place.set == name


@pytest.mark.parametrize(
    "sentence",
    [
        "She dreamed of the castle.",
        "He looked at the sea.",
        "He saw the sea.",
        "He did not come home.",
        "They waved to the village.",
        "A letter came from the city.",
        "The keeper's castle-like hat fell down.",
        "The moon rose.",
        "He put his mine in order.",
    ],
)
def test_a_place_that_is_only_spoken_of_is_no_place(sentence: str) -> None:
    place = best_place(sentence)
    assert place is None or place.certainty == 1


@pytest.mark.parametrize(
    ("sentence", "time"),
    [
        ("One night he woke.", "night"),
        ("Then it grew dark, and they went home.", "night"),
        ("The stars came out.", "night"),
        ("At dawn they left.", "sunset"),
        ("The sun went down behind the hills.", "sunset"),
        ("The sun shone.", "day"),
        ("The next morning she was gone.", "day"),
        ("Good evening, said the man.", None),
        ("They worked day and night.", None),
        ("The dark forest was near.", None),
        ("She smiled.", None),
    ],
)
def test_when_a_sentence_plays(sentence: str, time: str | None) -> None:
    reading = read_time(sentence)
    assert (reading.time if reading else None) == time


@pytest.mark.parametrize(
    ("sentence", "action"),
    [
        ("Mira strolled along the quay.", "walks"),
        ("Mira leapt for joy.", "jumps"),
        ("Mira said hello.", "waves"),
        ("Mira walked to the door and waved.", "walks"),
        ("Mira looked up and hopped.", "jumps"),
        ("Mira did not jump.", None),
        ("Mira has a dog called Bruno.", None),
        ("Mira, who can't swim, fell.", "jumps"),
        ("The waves were high.", None),
    ],
)
def test_what_a_sentence_does(sentence: str, action: str | None) -> None:
    reading = best_action(read_actions(sentence))
    assert (reading.action if reading else None) == action


@pytest.mark.parametrize("name", list(PLACE_WORDS))
def test_what_captions_call_a_place_leads_back_to_it(name: str) -> None:
    read = [best_place(f"Mira stands {before} {place}.") for before, place in PLACE_WORDS[name]]
    understood = [place for place in read if place is not None]
    assert {place.set for place in understood} == {name}
    assert len(understood) >= 3


@pytest.mark.parametrize("time", list(TIME_WORDS))
def test_what_captions_call_a_time_leads_back_to_it(time: str) -> None:
    read = [read_time(f"Mira waits {words}.") for words in TIME_WORDS[time]]
    understood = [reading for reading in read if reading is not None]
    assert {reading.time for reading in understood} == {time}
    assert len(understood) >= 5


@pytest.mark.parametrize("action", list(ACTION_WORDS))
def test_what_captions_call_an_action_leads_back_to_it(action: str) -> None:
    read = [best_action(read_actions(f"Mira {words}.")) for words in ACTION_WORDS[action]]
    assert {reading.action if reading else None for reading in read} == {action}
