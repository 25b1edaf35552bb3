"""Processes of one run: who they are, what the first tells the others, and that one voice speaks."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bertline.errors import BertlineError, UsageError
from bertline.processes import Processes


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A launcher's variables, and the store that it keeps."""
    from torch.distributed import TCPStore

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    values = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "TORCHELASTIC_RUN_ID": "run"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    yield
    del store


Work = Callable[[Processes], object]


def by_both(work: Work) -> list[object]:
    """What the work gives in each of two processes: threads here, with a connection each. Errors as their text."""

    def outcome(rank: int) -> object:
        try:
            return work(Processes(rank, 2, rank))
        except BertlineError as error:
            return f"{error} ({error.exit_code})"

    with ThreadPoolExecutor() as pool:
        return list(pool.map(outcome, (1, 0)))[::-1]


@pytest.mark.parametrize("size", ["", "1", "unknown"])
def test_one_process_is_by_itself(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", size)
    alone = Processes.from_environment()
    assert alone == Processes(0, 1, 0) and alone.first and alone.speaks()
    assert alone.from_first("answer", lambda: 42) == alone.in_turn("answer", lambda: 42) == 42
    with alone.telling("answer"):
        pass


def test_a_launcher_says_who_is_who(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WORLD_SIZE": "16", "RANK": "11", "LOCAL_RANK": "3", "TORCHELASTIC_RUN_ID": "run"}.items():
        monkeypatch.setenv(name, value)
    assert Processes.from_environment() == Processes(11, 16, 3)


def test_processes_that_nobody_looks_after_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    with pytest.raises(UsageError, match="WORLD_SIZE is 2, but this process was not started by torchrun"):
        Processes.from_environment()


@pytest.mark.usefixtures("launcher")
def test_what_the_first_finds_all_have() -> None:
    assert by_both(lambda own: own.from_first("rank", lambda: [own.rank])) == [[0], [0]]


@pytest.mark.usefixtures("launcher")
def test_an_error_of_the_first_is_everybodys() -> None:
    def refuse() -> None:
        raise UsageError("give another")

    assert by_both(lambda own: own.from_first("refusal", refuse)) == ["give another (2)"] * 2
    assert by_both(lambda own: own.in_turn("turn", refuse)) == ["give another (2)"] * 2


@pytest.mark.usefixtures("launcher")
def test_the_first_goes_before_the_others() -> None:
    order: list[int] = []
    assert by_both(lambda own: own.in_turn("download", lambda: order.append(own.rank) or own.rank)) == [0, 1]
    assert order == [0, 1]


@pytest.mark.usefixtures("launcher")
def test_the_others_hear_when_a_block_of_the_firsts_has_ended() -> None:
    done: list[str] = []

    def work(own: Processes) -> bool:
        with own.telling("block"):
            if not own.first:
                own.hear("block")
                return bool(done)
            done.append("written")
        return True

    assert by_both(work) == [True, True]


@pytest.mark.usefixtures("launcher")
def test_one_speaks_and_another_one_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(by_both(lambda own: own.speaks())) == [False, True]  # type: ignore[type-var]
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert sorted(by_both(lambda own: own.speaks())) == [False, True]  # type: ignore[type-var]
