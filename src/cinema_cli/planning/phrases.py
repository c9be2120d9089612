"""Small grammar around a noun or pronoun: what stands before it, whether it acts or is only spoken of."""

from cinema_cli.planning.common_words import DOING, FEELING, ROLES, SPEAKING, words
from cinema_cli.planning.names import INSIDE, is_finite
from cinema_cli.theatre.reading import DETERMINERS, action_table

ABSENT = frozenset(("of", "about", "without", "like", "than", "from", "for", "as"))
AFTER_OBJECT = words("""
to on in into onto from with and the a an by at for his that up down away out off back home until
again across over as but how what when where why if through toward towards under along after before
because while around past there
""")
"""Words before which *her* is a person and not the owner of a thing."""

PERSONAL = ("er", "or", "ist", "ian", "man", "woman", "ess", "eer", "ant", "ent")
"""How nouns for people end; one of them who speaks or feels is somebody."""
THINGS = words("""
letter paper computer speaker water river weather wonder summer winter flower tower printer air mirror door
floor moment present
""")
"""Nouns with such an ending that are nobody."""
CHANCE = ("rain", "snow", "seem", "happen", "begin", "began", "grew", "grows", "got", "gets", "took", "takes")
"""How verbs begin of which *it* is nobody."""
AWAY = words("gone missing vanished disappeared")


def words_before(tokens: list[str], at: int) -> list[str] | None:
    """The adjectives before a noun, nearest first, the determiner last; none without a determiner."""
    words: list[str] = []
    for back in range(at - 1, max(at - 5, -1), -1):
        word = tokens[back].lower()
        words.append(word)
        if word in DETERMINERS:
            return words
        if not word[0].isalpha() or word in ABSENT or word in INSIDE or word in ("and", "or", "to", "with"):
            return None
    return None


def absent(tokens: list[str], at: int) -> bool:
    """Whether somebody is only spoken of: *a letter from Otto*; but *in front of Otto* is there."""
    start = at - len(words_before(tokens, at) or []) - 1
    if start < 0 or tokens[start].lower() not in ABSENT:
        return False
    return not (
        start and tokens[start - 1].lower() in ("front", "side", "top", "because", "waited", "looked")
    )


def is_object(tokens: list[str], at: int) -> bool:
    """Whether a pronoun is one to whom something is done: *led her on*, not *her lamp*."""
    word = tokens[at].lower()
    if word in ("him", "them"):
        return True
    if word != "her":
        return False
    return at + 1 == len(tokens) or not tokens[at + 1][0].isalpha() or tokens[at + 1].lower() in AFTER_OBJECT


def acts(tokens: list[str], at: int) -> bool:
    """Whether the noun does something in the next words."""
    for token in tokens[at + 1 : at + 4]:
        if not token[0].isalpha():
            return False
        if token.lower() in DOING or token.lower() in action_table() or token.lower() in ("called", "named"):
            return True
    return False


def feels(tokens: list[str], at: int) -> bool:
    """Whether a noun is somebody by its ending and by what it does: *the bartender laughs*."""
    noun = tokens[at].lower()
    following = tokens[at + 1].lower() if at + 1 < len(tokens) else ""
    alive = noun.endswith(PERSONAL) and len(noun) > 4 and noun not in THINGS
    return alive and following in SPEAKING | FEELING and not noun.endswith(("'s", "’s"))


def it_acts(tokens: list[str], at: int) -> bool:
    """Whether *it* does something that an animal or a robot may do: *it sweeps*, not *it rained*."""
    return tokens[at].lower() == "it" and is_finite(tokens, at + 1) and not tokens[at + 1].startswith(CHANCE)


def vanished(tokens: list[str], end: int) -> bool:
    """Whether those whose name ends before a token are told to be away: *the stranger was gone*."""
    following = [token.lower() for token in tokens[end : end + 3]]
    if following[:1] not in (["was"], ["were"], ["is"], ["are"], ["had"], ["has"]):
        return following[:1] in (["vanished"], ["disappeared"])
    away = set(following[1:2]) & AWAY
    return bool(away) and not (following[0] in ("had", "has") and "gone" in away)


def is_apposition(tokens: list[str], at: int, end: int) -> bool:
    """Whether a noun tells who it is whose name ends at ``end``: *the mayor, a tall woman,*."""
    start = at - len(words_before(tokens, at) or [])
    if start > end and tokens[start - 1].lower() in ("only", "just", "really", "still"):
        start, tokens = start - 1, [*tokens[: start - 1], *tokens[start:]]
        at -= 1
    if start == end and tokens[start].lower() == "the":  # Merlin the wizard
        return True
    if start == at or start - 1 != end or tokens[end].lower() not in (",", "was", "is", "became"):
        return False
    if tokens[end] != ",":
        return True
    closed = at + 1 == len(tokens) or tokens[at + 1].lower() in (
        ",",
        ".",
        "who",
        "with",
        "of",
        "in",
        "wearing",
    )
    return closed and tokens[start].lower() in ("a", "an", "the")


def described(lower: list[str], at: int) -> list[str]:
    """The noun before one that goes on to a name: *thief*, of *the thief, a young woman called Nyx*."""
    end = at - len(words_before(lower, at) or []) - 1
    before = lower[end - 1] if end > 0 and lower[end] == "," else ""
    return [before] if before in ROLES and lower[at + 1 : at + 2] in (["called"], ["named"]) else []
