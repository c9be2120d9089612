"""What a run of ``cinema caption`` did, counted; nothing happens to a frame without being counted here."""

from collections import Counter
from dataclasses import dataclass, field

from cinema_cli.captioning.verdict import Annotation


@dataclass
class Tally:
    """Counts of one run over all films."""

    shots: int = 0
    """In the storyboards."""
    captioned: int = 0
    """Kept, with new words."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Discarded in this run, by reason."""
    skipped: int = 0
    """Done before, from the same inputs."""
    by_hand: int = 0
    """With words that were not written by this command; left as they are."""
    flagged: int = 0
    """Flagged by ingest, so not asked about."""
    without_picture: int = 0
    """Shots that have no keyframe."""
    without_words: int = 0
    """Shots for which the file beside the movie has no words."""
    from_book: int = 0
    """Whose answer had been paid for before."""
    failed: Counter[str] = field(default_factory=Counter)
    """Frames that stay without words, by the reason."""
    films_failed: list[str] = field(default_factory=list)
    """Films that could not be opened, with the reason."""
    unknown_tags: Counter[str] = field(default_factory=Counter)
    """Names that are on no list, so they lost their brackets."""
    unconfirmed_tags: Counter[str] = field(default_factory=Counter)
    """Names that the answer's own list of characters lacks, so they lost their brackets."""
    aliases: Counter[str] = field(default_factory=Counter)
    """Other names in tags, in whose place the name stands now."""
    notes: list[str] = field(default_factory=list)
    """What a person should know."""

    def take(self, annotation: Annotation) -> None:
        """Count one frame's words."""
        if annotation.rejected is None:
            self.captioned += 1
        else:
            self.rejected[annotation.rejected.partition(":")[0]] += 1
        self.unknown_tags.update(annotation.unknown)
        self.unconfirmed_tags.update(annotation.unconfirmed)
        self.aliases.update(annotation.aliases)

    @property
    def left(self) -> int:
        """Frames that were asked about in vain."""
        return self.failed.total()
