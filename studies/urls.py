"""Addresses of the researcher, below /studies/."""

from django.urls import path

from studies.planning import pages
from studies.results import pages as results_pages

app_name = "studies"

urlpatterns = [
    path("", pages.studies, name="studies"),
    path("<uuid:pk>/", pages.study, name="study"),
    path("<uuid:pk>/results/", results_pages.results, name="results"),
    path("<uuid:pk>/results/rules/", results_pages.rules, name="results_rules"),
    path("<uuid:pk>/results/<int:block>/", results_pages.block_results, name="block_results"),
]
