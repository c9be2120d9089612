import pytest

from cinema_cli.planning.before import Before
from cinema_cli.planning.people import People
from cinema_cli.planning.person import Called, called_by_name, words_of
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
        ("Tim, a short man in a green coat, waved.", ["Tim"]),
        ("Zorblax, a tall robber with a round hat, waved.", ["Zorblax"]),
        ("The mayor, a tall woman in a blue coat, waved.", ["The Mayor"]),
        ("Merlin the wizard lived in a tower.", ["Merlin"]),
        ("The king met the queen, a dragon and an elf.", ["The King", "The Queen", "The Dragon", "The Elf"]),
        ("Lily and Max found a map.", ["Lily", "Max"]),
        ("Fred painted the fence.", ["Fred"]),
        ("Zorblax painted the fence.", ["Zorblax"]),
        ("Bells chimed.", []),
        ("Will walked on and Rose laughed.", ["Will", "Rose"]),
        ("Hope and Joy sat down.", ["Hope", "Joy"]),
        ("Will he come? The sun rose.", ["The Man"]),
        ("The bartender laughed.", ["The Bartender"]),
        ("The printer began to smoke.", []),
        ("Elsa and her father laughed.", ["Elsa", "Father"]),
        ("Hana looked up and the stranger was gone.", ["Hana"]),
        ("The guard had vanished.", []),
        ("The guard had gone to bed.", ["The Guard"]),
        ("Captain Mara Voss met Dr. Chen.", ["Captain Mara Voss", "Dr Chen"]),
        ("My sister Anna waved.", ["Anna"]),
        ("My grandfather was a sailor.", ["Grandfather"]),
        ("Antoine hated Mondays.", ["Antoine"]),
        ("Dear Diary, Mira waved.", ["Mira"]),
        ("The thief was only a hungry boy.", ["The Thief"]),
        ("The thief, a young woman called Nyx, waved.", ["Nyx"]),
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
        ("My grandfather sat. Grandpa waved.", ["Grandfather"]),
        ("The robot waved. It walked on. It rained.", ["The Robot", ""]),
        ("Mira waved. It fell down.", [""]),
        ("She sat. He waved. She left. They danced.", ["The Man", "The Woman", "The Woman The Man"]),
        ("She came in. Her name was Vera. Vera sat.", ["Vera", "Vera"]),
        ("There was a little girl. Her name was Vera. The little girl sat.", ["Vera", "Vera"]),
        ("Miso sat. He thinks he is a king.", ["Miso"]),
        ("Ada sat. Reporters laughed. She waved.", ["", "Ada"]),
        ("A girl came. Her name was Vera. The girl sat.", ["Vera", "Vera"]),
        ("Lily and Max ran. A pirate came. They left.", ["The Pirate", "Lily Max"]),
        ("Lily and Max ran. The children left.", ["Lily Max"]),
        ("The king and the queen had come. The children left.", [""]),
        ("Lily and Max ran. Ben sat. Ada sat. They left.", ["Ben", "Ada", "Ada Ben"]),
        ("Ada, Ben and Max ran. Everybody laughed.", ["Ada Ben Max"]),
        ("Ada sat. Ben sat. Max sat. The three of them ran.", ["Ben", "Max", "Max Ben Ada"]),
        ("Ada and I sat. A man gave us bread. We left.", ["The Man The Narrator Ada", "The Narrator Ada"]),
        ("Will waved. Rose ran to Will. Will she stay?", ["Rose Will", "Rose"]),
    ],
)
def test_who_is_meant_in_the_sentences_after(text: str, who: list[str]) -> None:
    assert [" ".join(names) for names in present(text)[1:]] == who


def test_a_town_is_no_person_even_where_it_acts() -> None:
    sentences = cut("Mira lived in Brindlewick. Nobody knew why. Mira left.").sentences
    people = People(sentences)
    assert people.places == {"Brindlewick"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Mira", ["mira"]),
        ("Old Tobias", ["old tobias", "tobias"]),
        ("Captain Ahab", ["captain ahab", "ahab", "captain"]),
        ("Anna Karenina", ["anna karenina", "anna", "karenina"]),
        ("The Old Woman", ["old woman", "woman"]),
        ("Grandmother", ["grandmother"]),
        ("The Narrator", ["i"]),
    ],
)
def test_what_means_somebody_of_a_name(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "pronoun", "kind"),
    [("Mira", None, None), ("The Old Woman", "she", None), ("The Dragon", None, "dragon")],
)
def test_what_a_name_alone_tells(name: str, pronoun: str | None, kind: str | None) -> None:
    called = called_by_name(name)
    assert (called.pronoun, called.kind) == (pronoun, kind)


FILM = (
    Called(name="Mira", pronoun="she", words=("mira", "girl")),
    Called(name="Old Tobias", pronoun="he", words=("old tobias", "tobias", "sailor")),
    Called(name="The Woman", pronoun="she", words=("woman",)),
)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("He waved to her.", [["Old Tobias", "Mira"]]),
        ("The sailor met a girl.", [["Old Tobias", "Mira"]]),
        ("Mira Lane waved. Lane laughed.", [["Mira"], ["Mira"]]),
        ("Tom waved. He left.", [["Tom"], ["Tom"]]),
        ("The woman waved.", [["The Woman"]]),
    ],
)
def test_those_of_the_film_that_a_text_continues(text: str, who: list[list[str]]) -> None:
    sentences = cut(text).sentences
    people = People(sentences, Before(called=FILM, seen=("Mira", "Old Tobias", "The Woman")))
    assert [[each.person.name for each in people.who(sentence)] for sentence in sentences] == who
    people.forget()
    assert [[each.person.name for each in people.who(sentence)] for sentence in sentences] == who
