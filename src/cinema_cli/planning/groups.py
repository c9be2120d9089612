"""Groups in a story, *the children* or *two men*: no puppet plays them, and the notes say so."""

from cinema_cli.planning.common_words import ANIMALS, ROLES, words
from cinema_cli.planning.phrases import absent, words_before
from cinema_cli.theatre.staging import listed

CROWDS = words("""
crowd crew class family army band gang police choir brigade team orchestra audience couple kids passers-by
""")
"""Words for several people that are no plural of one."""
ONE_OF = {
    "men": "man", "women": "woman", "children": "child", "wolves": "wolf", "mice": "mouse", "geese": "goose",
    "thieves": "thief", "elves": "elf", "dwarves": "dwarf",
}  # fmt: skip
NUMBERS = words("two three four five six seven eight nine ten twenty hundred many several some few most")


def groups_in(tokens: list[str], known: set[int]) -> list[str]:
    """The groups that a sentence shows, as its notes name them: *the children*, *two men*.

    Args:
        tokens: The sentence.
        known: Tokens that mean people of the cast.
    """
    lower = [token.lower() for token in tokens]
    found = []
    for at, noun in enumerate(lower):
        if (
            noun not in CROWDS
            and not noun.endswith(("people", "folk"))
            and one_of(noun) not in ROLES.keys() | ANIMALS
        ):
            continue
        number = next((word for word in reversed(lower[max(at - 2, 0) : at]) if word in NUMBERS), None)
        if at not in known and (number or at == 0 or words_before(lower, at)) and not absent(lower, at):
            found.append(f"{number or 'the'} {noun}")
    return found


def one_of(noun: str) -> str:
    """One of them: *man* of *men*; empty for a noun that is no plural."""
    if noun in ONE_OF:
        return ONE_OF[noun]
    if noun.endswith("men"):
        return "man"
    one = noun.removesuffix("s")
    if one == noun or noun.endswith("ss"):
        return ""
    return one if one in ROLES or one in ANIMALS else noun.removesuffix("es")


def groups_note(groups: list[str]) -> list[str]:
    """One line for all of them."""
    named = list(dict.fromkeys(groups))
    if not named:
        return []
    return [f"a puppet plays one person, never a group; not shown: {listed(named)}"]
