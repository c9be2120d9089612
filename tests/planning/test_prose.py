import pytest

from cinema_cli.planning.prose import clauses_of, cut


def sentences(text: str) -> list[str]:
    return [sentence.text for sentence in cut(text).sentences]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Mr. Holmes met Dr. Watson at 3.5 p.m. in St. Ives.", 1),
        ("He stopped... and then he ran. She did not.", 2),
        ("He stopped... Then he ran.", 2),
        ("“Stop. Now!” she said. He stopped.", 2),
        ('"Stop! Do you hear?" she said.', 1),
        ("'I don't know.' She went.", 2),
        ('"Have you seen it?" Anna asked. "No."', 2),
        ("“Stop!” Captain Voss shouted.", 1),
        ("“Stop!” Anna ran away.", 2),
        ("It was J. K. Brown. He waved.", 2),
        ("小明走了。他笑了！", 2),
        ("One!Two", 1),
        ("No full stop", 1),
        ("One line\nthat goes on. And on.", 2),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(sentences(f"First.\n\n{text}")) == count + 1


def test_nothing_is_lost_but_space() -> None:
    text = "“Wait,” cried José.   “Don't go. It’s late.” He ran;\nshe — well — did not… And then? Nothing!"
    assert " ".join(sentences(text)) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("The Lamp\n\nMira lit it.", "The Lamp"),
        ("# The Lamp\nMira lit it.", "The Lamp"),
        ("Who Is There?\n\nMira asked.", "Who Is There?"),
        ("Mira lit the lamp.\n\nThen she slept.", ""),
        ("Mira lit the lamp", ""),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert cut(text).title == title


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("“Otto!” said Mira.", "said Mira."),
        ('"Where is Otto?" she asked, "and Ada?"', "she asked,"),
        ("'I don't know,' said Mira's dog.", "said Mira's dog."),
        ("Mira's and Otto's lamps don't burn.", "Mira's and Otto's lamps don't burn."),
        ("「行こう」 said Yuki.", "said Yuki."),
    ],
)
def test_what_is_told_is_apart_from_what_is_said(text: str, told: str) -> None:
    sentence = cut(text).sentences[0]
    assert sentence.told.replace("“”", "").strip() == told
    assert sentence.speaks == (text.strip() != told)


def test_paragraphs_are_numbered() -> None:
    found = cut("A one is here.\n\nA two is here. A three too.").sentences
    assert [(sentence.paragraph, sentence.opens) for sentence in found] == [(0, True), (1, True), (1, False)]


def test_an_endless_sentence_is_cut() -> None:
    assert all(len(sentence) <= 400 for sentence in sentences("and so he went on, " * 300))


def test_clauses() -> None:
    assert clauses_of("Mira walked to the harbour, and Otto waved to her.") == (
        "Mira walked to the harbour,",
        "and Otto waved to her.",
    )
    assert clauses_of("Mira, a girl in a red coat, waved.") is None
