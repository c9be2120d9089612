"""The order of things around one paid call, as the disk sees it."""

from pathlib import Path

import pytest

from cinema_cli.chat.answers import Answers
from cinema_cli.chat.ledger import Account, Budget, BudgetSpentError, Ledger, Prices
from cinema_cli.chat.model import Answer, ChatError, Request, ScriptedChat, Usage
from cinema_cli.chat.paid import PaidChat
from cinema_cli.errors import InputError, MissingError

BOOK, LEDGER = "answers.jsonl", "ledger.json"
QUESTION = Request("Do this.", (), {}, 100)
ANSWER = Answer("A boat.", usage=Usage(50, 5))


def paid(folder: Path, chat: ScriptedChat, budget: str | None = None) -> PaidChat:
    ledger = Ledger([folder / LEDGER], Prices(), Budget.read(budget) if budget else None, 2240)
    return PaidChat(chat, folder / LEDGER, Answers(folder / BOOK), ledger)


def test_reserved_before_kept_and_settled_after(tmp_path: Path) -> None:
    seen = []

    def answer(request: Request) -> Answer:
        seen.append(
            (len(Account.load(tmp_path / LEDGER).open), Answers(tmp_path / BOOK).answer(request, "scripted"))
        )
        return ANSWER

    assert paid(tmp_path, ScriptedChat(answer)).complete(QUESTION) == ANSWER
    assert seen == [(1, None)]
    account = Account.load(tmp_path / LEDGER)
    assert (account.open, account.calls, account.spent.tokens) == ((), 1, 55)
    assert Answers(tmp_path / BOOK).answer(QUESTION, "scripted") == ANSWER


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ChatError("busy", again=True), 0),
        (ChatError("timeout", again=True, billed=True), 1),
        (MissingError("no key"), 0),
        (RuntimeError("a fault"), 0),
    ],
)
def test_a_failure_is_charged_where_it_may_have_been(tmp_path: Path, error: Exception, lost: int) -> None:
    with pytest.raises(type(error)):
        paid(tmp_path, ScriptedChat([error])).complete(QUESTION)
    account = Account.load(tmp_path / LEDGER)
    assert (account.open, account.calls, account.lost) == ((), 0, lost)
    assert (account.spent.tokens > 0) == bool(lost)
    assert not (tmp_path / BOOK).exists()


def test_beyond_the_budget_nothing_is_asked(tmp_path: Path) -> None:
    chat = ScriptedChat([ANSWER])
    with pytest.raises(BudgetSpentError):
        paid(tmp_path, chat, "10tok").complete(QUESTION)
    assert chat.requests == []


def test_an_answer_that_cannot_be_kept_is_paid_all_the_same(tmp_path: Path) -> None:
    chat = paid(tmp_path, ScriptedChat([ANSWER]))
    (tmp_path / BOOK).mkdir()  # the disk refuses
    with pytest.raises(InputError, match="cannot be written"):
        chat.complete(QUESTION)
    assert Account.load(tmp_path / LEDGER).spent.tokens == 55


def test_a_call_that_cannot_be_written_down_is_not_made(tmp_path: Path) -> None:
    scripted = ScriptedChat([ANSWER])
    chat = paid(tmp_path, scripted, "1mtok")
    (tmp_path / LEDGER).mkdir()
    for _ in range(2):  # and nobody waits for it afterwards
        with pytest.raises(InputError, match="cannot be written"):
            chat.complete(QUESTION)
    assert scripted.requests == []
