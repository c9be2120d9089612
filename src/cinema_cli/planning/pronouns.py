"""Pronouns, and the words that stand for people like them (tables only)."""

from cinema_cli.planning.common_words import Gender

STRANGERS = {"she": "woman", "he": "man"}
"""Who a pronoun is that means nobody named before."""
STRANGER_NAMES = {pronoun: f"The {role.title()}" for pronoun, role in STRANGERS.items()}
PRONOUNS: dict[str, Gender] = {"she": "she", "he": "he", "him": "he", "her": "she", "his": "he"}
SPOKEN_FOR = frozenset(("i", "me", "myself", "my"))
SEVERAL = frozenset(("they", "them", "both", "themselves", "their", "everyone", "everybody"))
COMPANIONS = frozenset(
    ("children", "kids", "friends", "siblings", "twins", "couple", "pair", "girls", "boys")
)
"""Two who have names may be called so: *Lily and Max ... the children*."""
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5}
OWNING = frozenset(("his", "her", "my", "their"))
"""Words that tell whose a thing is: the owner is shown when nobody else is there."""
