"""By which link somebody came, in which language, and whether they only try the study."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation

from studies.models import Member, PersonalLink, Study
from studies.taking_part.joining import LONGEST_ID


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody came to a study.

    Attributes:
        study: which one.
        link: the personal link, if it was one.
        external_id: that a panel's link carries.
        language: chosen by them, or by their browser, among the study's.
        is_preview: whether somebody of the team tries it.
    """

    study: Study
    link: PersonalLink | None
    external_id: str
    language: str
    is_preview: bool

    def url(self, page: str, **changes: str) -> str:
        """The page `information`, `consent` or `somebody_else` for whoever came like this."""
        key = self.study.link_key
        if self.link is not None:
            address = reverse(f"taking_part:personal_{page}", args=[self.link.key])
        else:
            address = reverse(f"taking_part:{page}", args=[key])
        query = {
            "id": self.external_id,
            "language": self.language,
            "preview": "1" if self.is_preview else "",
            **changes,
        }
        return f"{address}?{urlencode({name: text for name, text in query.items() if text})}"

    @property
    def told_id(self) -> str:
        """What the team or a panel calls them."""
        return self.link.label if self.link is not None else self.external_id

    @property
    def languages(self) -> list[tuple[str, str, str]]:
        """Code, name and URL of each language to choose from."""
        names = dict(settings.LANGUAGES)
        return [
            (code, names[code], self.url("information", language=code))
            for code in self.study.languages
            if code in names
        ]


def way(request: HttpRequest, link_key: str = "", personal: str = "") -> Way:
    """How a request came in; its language is active from then on.

    Raises:
        Http404: there is no such link, or the study is a draft of other people's.
    """
    if "\0" in link_key + personal:
        raise Http404  # A database may refuse it.
    link = None
    if personal:
        link = get_object_or_404(PersonalLink.objects.select_related("study"), key=personal)
        study = link.study
    else:
        study = get_object_or_404(Study, link_key=link_key)
    is_draft = study.status == Study.Status.DRAFT
    is_preview = is_draft or "preview" in request.GET
    if is_preview and not may_try(request, study):
        raise Http404
    return Way(
        study=study,
        link=link,
        external_id=""
        if link
        else request.GET.get("id", "").replace("\0", "").strip()[:LONGEST_ID],
        language=speak(request, study, request.GET.get("language", "")),
        is_preview=is_preview,
    )


def may_try(request: HttpRequest, study: Study) -> bool:
    """Whether whoever is signed in may preview a study: those who may change it."""
    mine = Study.objects.for_team(request.user, Member.Role.EDITOR)
    return mine.filter(pk=study.pk).exists()


def speak(request: HttpRequest, study: Study, wanted: str) -> str:
    """Answer in a language of the study's: the one that is wanted, the browser's, or its first."""
    offered = [code for code, _name in settings.LANGUAGES if code in study.languages]
    browser = translation.get_language() or ""
    language = next(
        (code for code in (wanted, browser) if code in offered),
        offered[0] if offered else browser,
    )
    translation.activate(language)
    request.LANGUAGE_CODE = language
    return language
