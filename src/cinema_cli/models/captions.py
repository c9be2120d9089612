"""Captions as a model is given them: with the look of everybody who is named.

A storyboard tells a look once, where somebody first appears; later captions only name them.  A model that
does not yet remember well enough is told the look every time, in the theatre's own plain wording.
"""

import re
from collections.abc import Sequence

from cinema_cli.storyboard import CastMember


def with_looks(caption: str, cast: Sequence[CastMember]) -> str:
    """The caption with the look of each member of the cast that it names and does not describe itself.

    ``<Mira> waves`` becomes ``<Mira>, a tall puppet in a red coat, waves``.
    """
    for member in cast:
        if member.look and not tells_look(caption, member):
            caption = _with_look(caption, member)
    return caption


def otherwise(caption: str, cast: Sequence[CastMember]) -> tuple[str, ...]:
    """Names that the caption describes in other words than the cast does."""
    return tuple(member.name for member in cast if member.look not in caption and _tells_own(caption, member))


def tells_look(caption: str, member: CastMember) -> bool:
    """Whether it describes them: in the words of the cast, or in its own after the name."""
    return member.look in caption or _tells_own(caption, member)


def _tells_own(caption: str, member: CastMember) -> bool:
    return re.search(rf"<{re.escape(member.name)}>(,| is) an? ", caption) is not None


def _with_look(caption: str, member: CastMember) -> str:
    tag = f"<{member.name}>"
    if tag not in caption:
        return caption
    named = re.search(rf"{re.escape(tag)}(?!['’])", caption)
    if named is None:  # only as "<Mira>'s", where nothing can be put in between
        return f"{caption} {tag} is {member.look}."
    before, after = caption[: named.end()], caption[named.end() :]
    comma = "" if after[:1] in ",.;:!?" else ","
    return f"{before}, {member.look}{comma}{after}"
