"""Addresses of participants, below /take-part/."""

from django.urls import path

from studies.taking_part import pages

app_name = "taking_part"

urlpatterns = [
    path("withdraw/", pages.withdraw, name="withdraw"),
    path("preview/<uuid:pk>/", pages.preview, name="preview"),
    path("p/<str:key>/", pages.information, name="personal_information"),
    path("p/<str:key>/consent/", pages.consent, name="personal_consent"),
    path("<str:link_key>/", pages.information, name="information"),
    path("<str:link_key>/consent/", pages.consent, name="consent"),
    path("<str:link_key>/run/", pages.run, name="run"),
    path("<str:link_key>/token/", pages.token, name="token"),
    path("<str:link_key>/leave/", pages.leave, name="leave"),
    path("<str:link_key>/end/", pages.end, name="end"),
    path("<str:link_key>/blocks/<int:block>/", pages.stimulus, name="stimulus"),
]
