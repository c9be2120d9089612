"""``cinema sample``: sequences of keyframes with dynamic strides (paper, 3.2 and 4.2)."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinema_cli.cli.options import Json, Quiet, Settings, given
from cinema_cli.cli.summary import show

if TYPE_CHECKING:
    from cinema_cli.sampling.sample import DatasetSample

EXAMPLES = """[bold]cinema sample dataset[/]   sequences of 8, 16 and 32 keyframes

[bold]cinema sample dataset --pairs 16 --span 32 --dry-run[/]   what windows of 32 keyframes give

[bold]cinema sample dataset --pairs 8 --show sequences.html[/]   a page with some of them to look at"""


class Numbers(tuple[int, ...]):
    """Whole numbers named on the command line."""

    @classmethod
    def read(cls, text: str) -> "Numbers":
        """The numbers of a list such as "8,16,32"."""
        words = [word.strip() for word in text.split(",")]
        if not all(word.isascii() and word.isdigit() for word in words):
            raise typer.BadParameter(
                f"numbers separated by commas were wanted, such as 8,16,32; found {text!r}."
            )
        return cls(int(word) for word in words)


def sample(
    dataset: Annotated[
        Path, typer.Argument(help="A folder of ingested films, or one film.", metavar="DATASET")
    ] = Path("dataset"),
    pairs: Annotated[
        Numbers | None,
        typer.Option(parser=Numbers.read, help="Keyframes in a sequence.", metavar="8,16,32"),
    ] = None,
    span: Annotated[
        int | None,
        typer.Option(min=1, help="Last minus first keyframe plus one, at most; else ten times the pairs."),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(min=0, help="Share of its keyframes that a sequence may have in common with another."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="A manifest for each epoch. No sequence comes twice, but the overlap "
            "between sequences of different epochs is not bounded.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed, the same sequences.")] = None,
    allow: Annotated[
        str | None,
        typer.Option(help="Keep keyframes in spite of these flags, such as blurred.", metavar="FLAGS"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the manifests; else DATASET/sequences.", metavar="DIR")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--show", help="Write a page with a few sequences.", metavar="HTML")
    ] = None,
    settings: Settings = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Draw and count, but write nothing.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Draw the sequences that training reads: keyframes of one movie, in order, with strides that change.

    Any two sequences share at most a quarter of their keyframes. Prints how many there are, how many windows
    of consecutive keyframes the same bar would give, and where keyframes were lost.
    """
    from cinema_cli.config import build, with_overrides
    from cinema_cli.progress import Progress
    from cinema_cli.sampling.sample import SampleConfig, sample_dataset

    flags = [word.strip() for word in allow.split(",")] if allow is not None else None
    options = given(pairs=pairs, span=span, overlap=overlap, epochs=epochs, seed=seed, allow=flags)
    config = build(SampleConfig, with_overrides(options, settings or ()), "cinema sample")
    started = time.monotonic()
    with Progress(quiet) as progress:
        sampled = sample_dataset(dataset, config, progress, out, dry_run)
        if page is not None and not dry_run:
            from cinema_cli.sampling.page import write_page

            write_page(page, [found.manifests[0] for found in sampled.sampled], sampled.films)
    shown = page if not dry_run else None
    show({**_facts(sampled), **given(show=shown), "seconds": time.monotonic() - started}, json)


def _facts(sampled: "DatasetSample") -> dict[str, Any]:
    """The result as the summary prints it."""
    return {
        "films": len(sampled.films),
        "keyframes": {"kept": sampled.kept, "lost": sum(sampled.lost.values())},
        "lost": sampled.lost,
        "sequences": [
            {
                "pairs": found.pairs,
                "span": found.span,
                "drawn": found.counts[0],
                "naive": found.naive,
                **given(ratio=round(found.ratio, 1) if found.ratio is not None else None),
                **({"by epoch": found.counts} if len(found.counts) > 1 else {}),
            }
            for found in sampled.sampled
        ],
        "manifests": [path for found in sampled.sampled for path in found.paths],
    }
