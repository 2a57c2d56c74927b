"""Addresses of the researcher, below /studies/."""

from django.urls import path

from studies.planning import pages

app_name = "studies"

urlpatterns = [
    path("", pages.studies, name="studies"),
    path("<uuid:pk>/", pages.study, name="study"),
]
