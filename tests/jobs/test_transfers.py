"""While a file comes or goes, which may take long, the job's claim is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from recognition.jobs import transfers
from recognition.jobs.job import ClaimLost
from recognition.jobs.transfers import meanwhile
from recognition.models import DataExport
from recognition.personal_data import export as data_export


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "EVERY", 0.01)


def test_the_claim_is_kept_until_the_transfer_has_ended() -> None:
    enough = threading.Event()
    calls: list[int] = []

    def go_on() -> None:
        calls.append(threading.get_ident())
        if len(calls) == 3:
            enough.set()

    assert meanwhile(go_on, lambda: enough.wait(10)) is True
    assert set(calls) == {threading.get_ident()}


@pytest.mark.parametrize("error", [FileNotFoundError, TimeoutError])
def test_what_goes_wrong_is_told(error: type[Exception]) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(error):
        meanwhile(lambda: None, fail)


def test_a_lost_claim_is_told_once_nothing_is_on_its_way() -> None:
    lost = threading.Event()
    ended: list[bool] = []

    def go_on() -> None:
        lost.set()
        raise ClaimLost

    def transfer() -> None:
        ended.append(lost.wait(10))

    with pytest.raises(ClaimLost):
        meanwhile(go_on, transfer)
    assert ended == [True]


class _SlowStorage:
    """Takes a file for as long as it is told to."""

    def __init__(self, until: Callable[[], bool]) -> None:
        self._until = until

    def save(self, name: str, _content: Any) -> str:
        assert self._until()
        return name

    def delete(self, _name: str) -> None: ...


@pytest.mark.django_db(transaction=True)
def test_an_export_that_is_stored_slowly_stays_with_its_worker(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved_on = threading.Event()
    go_on = data_export._go_on

    def watched(export: DataExport, progress: float, **fields: Any) -> None:
        go_on(export, progress, **fields)
        if progress > 0.9:
            moved_on.set()

    monkeypatch.setattr(data_export, "_go_on", watched)
    monkeypatch.setattr(data_export, "default_storage", _SlowStorage(lambda: moved_on.wait(10)))
    export = data_export.start(alice)
    assert data_export.build(str(export.pk))
    export.refresh_from_db()
    assert (export.status, export.attempts) == (DataExport.Status.DONE, 1)
