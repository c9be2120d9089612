"""What captioning would cost, before anything is asked: ``cinema caption --dry-run``."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cinema_cli.captioning.annotators import ChatReader
from cinema_cli.captioning.book import LEDGER
from cinema_cli.captioning.caption import CaptionConfig, make_annotator, open_film, shots_wanted
from cinema_cli.captioning.tally import Tally
from cinema_cli.chat.ledger import Account, Cost, Ledger
from cinema_cli.chat.model import ChatModel, Picture, Request
from cinema_cli.dataset import films
from cinema_cli.errors import InputError, MissingError

BYTES_PER_TOKEN = 4
"""Of English prose, roughly; the worst case counts a token for every byte."""
TYPICAL_PICTURE = 560
"""Tokens of a 400 x 800 frame: 280 to 1120 with Gemini, about 300 to 400 with Qwen."""
TYPICAL_ANSWER = 180
"""Tokens of a verdict with a detailed caption."""


@dataclass(frozen=True)
class Estimate:
    """What a run would do."""

    tally: Tally
    """What it would skip, and why."""
    wanted: int
    """Frames that want words."""
    asked: int
    """Of these, calls to be made; the others were answered before."""
    likely: Cost
    """What the calls would cost: as earlier calls on these films did, or else by rule of thumb."""
    measured_calls: int
    """Earlier calls that the likely cost was measured from."""
    worst: Cost
    """The most that they can cost, each failing never and answering at full length."""
    spent: Cost
    """On these films so far."""


def estimate_captions(dataset: Path, config: CaptionConfig, model: ChatModel | None = None) -> Estimate:
    """Look what is wanted, without a call and without writing anything."""
    folders = films(dataset)
    ledger = Ledger([folder / LEDGER for folder in folders], config.prices, None, config.picture_tokens)
    calls, mean = _measured(folders)
    tally, wanted, asked, likely, worst = Tally(), 0, 0, Cost(), Cost()
    with ExitStack() as stack:
        annotator = make_annotator(config, ledger, stack, model)
        for folder in folders:
            try:
                film, board = open_film(folder, config)
                reader = annotator.open(film)
            except (InputError, MissingError) as error:
                tally.films_failed.append(str(error))
                continue
            shots = [shot for shot, _ in shots_wanted(board, film, reader, config, tally)]
            wanted += len(shots)
            for shot in shots:
                if isinstance(reader, ChatReader) and not reader.kept(shot):
                    question = reader.looked_up(shot)
                    asked += 1
                    likely += config.prices.cost(*(mean if calls else _guess(question)))
                    worst += ledger.worst(question)
    return Estimate(tally, wanted, asked, likely, calls, worst, ledger.total)


def _measured(folders: list[Path]) -> tuple[int, tuple[int, int]]:
    """How many calls there were on these films, and the tokens of one on average."""
    accounts = [Account.load(folder / LEDGER) for folder in folders]
    calls = sum(account.calls for account in accounts)
    if not calls or any(account.lost or account.open for account in accounts):
        return 0, (0, 0)  # lost calls are counted at their worst: no measure of what is likely
    spent = sum((account.spent for account in accounts), Cost())
    return calls, (spent.tokens_in // calls, spent.tokens_out // calls)


def _guess(question: Request) -> tuple[int, int]:
    text = [question.system, *(part for part in question.parts if isinstance(part, str))]
    pictures = sum(isinstance(part, Picture) for part in question.parts)
    tokens_in = sum(map(len, text)) // BYTES_PER_TOKEN + pictures * TYPICAL_PICTURE
    return tokens_in, min(TYPICAL_ANSWER, question.max_tokens)
