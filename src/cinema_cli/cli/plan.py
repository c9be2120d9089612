"""``cinema plan``: from a story to a storyboard with a keyframe for every shot (paper, 3.2 and 4.1)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cinema_cli.cli.chat_options import BaseUrl, KeyEnv, PriceIn, PriceOut, shown_cost
from cinema_cli.cli.model import with_model
from cinema_cli.cli.options import (
    AcceptLicence,
    Adapter,
    Json,
    Model,
    Preset,
    Quiet,
    Redo,
    Settings,
    Transformer,
    given,
)
from cinema_cli.cli.summary import show

if TYPE_CHECKING:
    from cinema_cli.planning.estimate import EditorEstimate, Estimate
    from cinema_cli.planning.plan import PlanConfig, PlanResult

EXAMPLES = """[bold]cinema plan story.txt --out film[/]   eight shots or as many as the story asks for

[bold]cinema plan film/storyboard.json --redo 7,9 --seed 3[/]   draw two keyframes anew, beside the others

[bold]cinema plan film/storyboard.json --continue more.txt[/]   append what happens next

[bold]cinema plan story.txt --out film2 --cast-from film[/]   whom the story names comes from another film

[bold]cinema plan story.txt --out film --director NAME --base-url https://host/v1 --budget 0.50usd \
--price-in 2.50 --price-out 10[/]   a chat model plans the shots; its key is in CINEMA_API_KEY

[bold]cinema plan story.txt --out film --dry-run[/]   what it will cost, without asking or drawing"""


def plan(
    story: Annotated[
        Path,
        typer.Argument(
            help="A story: plain text, Fountain or Final Draft; or a storyboard.json.", metavar="STORY"
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the film; else the current one.", metavar="DIR")
    ] = None,
    more: Annotated[
        Path | None, typer.Option("--continue", help="A text that continues the film.", metavar="TEXT")
    ] = None,
    cast_from: Annotated[
        list[Path] | None,
        typer.Option(
            "--cast-from",
            help="Another film: its people come as they look there; can be given several times.",
            metavar="FILM",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--shots", min=1, max=10_000, help="How many shots; else the story decides.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Of the whole film.")] = None,
    mode: Annotated[
        Literal["joint", "extend"] | None,
        typer.Option(help="All frames together, or one after the other; else by the film's length."),
    ] = None,
    director: Annotated[
        str | None,
        typer.Option(help="A chat model that plans the shots; else a plain rule.", metavar="MODEL"),
    ] = None,
    base_url: BaseUrl = None,
    key_env: KeyEnv = None,
    budget: Annotated[
        str | None,
        typer.Option(help="The most to spend on directing this film: 0.50usd, 200ktok.", metavar="AMOUNT"),
    ] = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=64, help="The longest answer, thinking included; else 8192.")
    ] = None,
    preset: Preset = "toy",
    model: Model = None,
    adapter: Adapter = None,
    transformer: Transformer = None,
    accept_licence: AcceptLicence = False,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Sampling steps per keyframe.")] = None,
    redo: Redo = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Draw anew what remembers pictures that changed since.")
    ] = False,
    settings: Settings = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be drawn and what it would cost, and stop.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Turn a story into a storyboard: a list of shots, and a keyframe for each.

    Writes storyboard.json, keyframes/ and contact-sheet.html. Run it again after editing a caption:
    only the keyframes whose words changed are drawn anew. What each shot remembered is on the sheet.
    """
    from cinema_cli.config import build, load_preset, with_overrides
    from cinema_cli.planning.document import read_wish

    read_wish(story, out, more)  # a wrong path is told before the heavy libraries are loaded
    options: dict[str, Any] = given(
        director=given(
            chat=given(model=director, base_url=base_url, key_env=key_env) or None,
            max_tokens=max_tokens,
            budget=budget,
            prices=given(price_in=price_in, price_out=price_out) or None,
        )
        or None,
        cast_from=[str(film) for film in cast_from] if cast_from else None,
        shots=count,
        seed=seed,
        mode=mode,
        preset=preset,
        model=model,
        adapter=adapter,
        transformer=transformer,
        steps=steps,
        redo=redo,
        refresh=refresh or None,
    )
    data = with_overrides({**load_preset(preset).get("plan", {}), **options}, settings or ())
    data = with_model(data, "keyframes", accept_licence, quiet, fetch=not dry_run)  # so is a wrong model
    from cinema_cli.planning.plan import PlanConfig, plan_film
    from cinema_cli.progress import Progress

    config = build(PlanConfig, data, "cinema plan")
    if dry_run:
        from cinema_cli.planning.estimate import estimate_plan

        facts = _foreseen(story, out, config, more)
        show({**facts, **_estimated(estimate_plan(story, out, config, more), config, whole=json)}, json)
        return
    with Progress(quiet) as progress:
        made = plan_film(story, out, config, progress, more)
    show(
        {
            "storyboard": made.storyboard,
            "contact_sheet": made.contact_sheet,
            "shots": made.shots,
            "drawn": made.drawn,
            "skipped": made.skipped,
            "mode": made.mode,
            "notes": made.notes,
            **_billed(made, config),
            "seconds": made.seconds,
        },
        json,
    )


def _billed(made: "PlanResult", config: "PlanConfig") -> dict[str, Any]:
    """What a director has cost; nothing where none was named."""
    if made.bill is None or config.director is None:
        return {}
    prices = config.director.prices
    return {
        "director": {
            "model": config.director.chat.model,
            "chapters": made.bill.chapters,
            "calls": made.bill.calls,
        },
        "this_run": shown_cost(made.bill.this_run, prices),
        "in_all": shown_cost(made.bill.in_all, prices),
    }


def _foreseen(story: Path, out: Path | None, config: "PlanConfig", more: Path | None) -> dict[str, Any]:
    """What a director would be asked, and at which cost; nothing where none is named."""
    if config.director is None:
        return {}
    from cinema_cli.planning.director_estimate import estimate_director

    made, prices = estimate_director(story, out, config, more), config.director.prices
    rule = {"below": "as the plain rule would plan it; the director may make other shots"}
    return {
        "director": {
            "model": config.director.chat.model,
            "chapters": made.chapters,
            "calls": made.calls,
        },
        "likely": {**shown_cost(made.likely, prices), "by": "rule of thumb"},
        "at_most": shown_cost(made.worst, prices),
        "spent_before": shown_cost(made.spent, prices),
        **(rule if made.calls else {}),
    }


def _estimated(made: "Estimate | EditorEstimate", config: "PlanConfig", whole: bool) -> dict[str, Any]:
    """An estimate as it is shown; ``whole``: as plain numbers, with the expanded config."""
    from dataclasses import asdict

    if whole:
        return {**asdict(made), "config": config.model_dump(mode="json")}
    from cinema_cli.config import to_yaml
    from cinema_cli.planning.estimate import EditorEstimate
    from cinema_cli.progress import clock

    if isinstance(made, EditorEstimate):
        return {
            "config": to_yaml(config).splitlines(),
            "mode": made.mode,
            "shots": made.shots,
            "to_draw": f"{made.drawn}, beside at most {made.references} others, in {made.steps} steps",
            "memory": made.memory,
            "device": made.device,
        }
    memory = ", ".join(f"{count} of {height} x {width}" for count, (height, width) in made.memory)
    return {
        "config": to_yaml(config).splitlines(),
        "shots": made.shots,
        "to_draw": f"{made.drawn} in {made.windows} drawings ({made.mode})",
        "tokens": f"{made.image_tokens} of a frame, {made.text_tokens} of its caption",
        "memory": f"{memory or 'none'} tokens; keys and values {made.memory_bytes / 2**20:,.0f} MiB",
        "step": f"{made.step_tflop:,.3g} TFLOP",
        "film": f"{made.film_pflop:,.3g} PFLOP; by the paper's rule {made.paper_pflop:,.3g}",
        "peak": f"{made.peak_bytes / 2**30:,.1f} GiB, without text encoders and autoencoder",
        "device": made.device,
        "about": clock(made.seconds),
    }
