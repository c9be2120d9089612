from itertools import product

import pytest

from cinema_cli.planning.looks import SaidLook, Wardrobe, said_in
from cinema_cli.planning.people import People
from cinema_cli.planning.person import Person
from cinema_cli.planning.prose import cut
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.reading import WORD
from cinema_cli.theatre.world import BUILDS, COLOURS, HAT_SHAPES, PROPS, SKINS, Puppet


def wardrobe_of(text: str) -> Wardrobe:
    sentences = cut(text).sentences
    people = People(sentences)
    wardrobe = Wardrobe()
    for sentence in sentences:
        tokens = [token.lower() for token in WORD.findall(sentence.told)]
        wardrobe.read(tokens, people.who(sentence))
    return wardrobe


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("Mira wore a red coat and a blue pointed hat.", SaidLook("red", "blue", "pointed")),
        ("In a long crimson dress, Mira waved.", SaidLook("red")),
        ("Mira waved. Her hat was green.", SaidLook(hat="green")),
        (
            "Mira is a tall, dark-skinned girl with a top hat.",
            SaidLook(hat_shape="tall", skin="dark", build="tall"),
        ),
        ("A tall girl called Mira came.", SaidLook(build="tall")),
        ("Mira was tall.", SaidLook(build="tall")),
        ("Mira, a short girl in a green coat, waved.", SaidLook("green", build="short")),
        ("Mira was a tall sailor.", SaidLook(build="tall")),
        ("Mira, a tall postwoman in a red coat, waved.", SaidLook(coat="red", build="tall")),
        ("Mira carried her old lantern.", SaidLook(prop="lantern")),
        ("Mira walked on with a little dog.", SaidLook(prop="dog")),
        ("Mira lit the lamp.", None),
        ("Mira has a dog called Bruno.", None),
        ("Mira saw the blue sea and a red house.", None),
    ],
)
def test_what_a_story_says_of_a_look(text: str, look: SaidLook | None) -> None:
    said = {person.name: found for person, found in wardrobe_of(text).said.items()}
    assert said.get("Mira") == look


def test_each_gets_their_own() -> None:
    wardrobe = wardrobe_of("Mira in a red coat met Otto in a blue coat.")
    assert {person.name: look.coat for person, look in wardrobe.said.items()} == {
        "Mira": "red",
        "Otto": "blue",
    }


def test_a_colour_that_the_wardrobe_lacks_is_told() -> None:
    notes = wardrobe_of("Mira wore a black coat.").notes
    assert list(notes.values()) == [["Mira's black coat is purple"]]


def test_the_same_name_looks_the_same_in_every_film() -> None:
    first, second = Person("Mira"), Person("Mira")
    assert Wardrobe().dress([first])[first] == Wardrobe().dress([second])[second]


def test_coats_and_hats_are_distinct_while_there_are_colours() -> None:
    persons = [Person(f"Name{number}") for number in range(8)]
    puppets = Wardrobe().dress(persons).values()
    assert len({puppet.coat for puppet in puppets}) == len({puppet.hat for puppet in puppets}) == 8


def test_more_people_than_colours_can_be_dressed() -> None:
    persons = [Person(f"Name{number}") for number in range(30)]
    assert len(Wardrobe().dress(persons)) == 30


def test_every_look_in_the_plain_wording_is_read_as_it_is() -> None:
    for coat, shape, skin, build, prop in product(COLOURS, HAT_SHAPES, SKINS, BUILDS, (None, *PROPS)):
        hat = COLOURS[COLOURS.index(coat) - 3]
        look = describe_look(Puppet("Mira", coat, hat, shape, skin, build, prop))
        assert said_in(look) == SaidLook(coat, hat, shape, skin, build, prop)


def test_who_is_in_the_film_keeps_their_look() -> None:
    wardrobe, mira = Wardrobe(), Person("Mira")
    shown = SaidLook(coat="red", skin="tan")
    assert not wardrobe.keep(mira, shown)
    wardrobe.said[mira] = SaidLook(coat="red")
    assert not wardrobe.keep(mira, shown)
    for said in (SaidLook(coat="blue"), SaidLook(hat="red"), SaidLook(skin="tan", prop="dog")):
        wardrobe.said[mira] = said
        assert wardrobe.keep(mira, shown)
        assert wardrobe.said[mira] == shown
    assert wardrobe.dress([mira])[mira].coat == "red"
