"""Pages that invite participants."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.http import signed_in
from recognition.refusals import Refusal
from studies import access
from studies.models import Study
from studies.planning import links
from studies.planning.context import page
from studies.planning.fields import HttpsField

LINKS_PER_PAGE = 50


class CodesForm(forms.Form):
    """A list of codes, pasted or as a file."""

    codes = forms.CharField(
        label=gettext_lazy("Codes"),
        required=False,
        max_length=links.MAXIMUM_CHARACTERS,
        help_text=gettext_lazy(
            "One a line. Or a table whose first line names its columns: the first column is the "
            "code, the others are attributes such as age or group, by which results can be split."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "code,age,group"}),
    )
    file = forms.FileField(label=gettext_lazy("Or a CSV file"), required=False)


class PanelForm(forms.ModelForm):
    """Where a panel's participants go at the end."""

    class Meta:
        model = Study
        fields = ("return_url",)
        help_texts = {
            "return_url": gettext_lazy(
                "Participants who finish get a button to this URL. {id} in it becomes the id "
                "that the panel gave."
            )
        }
        field_classes = {"return_url": HttpsField}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def invite(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The links; a POST does what ``action`` says."""
    study = access.editable(signed_in(request), pk)
    codes, panel = CodesForm(), PanelForm(instance=study)
    action = request.POST.get("action", "")
    if action == "codes":
        codes = CodesForm(request.POST, request.FILES)
        if codes.is_valid() and _add_codes(request, study, codes):
            return redirect("studies:invite", pk)
    elif action == "panel":
        panel = PanelForm(request.POST, instance=study)
        if panel.is_valid():
            # The rest of the study may have changed since it was read.
            panel.save(commit=False).save(update_fields=["return_url"])
            messages.success(request, _("Saved."))
            return redirect("studies:invite", pk)
    elif action:
        _change_link(request, study, action)
        return redirect("studies:invite", pk)
    personal = study.personal_links.select_related("participation")
    link = links.url(study)
    return page(
        request,
        "studies/invite.html",
        study,
        link=link,
        panel_link=f"{link}?id=",
        codes=codes,
        panel=panel,
        page=Paginator(personal, LINKS_PER_PAGE).get_page(request.GET.get("page")),
    )


@require_safe
@login_required
def personal_links(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All personal links as a CSV file."""
    user = signed_in(request)
    study = access.editable(user, pk)
    # Codes are often names; and whoever has the links can take part.
    if request.method != "HEAD":
        audit.record_hourly("study_links_downloaded", study.owner, user, f"study:{study.pk}")
    response = HttpResponse("".join(links.as_csv(study)), content_type="text/csv; charset=utf-8")
    name = slugify(study.title)[:40] or "study"
    response["Content-Disposition"] = f'attachment; filename="{name}-links.csv"'
    return response


@require_POST
@login_required
def delete_link(request: HttpRequest, pk: UUID, link: int) -> HttpResponse:
    """Delete a personal link; whoever came in by it stays in the study."""
    study = access.editable(signed_in(request), pk)
    links.delete(get_object_or_404(study.personal_links, pk=link))
    messages.success(request, _("The link no longer works."))
    return redirect("studies:invite", pk)


def _add_codes(request: HttpRequest, study: Study, form: CodesForm) -> bool:
    try:
        file = form.cleaned_data["file"]
        text = links.read_file(file.read()) if file else form.cleaned_data["codes"]
        count = links.add(study, links.read_list(text))
    except Refusal as error:
        form.add_error("codes", str(error))
        return False
    text = ngettext("%(n)d new link.", "%(n)d new links.", count) % {"n": count}
    messages.success(request, text)
    return True


def _change_link(request: HttpRequest, study: Study, action: str) -> None:
    match action:
        case "new":
            links.renew(study)
            messages.success(request, _("This is the new link. The old one no longer works."))
        case "close":
            links.set_open(study, False)
            messages.success(request, _("Only personal links let people in now."))
        case "open":
            links.set_open(study, True)
            messages.success(request, _("Anybody with the link can take part now."))
