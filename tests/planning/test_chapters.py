import pytest

from cinema_cli.errors import InputError
from cinema_cli.planning.chapters import Chapter, chapters_of, shared_out

SENTENCE = "Mira walked along the harbour and looked at the boats. "


def cut(text: str, shots: int | None = None, longest: int = 6000, most: int = 24) -> tuple[Chapter, ...]:
    return chapters_of(text, shots, longest, most)


@pytest.mark.parametrize(
    "headings",
    [("Chapter One", "Chapter Two"), ("# One", "# Two"), ("I.", "II."), ("PART I", "Epilogue")],
)
def test_a_chapter_ends_where_the_text_says_so(headings: tuple[str, str]) -> None:
    first, second = headings
    found = cut(f"The Title\n\n{first}\n\nMira ran.\n\nShe fell.\n\n{second}\n\nTom came.\n")
    assert [chapter.text for chapter in found] == [
        f"The Title\n\n{first}\n\nMira ran.\n\nShe fell.",
        f"{second}\n\nTom came.",
    ]


def test_headings_alone_are_no_chapter() -> None:
    found = cut("# Book\n\n## One\n\nMira ran.\n\n# Two\n\nTom came.\n\n# The end\n")
    assert [chapter.text for chapter in found] == [
        "# Book\n\n## One\n\nMira ran.",
        "# Two\n\nTom came.\n\n# The end",
    ]


def test_a_long_text_is_cut_between_paragraphs_and_a_long_paragraph_between_sentences() -> None:
    found = cut("\n\n".join([SENTENCE * 10] * 6) + "\n\n" + SENTENCE * 40, longest=1200)
    assert all(len(chapter.text) <= 1200 for chapter in found)
    assert sum(chapter.text.count("harbour") for chapter in found) == 100
    assert all(chapter.text.endswith(".") for chapter in found)


def test_without_a_number_there_are_at_most_48_shots_in_all() -> None:
    found = cut("\n\n".join([SENTENCE * 20] * 400))
    assert len(found) == 48
    assert sum(chapter.shots for chapter in found) == 48
    assert not any(chapter.exactly for chapter in found)
    (short,) = cut("Mira ran.")
    assert (short.shots, short.exactly) == (24, False)


@pytest.mark.parametrize("shots", [1, 2, 3, 7, 24, 25, 60, 100])
def test_a_number_of_shots_is_kept_whatever_the_story(shots: int) -> None:
    text = "\n\n".join([SENTENCE * 12, SENTENCE, SENTENCE * 3, "# Two", SENTENCE * 30])
    found = cut(text, shots, longest=1000)
    assert sum(chapter.shots for chapter in found) == shots
    assert all(chapter.exactly and 1 <= chapter.shots <= 24 for chapter in found)
    assert sum(chapter.text.count("harbour") for chapter in found) == 46


def test_a_long_chapter_has_more_shots_than_a_short_one() -> None:
    assert shared_out(12, [100, 300, 200], 24) == [2, 6, 4]
    assert shared_out(12, [1, 10_000, 1], 8) == [2, 8, 2]
    assert shared_out(3, [5, 5, 500], 24) == [1, 1, 1]


def test_too_many_shots_for_a_few_sentences_are_told() -> None:
    with pytest.raises(InputError, match=r"at most 48 shots .* 2 sentences, found 49"):
        cut("Mira ran. Tom came.", 49)


@pytest.mark.parametrize("text", ["", "  \n\n ", "...\n\n***"])
def test_a_text_without_words_is_told(text: str) -> None:
    with pytest.raises(InputError, match="a story in words was wanted"):
        cut(text)


def test_notes_of_a_screenplay_are_not_sent_and_control_characters_neither() -> None:
    (chapter,) = cut(
        "INT. KITCHEN - DAY\n\nMira\x07 cooks. [[secret]]\n\n/* INT. OLD\n\nScene */\n\nMIRA\nHello?"
    )
    assert chapter.text == "INT. KITCHEN - DAY\n\nMira  cooks.\n\nMIRA\nHello?"


def test_many_headings_take_no_long_time() -> None:
    found = cut("\n\n".join("II.\n\nMira ran." for _ in range(50_000)), 200)
    assert len(found) == 200
