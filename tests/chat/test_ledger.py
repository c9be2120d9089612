import threading
from decimal import Decimal
from pathlib import Path

import pytest

from cinema_cli.chat.ledger import (
    Account,
    Budget,
    BudgetSpentError,
    Cost,
    Ledger,
    Prices,
)
from cinema_cli.chat.model import Picture, Request, Usage
from cinema_cli.errors import InputError

LEDGER = "ledger.json"
PICTURE = Picture(b"", "image/jpeg", "a" * 64, 512)
QUESTION = Request("x" * 1000, ("y" * 500, PICTURE), {}, 200)
WORST_IN = 256 + 1000 + 500 + len("{}") + 2240
PRICES = Prices(price_in=Decimal(1), price_out=Decimal(10))


def ledger(account: Path, budget: str | None = None, prices: Prices = PRICES) -> Ledger:
    found = Ledger([account], prices, Budget.read(budget) if budget else None, 2240)
    found.open(account)
    return found


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("2.50usd", "2.50", "money"),
        ("3 USD", "3", "money"),
        ("200ktok", "200000", "tokens"),
        ("1.5Mtok", "1500000", "tokens"),
        ("900tok", "900", "tokens"),
    ],
)
def test_a_budget_is_money_or_tokens(text: str, amount: str, unit: str) -> None:
    assert Budget.read(text) == Budget(amount=Decimal(amount), unit=unit)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "5", "usd", "-3usd", "0usd", "0.0ktok", "1e3tok", "nanusd", "5eur"])
def test_what_is_no_budget(text: str) -> None:
    with pytest.raises(InputError, match=r"2\.50usd"):
        Budget.read(text)


def test_money_is_counted_exactly() -> None:
    prices = Prices(price_in=Decimal("0.1"), price_out=Decimal("0.4"))
    assert sum((prices.cost(1, 1) for _ in range(10)), Cost()).money == Decimal("0.000005")


def test_both_prices_or_none() -> None:
    with pytest.raises(ValueError, match="--price-out"):
        Prices(price_in=Decimal(1))
    assert not Prices().known


def test_the_worst_counts_every_byte_and_every_picture(tmp_path: Path) -> None:
    worst = ledger(tmp_path / LEDGER).worst(QUESTION)
    assert (worst.tokens_in, worst.tokens_out) == (WORST_IN, 200)
    assert worst.money == (Decimal(WORST_IN) + 2000) / 1_000_000


def test_a_call_is_on_the_disk_before_it_is_made_and_settled_after(tmp_path: Path) -> None:
    book = ledger(tmp_path / LEDGER)
    reserved = book.reserve(tmp_path / LEDGER, QUESTION)
    assert Account.load(tmp_path / LEDGER).open == (reserved,)
    book.settle(tmp_path / LEDGER, reserved, Usage(900, 60))
    found = Account.load(tmp_path / LEDGER)
    assert (found.spent, found.open, found.calls) == (PRICES.cost(900, 60), (), 1)


def test_failures_are_charged_only_where_they_may_have_been(tmp_path: Path) -> None:
    book = ledger(tmp_path / LEDGER)
    book.release(tmp_path / LEDGER, book.reserve(tmp_path / LEDGER, QUESTION))
    assert Account.load(tmp_path / LEDGER) == Account()
    worst = book.reserve(tmp_path / LEDGER, QUESTION)
    book.lose(tmp_path / LEDGER, worst)
    assert (Account.load(tmp_path / LEDGER).spent, Account.load(tmp_path / LEDGER).lost) == (worst, 1)


def test_a_server_that_does_not_count_is_thought_to_take_the_most(tmp_path: Path) -> None:
    book = ledger(tmp_path / LEDGER)
    worst = book.reserve(tmp_path / LEDGER, QUESTION)
    book.settle(tmp_path / LEDGER, worst, None)
    assert Account.load(tmp_path / LEDGER).spent == worst
    assert (Account.load(tmp_path / LEDGER).calls, Account.load(tmp_path / LEDGER).lost) == (1, 0)


def test_what_a_killed_command_reserved_is_spent(tmp_path: Path) -> None:
    killed = ledger(tmp_path / LEDGER)
    worst = killed.reserve(tmp_path / LEDGER, QUESTION)
    assert Ledger([tmp_path / LEDGER], PRICES, None, 2240).total == worst
    book = ledger(tmp_path / LEDGER)
    book.release(tmp_path / LEDGER, book.reserve(tmp_path / LEDGER, QUESTION))
    found = Account.load(tmp_path / LEDGER)
    assert (found.spent, found.open, found.lost) == (worst, (), 1)


def test_a_call_that_could_exceed_the_budget_is_not_made(tmp_path: Path) -> None:
    book = ledger(tmp_path / LEDGER, f"{WORST_IN + 200}tok")
    reserved = book.reserve(tmp_path / LEDGER, QUESTION)
    book.settle(tmp_path / LEDGER, reserved, Usage(1, 0))
    with pytest.raises(BudgetSpentError, match=f"has {WORST_IN + 199:,} tokens left"):
        book.reserve(tmp_path / LEDGER, QUESTION)


def test_a_dearer_picture_than_thought_is_learned(tmp_path: Path) -> None:
    book = ledger(tmp_path / LEDGER, "100ktok")
    book.settle(tmp_path / LEDGER, book.reserve(tmp_path / LEDGER, QUESTION), Usage(36_000, 60))
    assert book.worst(QUESTION).tokens_in == 36_000
    book.settle(tmp_path / LEDGER, book.reserve(tmp_path / LEDGER, QUESTION), Usage(36_000, 60))
    with pytest.raises(BudgetSpentError):
        book.reserve(tmp_path / LEDGER, QUESTION)


def test_until_the_first_answer_one_call_is_made_at_a_time(tmp_path: Path) -> None:
    book = ledger(tmp_path / LEDGER, "100ktok")
    first = book.reserve(tmp_path / LEDGER, QUESTION)
    reserved = threading.Event()

    def reserve() -> None:
        book.reserve(tmp_path / LEDGER, QUESTION)
        reserved.set()

    thread = threading.Thread(target=reserve)
    thread.start()
    assert not reserved.wait(0.05)
    book.settle(tmp_path / LEDGER, first, Usage(900, 60))
    thread.join()
    assert reserved.is_set()


def test_a_call_waits_while_others_may_leave_enough(tmp_path: Path) -> None:
    book = ledger(tmp_path / LEDGER, f"{2 * (WORST_IN + 200)}tok")
    book.settle(tmp_path / LEDGER, book.reserve(tmp_path / LEDGER, QUESTION), Usage(1, 1))
    open_call = book.reserve(tmp_path / LEDGER, QUESTION)
    outcome: list[object] = []

    def reserve() -> None:
        try:
            outcome.append(book.reserve(tmp_path / LEDGER, QUESTION))
        except BudgetSpentError as error:
            outcome.append(error)

    thread = threading.Thread(target=reserve)
    thread.start()
    book.settle(tmp_path / LEDGER, open_call, Usage(1, 1))
    thread.join()
    assert isinstance(outcome[0], Cost)


def test_a_budget_counts_all_films(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Account(calls=1, spent=PRICES.cost(3000, 0)).save(tmp_path / name)
    book = Ledger([tmp_path / "a", tmp_path / "b"], PRICES, Budget.read("10ktok"), 2240)
    book.open(tmp_path / "a")
    with pytest.raises(BudgetSpentError, match="4,000 tokens left"):
        book.reserve(tmp_path / "a", QUESTION)
    assert book.total - book.before == Cost()


def test_nobody_waits_for_a_call_of_a_command_that_was_killed(tmp_path: Path) -> None:
    ledger(tmp_path / "b").reserve(tmp_path / "b", QUESTION)  # and killed
    book = Ledger([tmp_path / "a", tmp_path / "b"], PRICES, Budget.read("10ktok"), 2240)
    book.open(tmp_path / "a")
    book.settle(tmp_path / "a", book.reserve(tmp_path / "a", QUESTION), Usage(3000, 0))
    with pytest.raises(BudgetSpentError):
        book.reserve(tmp_path / "a", QUESTION)


def test_money_without_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--price-in and --price-out"):
        ledger(tmp_path / LEDGER, "1usd", Prices())


def test_a_broken_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_text('{"format": "cinema-caption-ledger", "spent": 3}')
    with pytest.raises(InputError, match="spent"):
        ledger(tmp_path / LEDGER)
