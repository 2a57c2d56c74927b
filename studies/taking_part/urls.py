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
    path("<str:link_key>/somebody-else/", pages.somebody_else, name="somebody_else"),
    path("in/<uuid:pk>/run/", pages.run, name="run"),
    path("in/<uuid:pk>/token/", pages.token, name="token"),
    path("in/<uuid:pk>/leave/", pages.leave, name="leave"),
    path("in/<uuid:pk>/end/", pages.end, name="end"),
    path("in/<uuid:pk>/shown/", pages.shown, name="shown"),
    path("in/<uuid:pk>/left/", pages.left, name="left"),
    path("in/<uuid:pk>/blocks/<int:block>/", pages.stimulus, name="stimulus"),
]
