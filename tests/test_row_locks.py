"""Who waits for whose row, where the database locks rows: SQLite has one writer at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from accounts import access, audit
from accounts.models import AuditEvent, User
from operations import kept_connections
from recognition import quotas
from recognition.api import waiting
from recognition.live import recordings
from recognition.model_registry import comparison
from recognition.models import (
    DataExport,
    ModelComparison,
    Recording,
    TransferPart,
    Upload,
    VideoTransfer,
    Webhook,
    WebhookDelivery,
)
from recognition.personal_data import account_deletion
from recognition.series import deleting, markers, marking
from recognition.uploads import actions
from recognition.videos import transfers
from recognition.webhooks import deliveries, hooks
from studies import personal_data
from studies.models import Member, Participation, Study, Visit
from studies.planning import files, opening, team
from tests.support import studies
from tests.support.series import recorded
from tests.support.site import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("sqlite" in connection.vendor, reason="SQLite locks no rows"),
]

Elsewhere = Callable[[Callable[[], Any]], "Future[Any]"]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Does something over another connection, where it fails after two seconds of waiting."""
    with ThreadPoolExecutor(1) as pool:

        def work(do: Callable[[], Any]) -> Any:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '2s'")
                return do()
            finally:
                connection.close()

        yield lambda do: pool.submit(work, do)


def in_a_transaction(do: Callable[[], Any]) -> Any:
    with transaction.atomic():
        return do()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_what_refers_to_a_locked_person_does_not_wait(alice: User, elsewhere: Elsewhere) -> None:
    """Else whoever has locked a study and writes an event waits for who waits for the study."""
    with transaction.atomic():
        quotas.lock(alice.pk)
        elsewhere(lambda: audit.record("study_left", alice, alice, "study:1")).result()
    assert AuditEvent.objects.filter(action="study_left").count() == 1


def test_of_two_that_delete_an_account_one_does_nothing(alice: User, elsewhere: Elsewhere) -> None:
    """It would wait for the rows that the other deletes, and keep a worker from everybody else."""
    account_deletion.close(alice)
    with transaction.atomic():
        assert account_deletion._is_ours(alice.pk)
        assert not elsewhere(lambda: account_deletion.delete(alice.pk)).result()
        # Nor is it sent again, and the sweep goes on to what else was lost.
        User.objects.update(deletion_due_at=None)
        elsewhere(account_deletion.sweep).result()
    assert account_deletion.delete(alice.pk)


def test_of_two_exports_at_the_same_moment_one_begins(
    alice: User, bob: User, elsewhere: Elsewhere
) -> None:
    """Both workers would make one, and nobody's photos would be looked at."""
    first, second = (DataExport.objects.create(owner=who, queued_at=past()) for who in (alice, bob))
    with transaction.atomic():
        assert DataExport.objects.claim(first.pk) is not None
        claiming = elsewhere(lambda: DataExport.objects.claim(second.pk))
        wait_until(somebody_waits, every=0.01)
    assert claiming.result() is None
    assert [export.pk for export in DataExport.objects.in_work()] == [first.pk]


def past() -> datetime:
    return timezone.now() - timedelta(seconds=1)


@pytest.mark.parametrize("change", ["leave", "remove", "role", "account"])
def test_a_study_is_locked_before_its_members(
    change: str, alice: User, bob: User, elsewhere: Elsewhere
) -> None:
    study = studies.draft_study(alice)
    member = studies.member(study, bob, Member.Role.EDITOR)
    changes: dict[str, Callable[[], Any]] = {
        "leave": lambda: team.leave(study, bob),
        "remove": lambda: team.remove(member, alice),
        "role": lambda: team.change_role(member, Member.Role.VIEWER, alice),
        "account": lambda: in_a_transaction(lambda: personal_data.delete_some(bob)),
    }
    with transaction.atomic():
        team._lock(study.pk)
        changing = elsewhere(changes[change])
        wait_until(somebody_waits, every=0.01)
        # As taking the study over does.
        assert Member.objects.select_for_update(nowait=True).get(pk=member.pk)
    changing.result()
    assert not Member.objects.filter(pk=member.pk, role=Member.Role.EDITOR).exists()


def test_a_webhook_that_is_deleted_meanwhile_undoes_no_news(
    alice: User, elsewhere: Elsewhere
) -> None:
    hook = Webhook.objects.create(owner=alice, url="https://example.org/", secret="whsec_1")

    def news() -> dict[str, str]:
        with pytest.raises(OperationalError, match="lock timeout"):
            elsewhere(hook.delete).result()
        return {}

    with transaction.atomic():
        deliveries.record(alice.pk, "upload.finished", uuid.uuid4(), news)
    assert WebhookDelivery.objects.count() == 1
    hook.delete()
    with pytest.raises(Webhook.DoesNotExist):
        deliveries.record_ping(hook)


def _note_message(alice: User) -> None:
    deliveries.record(alice.pk, "upload.finished", uuid.uuid4(), dict)


def _add_part(alice: User) -> None:
    transfer = VideoTransfer.objects.select_for_update().get()
    TransferPart.objects.create(transfer=transfer, offset=0, size=4)


def _add_marker(alice: User) -> None:
    markers.add(Recording.objects.get().pk, 100, "here")


@pytest.mark.parametrize(
    ("model", "add", "end"),
    [
        (Webhook, _note_message, lambda alice: hooks.delete(Webhook.objects.get())),
        (Webhook, _note_message, lambda alice: access.end(alice, None)),
        (VideoTransfer, _add_part, lambda alice: transfers.delete(VideoTransfer.objects.get())),
        (Recording, _add_marker, lambda alice: deleting.delete(Recording.objects.get(), alice)),
    ],
    ids=["webhook", "access", "transfer", "recording"],
)
def test_what_is_deleted_goes_also_while_something_is_added_to_it(
    model: Any, add: Callable[[User], None], end: Callable[[User], Any],
    alice: User, elsewhere: Elsewhere,
) -> None:  # fmt: skip
    Webhook.objects.create(owner=alice, url="https://example.org/", secret="whsec_1")
    transfers.begin(alice, "a.mp4", 1000)
    recorded(alice)
    with transaction.atomic():
        add(alice)
        ending = elsewhere(lambda: end(alice))
        wait_until(somebody_waits)
    ending.result()
    assert not model.objects.exists()


def test_an_account_closes_while_news_of_it_are_written(alice: User, elsewhere: Elsewhere) -> None:
    Webhook.objects.create(owner=alice, url="https://example.org/", secret="whsec_1")
    with transaction.atomic():
        deliveries.record(alice.pk, "upload.finished", uuid.uuid4(), dict)
        closing = elsewhere(lambda: account_deletion.close(alice))
        wait_until(somebody_waits)
        # What a worker writes then is the person's, too.
        DataExport.objects.create(owner=alice)
    closing.result()
    alice.refresh_from_db()
    assert alice.deletion_requested_at is not None


def test_a_study_opens_while_a_preview_reports(alice: User, elsewhere: Elsewhere) -> None:
    study = studies.ready_study(alice)
    block = studies.block(study, name="seen")
    preview = studies.participation(study, is_preview=True)
    with transaction.atomic():
        Participation.objects.select_for_update().get(pk=preview.pk)
        Visit.objects.create(participation=preview, block=block, start_ms=0)
        opens = elsewhere(lambda: opening.open_(study, alice))
        wait_until(somebody_waits)
    opens.result()
    assert not study.participations.exists()


@pytest.mark.parametrize("what", ["taking over", "a file"])
def test_people_are_locked_before_their_studies(
    what: str, alice: User, bob: User, elsewhere: Elsewhere
) -> None:
    study = studies.draft_study(alice)
    block = studies.block(study, "image", "shown")
    team.offer(studies.member(study, bob, Member.Role.EDITOR), alice)
    does = {
        "taking over": lambda: team.take_over(study, bob),
        "a file": lambda: files.keep(block, ContentFile(b"a picture"), "image/png"),
    }
    with transaction.atomic():
        quotas.lock(alice.pk)
        doing = elsewhere(does[what])
        wait_until(somebody_waits, every=0.01)
        assert Study.objects.select_for_update(nowait=True).get(pk=study.pk)
    doing.result()


def test_a_marker_waits_for_nothing_else_of_its_persons(alice: User, elsewhere: Elsewhere) -> None:
    """One thread has the database for all sockets of a web process."""
    recording = recorded(alice)
    with transaction.atomic():
        quotas.lock(alice.pk)
        made = elsewhere(lambda: marking.add(alice.pk, recording.pk, 100, "here")).result()
    assert made is not None


def test_a_recording_begins_whatever_else_has_its_persons_row(
    alice: User, elsewhere: Elsewhere
) -> None:
    """One thread has the database for all sockets of a web process."""
    with transaction.atomic():
        quotas.lock(alice.pk)
        begun = elsewhere(lambda: recordings.begin(alice.pk, "model-1")).result()
    assert begun.recording.owner_id == alice.pk


@pytest.mark.parametrize("who", ["person", "account"])
def test_a_comparison_that_is_saved_during_a_deletion_does_not_list_the_photo(
    who: str, alice: User, elsewhere: Elsewhere
) -> None:
    upload = Upload.objects.create(
        owner=alice, status=Upload.Status.DONE, width=9, height=9, byte_size=9
    )
    row = ModelComparison.objects.create(candidate="c", upload_ids=[str(upload.pk)])
    job = ModelComparison.objects.claim(row.pk)
    assert job is not None
    result = comparison.empty_result("c")
    result |= {"seen": 1, "changed": [{"upload": str(upload.pk), "faces": []}]}

    with transaction.atomic():
        if who == "person":
            actions.delete_uploads(Upload.objects.filter(pk=upload.pk))
        else:
            account_deletion._delete_some_uploads(alice)
        saving = elsewhere(lambda: comparison._save(job, result))
        wait_until(somebody_waits, every=0.01)
    saving.result()
    row.refresh_from_db()
    assert row.result is not None
    assert (row.result["seen"], row.result["changed"]) == (1, [])


def backend() -> int:
    """Which of PostgreSQL's processes answers this thread, in a request of its own."""
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])
    finally:
        close_old_connections()


def test_threads_that_stay_keep_their_connection_and_others_do_not() -> None:
    for initializer, n_connections in ((kept_connections.keep, 1), (None, 3)):
        with ThreadPoolExecutor(1, initializer=initializer) as pool:
            assert len({pool.submit(backend).result() for _ in range(3)}) == n_connections
            pool.submit(lambda: connection.close()).result()


def test_a_connection_that_is_gone_is_made_anew() -> None:
    """As after PostgreSQL was started again: nobody gets an error page for it."""
    with ThreadPoolExecutor(1, initializer=kept_connections.keep) as pool:
        first = pool.submit(backend).result()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        assert pool.submit(backend).result() != first
        pool.submit(lambda: connection.close()).result()


def test_whoever_waits_for_a_result_keeps_no_connection(alice_upload: Upload) -> None:
    """Hundreds wait at a time, and PostgreSQL has a hundred."""

    def look() -> bool:
        assert waiting._any_unfinished([alice_upload.pk])
        return connection.connection is None

    with ThreadPoolExecutor(1, initializer=kept_connections.keep) as pool:
        assert pool.submit(look).result()
