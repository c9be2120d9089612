"""The movie's list of characters: the only names that captions may tag (paper, appendix B).

``--cast`` names a YAML file for all films, or a folder with one ``<film>.yaml`` each:

    characters:
      - name: Mira
        aliases: [The Keeper]        # also said so; in captions she is <Mira>
        look: a tall woman in a red coat
        pictures: [mira/1.jpg]       # shown to the model, inside the folder of this file
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from cinema_cli.captioning.pictures import MAX_PICTURE_BYTES
from cinema_cli.config import Config, build, read_yaml
from cinema_cli.errors import InputError
from cinema_cli.fields import Caption, Name, RelativePath, inside
from cinema_cli.storyboard import MAX_CAST, CastMember

MAX_PICTURES = 32
"""Reference pictures of a whole cast: each is sent, and paid for, with every frame."""


class Character(Config):
    """Who may be tagged."""

    name: Name
    """As it stands in captions between < and >."""
    aliases: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
    """Other names of the same person; a tag that uses one is given the name instead, and counted."""
    look: Caption = ""
    """How they look, for the model and for the storyboard."""
    pictures: Annotated[tuple[RelativePath, ...], Field(max_length=8)] = ()
    """Reference pictures: png, jpg or webp, inside the folder of the cast file."""


class Cast(Config):
    """The list."""

    characters: Annotated[tuple[Character, ...], Field(max_length=MAX_CAST)] = ()
    """In the order in which the model reads them."""

    @model_validator(mode="after")
    def _is_clear(self) -> "Cast":
        seen: dict[str, str] = {}
        for who in self.characters:
            for word in dict.fromkeys(word.casefold() for word in (who.name, *who.aliases)):
                if word in seen:
                    raise ValueError(
                        f"{word!r} stands for {seen[word]} and for {who.name}; each name and alias "
                        "must mean one character."
                    )
                seen[word] = who.name
        count = sum(len(who.pictures) for who in self.characters)
        if count > MAX_PICTURES:
            raise ValueError(f"at most {MAX_PICTURES} pictures in all were wanted, found {count}.")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names that may be tagged."""
        return tuple(who.name for who in self.characters)

    def resolve(self, word: str) -> str | None:
        """The name that a word means: itself, whatever its capitals, or the owner of the alias."""
        wanted = word.casefold()
        for who in self.characters:
            if wanted in (other.casefold() for other in (who.name, *who.aliases)):
                return who.name
        return None

    def members(self) -> tuple[CastMember, ...]:
        """As the storyboard keeps them."""
        return tuple(CastMember(name=who.name, look=who.look) for who in self.characters)

    @classmethod
    def of(cls, members: tuple[CastMember, ...]) -> "Cast":
        """The cast that a storyboard has."""
        return cls(characters=tuple(Character(name=one.name, look=one.look) for one in members))

    @classmethod
    def load(cls, path: Path) -> "Cast":
        """Read a cast file; its pictures must be there."""
        cast = build(cls, read_yaml(path), str(path))
        for _, picture in cast.references(path.parent):
            size = picture.stat().st_size if picture.is_file() else None
            if size is None or size > MAX_PICTURE_BYTES:
                found = "nothing" if size is None else f"{size} bytes"
                raise InputError(
                    f"{picture}: a picture of at most {MAX_PICTURE_BYTES} bytes was wanted, found {found}. "
                    f"Correct {path}."
                )
        return cast

    def references(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """Name and file of every reference picture; ``folder`` is that of the cast file."""
        for who in self.characters:
            for picture in who.pictures:
                yield who.name, inside(folder, picture)


def cast_file(given: Path | None, film: Path) -> Path | None:
    """The cast file for a film: the one that was given, or the film's own in the folder that was given."""
    if given is None or not given.is_dir():
        return given
    own = given / f"{film.resolve().name}.yaml"
    return own if own.is_file() else None
