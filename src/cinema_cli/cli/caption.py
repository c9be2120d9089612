"""``cinema caption``: words for the keyframes of a dataset (paper, 3.1 and appendix B)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinema_cli.cli.chat_options import BaseUrl, KeyEnv, PriceIn, PriceOut, shown_cost
from cinema_cli.cli.options import Json, Quiet, Settings, given
from cinema_cli.cli.summary import show

if TYPE_CHECKING:
    from collections import Counter

    from cinema_cli.captioning.caption import CaptionConfig, CaptionResult
    from cinema_cli.captioning.estimate import Estimate
    from cinema_cli.captioning.tally import Tally

EXAMPLES = """[bold]cinema caption dataset[/]   captions from the files beside the movies

[bold]cinema caption dataset --annotator openai --model qwen3-vl --set chat.limit_field=max_tokens[/]   Ollama

[bold]cinema caption dataset --annotator openai --base-url https://host/v1 --model NAME --cast cast.yaml \
--budget 2.50usd --price-in 0.10 --price-out 0.40[/]   a paid server; its key is in CINEMA_API_KEY"""

SHOWN = 10
"""Names, reasons, notes and paths of each kind that a person is shown."""


def caption(
    dataset: Annotated[
        Path, typer.Argument(help="A folder of ingested films, or one film's folder.", metavar="DATASET")
    ] = Path("dataset"),
    annotator: Annotated[
        str | None, typer.Option(help="sidecar: a file beside the movie. openai: a model.", metavar="NAME")
    ] = None,
    base_url: BaseUrl = None,
    model: Annotated[str | None, typer.Option(help="Name of the model on that server.")] = None,
    key_env: KeyEnv = None,
    cast: Annotated[
        Path | None, typer.Option(help="Cast file, or a folder with one <film>.yaml each.", metavar="YAML")
    ] = None,
    sidecars: Annotated[
        Path | None, typer.Option(help="Folder of the files that else lie beside the movies.", metavar="DIR")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="The most to spend on these films in all: 2.50usd, 200ktok.", metavar="AMOUNT"),
    ] = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    picture_tokens: Annotated[
        int | None, typer.Option(min=1, help="The most that one picture costs; else 2240.", metavar="TOKENS")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=64, help="The longest answer, thinking included; else 1024.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="Calls at once; else 4.")] = None,
    flagged: Annotated[
        bool, typer.Option("--flagged", help="Ask about frames that ingest flagged, too.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Replace captions that a person wrote, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked and what it would cost, and stop.")
    ] = False,
    settings: Settings = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Filter and caption the keyframes of a dataset, with <Name> tags for those on the cast list.

    Captions come from files beside the movies or from a vision-language model. Every answer that is
    paid for is kept: run it again, and only what is missing or has changed is asked.
    """
    from cinema_cli.captioning.caption import CaptionConfig, caption_films
    from cinema_cli.captioning.estimate import estimate_captions
    from cinema_cli.config import build, with_overrides
    from cinema_cli.errors import Interrupted
    from cinema_cli.progress import Progress

    data: dict[str, Any] = given(
        annotator=annotator,
        chat=given(base_url=base_url, model=model, key_env=key_env) or None,
        shown=given(max_tokens=max_tokens) or None,
        cast=cast,
        sidecars=sidecars,
        budget=budget,
        prices=given(price_in=price_in, price_out=price_out) or None,
        picture_tokens=picture_tokens,
        workers=workers,
        flagged=flagged,
        again=again,
    )
    config = build(CaptionConfig, with_overrides(data, settings or ()), "cinema caption")
    if dry_run:
        show(_estimated(estimate_captions(dataset, config), config, whole=json), json)
        return
    with Progress(quiet) as progress:
        result = caption_films(dataset, config, progress)
    show(_done(result, config, whole=json), json)
    if result.unfinished:
        raise Interrupted(result.unfinished)


def _estimated(found: "Estimate", config: "CaptionConfig", whole: bool) -> dict[str, Any]:
    facts = {"wanted": found.wanted, **_left_alone(found.tally, whole)}
    if config.annotator == "sidecar":
        return facts
    by = f"{found.measured_calls} earlier calls" if found.measured_calls else "rule of thumb"
    return facts | {
        "answered_before": found.wanted - found.asked,
        "calls": found.asked,
        "likely": {**shown_cost(found.likely, config.prices), "by": by},
        "at_most": shown_cost(found.worst, config.prices),
        "spent_before": shown_cost(found.spent, config.prices),
    }


def _done(result: "CaptionResult", config: "CaptionConfig", whole: bool) -> dict[str, Any]:
    tally, boards = result.tally, [folder / "storyboard.json" for folder in result.films]
    facts = {
        "films": len(result.films),
        "captioned": tally.captioned,
        "rejected": dict(tally.rejected),
        **_left_alone(tally, whole),
        "without_words": tally.without_words,
        "tags_not_on_the_list": _counted(tally.unknown_tags, whole),
        "tags_not_confirmed": _counted(tally.unconfirmed_tags, whole),
        "other_names": _counted(tally.aliases, whole),
        "notes": _listed(tally.notes, whole),
    }
    if config.annotator == "openai":
        facts["this_run"] = shown_cost(result.spent, config.prices)
        facts["in_all"] = shown_cost(result.spent_in_all, config.prices)
    return facts | {"storyboards": _listed(boards, whole)}


def _left_alone(tally: "Tally", whole: bool) -> dict[str, Any]:
    return {
        "skipped": tally.skipped,
        "kept_by_hand": tally.by_hand,
        "flagged": tally.flagged,
        "without_picture": tally.without_picture,
        "failed": _counted(tally.failed, whole),
        "films_failed": _listed(tally.films_failed, whole),
    }


def _counted(counts: "Counter[str]", whole: bool) -> dict[str, int]:
    """The most frequent ones for a person, all for a program."""
    shown = dict(counts.most_common(None if whole else SHOWN))
    rest = counts.total() - sum(shown.values())
    return shown | ({"others": rest} if rest else {})


def _listed(lines: list[Any], whole: bool) -> list[Any]:
    """The first ones for a person, all for a program."""
    if whole or len(lines) <= SHOWN:
        return lines
    return [*lines[:SHOWN], f"... and {len(lines) - SHOWN} more (--json has all)"]
