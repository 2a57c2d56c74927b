"""Quotas are exact when several photos come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.pictures import no_face_jpeg
from tests.support.site import Person, Site

AT_ONCE = 6


def test_the_last_free_place_is_given_once(site: Site) -> None:
    person = site.sign_up("last-place@example.org")
    code = (
        "from accounts.models import User;"
        "User.objects.filter(email='last-place@example.org').update(quota_uploads_a_day=2)"
    )
    site.manage("shell", "-c", code)
    assert person.upload(no_face_jpeg()).status_code == 201

    def upload(number: int) -> int:
        another = Person(site.url)
        another.http.cookies.update(person.http.cookies)
        return another.upload(no_face_jpeg(), f"{number}.jpg").status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        statuses = list(threads.map(upload, range(AT_ONCE)))
    assert sorted(statuses) == [201, *[429] * (AT_ONCE - 1)]
    assert len(person.uploads()) == 2
