import pytest

from cinema_cli.chat.model import Answer, ChatError, Request, ScriptedChat
from cinema_cli.chat.patience import Patience, PatientChat
from cinema_cli.errors import InputError, Interrupted

REQUEST = Request("", (), {}, 100)
DONE = Answer("done")


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    @property
    def passed(self) -> float:
        return self.time - 100.0


def busy(wait: float | None = None) -> ChatError:
    return ChatError("busy.", again=True, wait=wait)


def patient(chat: ScriptedChat, clock: Clock, **config: float) -> PatientChat:
    return PatientChat(chat, Patience(**config), now=clock.now, sleep=clock.sleep)  # type: ignore[arg-type]


def test_what_failed_for_now_is_asked_again_after_growing_waits() -> None:
    clock, chat = Clock(), ScriptedChat([busy(), busy(), busy(), DONE])
    model = patient(chat, clock, first_wait=8)
    assert model.complete(REQUEST) == DONE
    assert len(chat.requests) == 4
    assert (8 + 16 + 32) / 2 <= clock.passed <= 8 + 16 + 32


def test_waits_stop_growing() -> None:
    clock = Clock()
    patient(ScriptedChat([*[busy()] * 9, DONE]), clock, tries=10, longest_wait=2).complete(REQUEST)
    assert 9 < clock.passed < 18


def test_the_servers_own_time_is_kept_to_the_second() -> None:
    clock = Clock()
    patient(ScriptedChat([busy(wait=30), DONE]), clock).complete(REQUEST)
    assert clock.passed == pytest.approx(30)


def test_a_server_that_says_at_once_is_not_hammered() -> None:
    clock = Clock()
    patient(ScriptedChat([busy(wait=0), busy(wait=0), DONE]), clock, first_wait=2).complete(REQUEST)
    assert clock.passed == pytest.approx(4)


def test_what_the_server_says_to_one_holds_for_all() -> None:
    clock, chat = Clock(), ScriptedChat([busy(wait=30), busy(wait=50), DONE])
    model = patient(chat, clock, tries=1)
    for _ in range(2):
        with pytest.raises(ChatError):
            model.complete(REQUEST)
    assert clock.passed == 0  # the last try of a call waits for nobody, and so it postpones nobody
    model = patient(chat := ScriptedChat([busy(wait=30), DONE, DONE]), clock)
    model.complete(REQUEST)
    model.complete(REQUEST)
    assert clock.passed == pytest.approx(30)


def test_a_server_that_wants_to_be_left_alone_is_left_alone() -> None:
    clock, chat = Clock(), ScriptedChat([busy(wait=3600), DONE])
    with pytest.raises(Interrupted, match="3600 s"):
        patient(chat, clock).complete(REQUEST)
    assert (len(chat.requests), clock.passed) == (1, 0)


def test_tries_come_to_an_end() -> None:
    chat = ScriptedChat([busy()] * 9)
    with pytest.raises(ChatError, match="busy"):
        patient(chat, Clock(), tries=3).complete(REQUEST)
    assert len(chat.requests) == 3


@pytest.mark.parametrize("error", [ChatError("bad picture", again=False), InputError("no such model")])
def test_what_will_not_pass_is_not_asked_again(error: Exception) -> None:
    chat = ScriptedChat([error, DONE])
    with pytest.raises(type(error)):
        patient(chat, Clock()).complete(REQUEST)
    assert len(chat.requests) == 1


def test_a_signal_ends_a_wait() -> None:
    clock = Clock()
    model = PatientChat(
        ScriptedChat([busy(wait=60), DONE]),
        Patience(),
        lambda: clock.passed > 2,
        now=clock.now,
        sleep=clock.sleep,
    )
    with pytest.raises(Interrupted):
        model.complete(REQUEST)
    assert 2 < clock.passed < 3
