"""An upload's way from the queue to its result, whatever happens to the tasks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recognition.models import Prediction, Upload
from recognition.models.uploads import GAVE_UP
from recognition.uploads import actions, processing
from tests.support.factories import RESULT


def claimed(upload: Upload) -> Upload:
    result = Upload.objects.claim(upload.pk)
    assert result is not None
    return result


def expire(upload: Upload) -> None:
    past = timezone.now() - timedelta(hours=1)
    Upload.objects.filter(pk=upload.pk).update(claimed_until=past, queued_at=past)


def test_a_claim_keeps_other_tasks_out(alice_upload: Upload) -> None:
    assert claimed(alice_upload).status == Upload.Status.PROCESSING
    assert Upload.objects.claim(str(alice_upload.pk)) is None


def test_the_same_task_redelivered_does_not_disturb_the_first_delivery(
    alice_upload: Upload,
) -> None:
    upload = claimed(alice_upload)
    for _delivery in range(5):
        assert Upload.objects.claim(str(alice_upload.pk)) is None
    assert processing.complete(upload, RESULT, "model-1")


def test_a_claim_past_its_deadline_is_free(alice_upload: Upload) -> None:
    first = claimed(alice_upload)
    expire(alice_upload)
    assert claimed(alice_upload).claim not in {"", first.claim}


def test_an_upload_that_is_gone_is_no_work(db: None) -> None:
    assert Upload.objects.claim("00000000-0000-0000-0000-000000000000") is None


def test_a_result_is_written_once(alice_upload: Upload) -> None:
    upload = claimed(alice_upload)
    assert processing.complete(upload, RESULT, "model-1")
    assert not processing.complete(upload, RESULT, "model-1")
    upload.refresh_from_db()
    assert (upload.status, upload.model_version) == (Upload.Status.DONE, "model-1")
    assert [p.label for p in upload.faces] == ["happy", "sad"]
    assert [p.uncertain for p in upload.faces] == [False, True]
    assert [(p.index, p.rejected) for p in upload.rejected_spots] == [(2, "blurred")]
    assert Prediction.objects.count() == 3
    assert Upload.objects.claim(str(upload.pk)) is None


def test_whoever_lost_the_claim_writes_nothing(alice_upload: Upload) -> None:
    slow = claimed(alice_upload)
    expire(alice_upload)
    fast = claimed(alice_upload)
    assert not processing.complete(slow, RESULT, "model-1")
    assert not processing.fail(slow, "code", "reason")
    assert not Upload.objects.release(slow)
    assert processing.complete(fast, RESULT, "model-1")
    assert Prediction.objects.count() == 3


def test_two_runs_of_the_same_task_write_once(alice_upload: Upload) -> None:
    first = claimed(alice_upload)
    expire(alice_upload)
    second = claimed(alice_upload)
    assert not processing.complete(first, RESULT, "model-1")
    assert processing.complete(second, RESULT, "model-1")


def test_after_three_attempts_it_fails_with_a_reason(alice_upload: Upload) -> None:
    for _attempt in range(3):
        claimed(alice_upload)
        expire(alice_upload)
    assert Upload.objects.claim(str(alice_upload.pk)) is None
    alice_upload.refresh_from_db()
    assert alice_upload.status == Upload.Status.FAILED
    assert alice_upload.error_code == GAVE_UP
    assert alice_upload.error_message
    assert alice_upload.finished_at is not None


def test_an_attempt_in_progress_is_not_given_up(alice_upload: Upload) -> None:
    for _attempt in range(2):
        claimed(alice_upload)
        expire(alice_upload)
    claimed(alice_upload)
    assert Upload.objects.claim(str(alice_upload.pk)) is None
    alice_upload.refresh_from_db()
    assert alice_upload.status == Upload.Status.PROCESSING


def test_reset_gives_a_failed_upload_all_its_attempts_again(alice_upload: Upload) -> None:
    processing.fail(claimed(alice_upload), "code", "reason")
    assert actions.retry_uploads(Upload.objects.all()) == 1
    assert actions.retry_uploads(Upload.objects.all()) == 0
    upload = claimed(alice_upload)
    assert (upload.attempts, upload.error_code) == (1, "")


def test_only_what_lost_its_task_is_overdue(alice_upload: Upload) -> None:
    assert Upload.objects.take_overdue() == []
    claimed(alice_upload)
    assert Upload.objects.take_overdue() == []
    expire(alice_upload)
    assert Upload.objects.take_overdue() == [str(alice_upload.pk)]
    assert Upload.objects.take_overdue() == [], "a second sweep must not queue it again"


@pytest.mark.parametrize("minutes_ago", [None, 10])
def test_a_waiting_upload_is_overdue_when_nobody_came(
    alice_upload: Upload, minutes_ago: int | None
) -> None:
    queued = minutes_ago and timezone.now() - timedelta(minutes=minutes_ago)
    Upload.objects.update(queued_at=queued)
    assert Upload.objects.take_overdue() == [str(alice_upload.pk)]


def test_finished_uploads_are_never_overdue(alice_upload: Upload) -> None:
    processing.complete(claimed(alice_upload), RESULT, "model-1")
    expire(alice_upload)
    assert Upload.objects.take_overdue() == []


def test_a_result_that_cannot_be_written_changes_nothing(
    alice_upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen before, and the claim, stay until all of the new result is there."""
    processing.complete(claimed(alice_upload), RESULT, "model-1")
    actions.rerun_uploads(Upload.objects.all())
    again = claimed(alice_upload)
    before = (list(Prediction.objects.values()), Upload.objects.values().get())

    def refuse(*arguments: object) -> None:
        raise OSError("the disk is full")

    for broken in ("bulk_create", "_finish"):
        with monkeypatch.context() as patch:
            if broken == "bulk_create":
                patch.setattr(type(Prediction.objects), "bulk_create", refuse)
            else:
                patch.setattr("recognition.webhooks.deliveries.record_finished", refuse)
            with pytest.raises(OSError, match="full"):
                processing.complete(again, RESULT, "model-2")
        assert (list(Prediction.objects.values()), Upload.objects.values().get()) == before
    assert processing.complete(again, RESULT, "model-2")


def test_a_photo_that_is_gone_is_not_looked_at_again(alice_upload: Upload) -> None:
    processing.complete(claimed(alice_upload), RESULT, "model-1")
    Upload.objects.update(photo_deleted_at=timezone.now(), image="")
    assert actions.rerun_uploads(Upload.objects.all()) == 0
    Upload.objects.update(status=Upload.Status.FAILED)
    assert actions.retry_uploads(Upload.objects.all()) == 0
    assert Upload.objects.get().status == Upload.Status.FAILED
