"""``cinema evaluate``: how good are films, and how good is a model (section 4; appendices E, H, I)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cinema_cli.cli.chat_options import BaseUrl, KeyEnv, PriceIn, PriceOut
from cinema_cli.cli.options import Json, Quiet, Settings, given
from cinema_cli.cli.summary import show

if TYPE_CHECKING:
    from cinema_cli.evaluation.evaluate import Evaluated
    from cinema_cli.evaluation.stress_test import StressTest
    from cinema_cli.evaluation.weights_card import Card

EXAMPLES = """[bold]cinema evaluate film[/]   what can be measured without asking anybody

[bold]cinema evaluate films --clip openai/clip-vit-base-patch32 --subject facebook/dino-vitb16[/]   VBench's

[bold]cinema evaluate film --judge openai --model NAME --base-url https://host/v1 --budget 0.50usd \
--price-in 0.30 --price-out 2.50[/]   the paper's judge; its key is in CINEMA_API_KEY

[bold]cinema evaluate --stress 8,16,24,32,48[/]   how much a model remembers as films grow

[bold]cinema evaluate --card --weights runs/mine/export[/]   a model of the theatre against its targets"""

SHOWN = 4
"""Films whose scores are printed; of more they stand in the report alone."""


class Names(tuple[str, ...]):
    """Words separated by commas."""

    @classmethod
    def read(cls, text: str) -> "Names":
        """The words of a list such as "exact,pixels"."""
        words = [word.strip() for word in text.split(",")]
        if not all(words):
            raise typer.BadParameter(f"words separated by commas were wanted, found {text!r}.")
        return cls(words)


class Lengths(tuple[int, ...]):
    """Lengths of stories."""

    @classmethod
    def read(cls, text: str) -> "Lengths":
        """The numbers of a list such as "8,16"."""
        try:
            return cls(int(word) for word in text.split(","))
        except ValueError:
            raise typer.BadParameter(f"numbers separated by commas were wanted, found {text!r}.") from None


def evaluate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Films' folders, or a folder of films, ingested or made.", metavar="PATH"),
    ] = None,
    metrics: Annotated[
        Names | None,
        typer.Option(
            parser=Names.read, help="exact, pixels, encoders, judge; else what fits the film.", metavar="LIST"
        ),
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(help="CLIP for words and backgrounds: hub, folder, open_clip.", metavar="NAME"),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="DINO for subjects: hub or folder.", metavar="NAME")
    ] = None,
    judge: Annotated[
        Literal["openai"] | None, typer.Option(help="Ask a chat model with the paper's prompt.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the judge on its server.", metavar="NAME")
    ] = None,
    base_url: BaseUrl = None,
    key_env: KeyEnv = None,
    budget: Annotated[
        str | None, typer.Option(help="The most that judging a film may cost: 0.50usd, 200ktok.")
    ] = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    export: Annotated[
        Literal["vbench", "vistorybench"] | None,
        typer.Option(help="Also lay the films out as that benchmark reads them."),
    ] = None,
    stress: Annotated[
        Lengths | None,
        typer.Option(
            parser=Lengths.read, help="Draw stories of so many pairs and read them.", metavar="8,16"
        ),
    ] = None,
    card: Annotated[
        bool, typer.Option("--card", help="Measure a model of the theatre against its targets.")
    ] = False,
    weights: Annotated[
        str | None, typer.Option(help="Of --stress and --card: a folder; else the embedded.", metavar="NAME")
    ] = None,
    stories: Annotated[
        int | None, typer.Option(min=1, help="Of --stress: stories of each length; of --card: movies.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Of --stress and --card.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Where reports go.", metavar="DIR")] = Path("evaluation"),
    settings: Settings = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Measure films, or the models that draw them; writes report.html, report.md and report.json.

    Films of the toy theatre are read back from pixels and compared with their captions. Any film: cuts, first
    frames, flicker, motion, sharpness, repetition, colours; with encoders: VBench's consistency and text
    alignment; with a judge: the paper's six scores. Run it again: only what changed is measured.
    """
    from cinema_cli.errors import InputError

    asked = [bool(paths), stress is not None, card]
    if sum(asked) != 1:
        raise InputError(
            "One of three was wanted: films (cinema evaluate film), --stress 8,16 or --card; found "
            f"{sum(asked)} of them. See: cinema evaluate --help"
        )
    judging = _judging(judge, model, base_url, key_env, budget, price_in, price_out)
    if paths:
        options = given(metrics=metrics, judge=judging, encoders=given(clip=clip, subject=subject) or None)
        _films(paths, options, export, out, settings, quiet, json)
    elif stress is not None:
        options = given(pairs=stress, weights=weights, stories=stories, steps=steps, judge=judging)
        _stress(options, out, settings, quiet, json)
    else:
        _card(given(weights=weights, sequences=stories, steps=steps), out, settings, quiet, json)


def _judging(
    judge: str | None,
    model: str | None,
    base_url: str | None,
    key_env: str | None,
    budget: str | None,
    price_in: float | None,
    price_out: float | None,
) -> dict[str, Any] | None:
    from cinema_cli.errors import InputError

    told = given(model=model, base_url=base_url, key_env=key_env)
    priced = given(budget=budget, prices=given(price_in=price_in, price_out=price_out) or None)
    if judge is None:
        if told or priced:
            raise InputError("Servers and prices are for a judge: add --judge openai --model NAME.")
        return None
    if model is None:
        raise InputError("--judge openai: the name of a model was wanted, found none. Add --model NAME.")
    return {"chat": told, **priced}


def _films(
    paths: list[Path],
    options: dict[str, Any],
    export: str | None,
    out: Path,
    settings: list[str] | None,
    quiet: bool,
    json: bool,
) -> None:
    from cinema_cli.config import build, with_overrides
    from cinema_cli.evaluation.evaluate import EvaluateConfig, evaluate_films
    from cinema_cli.progress import Progress

    config = build(EvaluateConfig, with_overrides(options, settings or ()), "cinema evaluate")
    with Progress(quiet) as progress:
        done = evaluate_films(paths, config, out, progress)
    exported = _exported(paths, export, out)
    if json:
        show(
            {
                "films": [report.model_dump(mode="json") for report in done.reports],
                **_paths(done),
                **exported,
            },
            True,
        )
        return
    for report in done.reports if len(done.reports) <= SHOWN else ():
        for section in report.sections:
            print(f"{report.title or report.folder}: {section.title}")
            for score in section.scores:
                if score.value is not None:
                    print(f"  {score.text:<60} {score.value:8.2f} {score.unit}".rstrip())
    show({"measured": done.measured, "kept": done.kept, **_paths(done), **exported}, False)


def _paths(done: "Evaluated") -> dict[str, Path]:
    return {"report": done.page, "table": done.table, "data": done.data}


def _exported(paths: list[Path], export: str | None, out: Path) -> dict[str, Any]:
    if export is None:
        return {}
    from cinema_cli.evaluation.evaluate import open_films
    from cinema_cli.evaluation.exporters import EXPORTERS

    return {"exported": EXPORTERS[export](open_films(paths), out / export)}


def _stress(options: dict[str, Any], out: Path, settings: list[str] | None, quiet: bool, json: bool) -> None:
    from cinema_cli.config import build, with_overrides
    from cinema_cli.evaluation.stress_test import StressTestConfig, stress_test
    from cinema_cli.progress import Progress

    config = build(StressTestConfig, with_overrides(options, settings or ()), "cinema evaluate --stress")
    with Progress(quiet) as progress:
        done = stress_test(config, out, progress)
    _tell(done, json)


def _tell(done: "StressTest | Card", json: bool) -> None:
    """A table of Markdown as it is, or the data it was made from."""
    if json:
        print(done.data.read_text(encoding="utf-8"), end="")
        return
    print(done.table.read_text(encoding="utf-8"))
    show(done.paths, False)


def _card(options: dict[str, Any], out: Path, settings: list[str] | None, quiet: bool, json: bool) -> None:
    from cinema_cli.config import build, with_overrides
    from cinema_cli.evaluation.weights_card import CardConfig, measure_weights
    from cinema_cli.progress import Progress

    config = build(CardConfig, with_overrides(options, settings or ()), "cinema evaluate --card")
    with Progress(quiet) as progress:
        done = measure_weights(config, out, progress)
    _tell(done, json)
