import pytest

from cinema_cli.planning.people import People
from cinema_cli.planning.prose import cut


def present(text: str) -> list[list[str]]:
    sentences = cut(text).sentences
    people = People(sentences)
    return [[presence.person.name for presence in people.who(sentence)] for sentence in sentences]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("José met Zoë in Paris on Monday.", ["José", "Zoë"]),
        ("O'Brien and Anna-Lena danced.", ["O'Brien", "Anna-Lena"]),
        ("小明 waved to अर्जुन and Мира.", ["小明", "अर्जुन", "Мира"]),
        ("Zorblax opened the door.", ["Zorblax"]),
        ("Captain Ahab stood on the deck.", ["Captain Ahab"]),
        ("Old Tom and Queen Ada waved to Mr. van Gogh.", ["Old Tom", "Queen Ada", "Mr van Gogh"]),
        ("Suddenly Mira laughed.", ["Mira"]),
        ("In May the English spoke of God in London.", []),
        ("Snow fell on the hills.", []),
        ("Waves crashed against the rocks.", []),
        ("Everyone was gone.", []),
        ("She walked along Main Street to Tromsø.", ["The Woman"]),
        ("The old woman met the baker.", ["The Old Woman", "The Baker"]),
        ("A fox ran past the cows.", ["The Fox"]),
        ("A girl called Mira had a brother, Tom.", ["Mira", "Tom"]),
        ("The king lived with his daughter, Princess Ilka.", ["The King", "Princess Ilka"]),
        ("Lena and her dog wandered on.", ["Lena"]),
        ("Mira thought of Otto.", ["Mira"]),
        ("There was a letter from Otto on the table.", []),
        ("Mira's lamp went out.", ["Mira"]),
        ("I waved to Captain Zoë.", ["The Narrator", "Captain Zoë"]),
        ("“Otto is not here, Ada,” said Mira.", ["Mira"]),
    ],
)
def test_who_is_in_a_sentence(text: str, who: list[str]) -> None:
    assert present(f"{text} It was late.")[0] == who


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Mira met Otto. She waved. He left.", ["Mira", "Otto"]),
        ("Mira met Otto. They danced.", ["Mira Otto"]),
        ("The king met the queen. He bowed to her.", ["The King The Queen"]),
        ("Otto, the baker, slept. The baker dreamed.", ["Otto"]),
        ("Otto was a tall baker. The baker slept.", ["Otto"]),
        ("A girl named Mira came. The girl waved.", ["Mira"]),
        ("Anna Karenina came. Anna wept.", ["Anna Karenina"]),
        ("Mr. Brown and Mrs. Brown came. Mrs. Brown waved.", ["Mrs Brown"]),
        ("An old man and a young man met. The old man waved.", ["The Old Man"]),
        ("Inspector Ferrer came in. The inspector sat down.", ["Inspector Ferrer"]),
        ("My name is Ishmael. I went to sea.", ["Ishmael"]),
        ("I met Otto. We talked.", ["The Narrator Otto"]),
    ],
)
def test_who_is_meant_in_the_sentences_after(text: str, who: list[str]) -> None:
    assert [" ".join(names) for names in present(text)[1:]] == who


def test_a_town_is_no_person_even_where_it_acts() -> None:
    sentences = cut("Mira lived in Brindlewick. Nobody knew why. Mira left.").sentences
    people = People(sentences)
    assert people.places == {"Brindlewick"}
