"""Addresses of the researcher, below /studies/."""

from django.urls import path

from studies.planning import block_pages, invite_pages, pages, progress_pages, team_pages
from studies.results import download_pages
from studies.results import pages as results_pages

app_name = "studies"

urlpatterns = [
    path("", pages.studies, name="studies"),
    path("new/", pages.new_study, name="new_study"),
    path("stimuli/", block_pages.upload_stimulus, name="upload_stimulus"),
    path("join/<str:key>/", team_pages.join, name="join"),
    path("<uuid:pk>/", pages.study, name="study"),
    path("<uuid:pk>/results/", results_pages.results, name="results"),
    path("<uuid:pk>/results/rules/", results_pages.rules, name="results_rules"),
    path("<uuid:pk>/results/<str:file>", download_pages.download, name="download"),
    path("<uuid:pk>/results/<int:block>/", results_pages.block_results, name="block_results"),
    path("<uuid:pk>/details/", pages.study_details, name="study_details"),
    path("<uuid:pk>/status/", pages.study_status, name="study_status"),
    path("<uuid:pk>/delete/", pages.delete_study, name="delete_study"),
    path("<uuid:pk>/blocks/", block_pages.blocks, name="blocks"),
    path("<uuid:pk>/blocks/new/", block_pages.new_block, name="new_block"),
    path("<uuid:pk>/blocks/order/", block_pages.set_order, name="set_order"),
    path("<uuid:pk>/blocks/<int:block>/", block_pages.edit_block, name="edit_block"),
    path("<uuid:pk>/blocks/<int:block>/change/", block_pages.change_block, name="change_block"),
    path("<uuid:pk>/blocks/<int:block>/file/", block_pages.block_file, name="block_file"),
    path("<uuid:pk>/conditions/", block_pages.add_condition, name="add_condition"),
    path(
        "<uuid:pk>/conditions/<int:condition>/delete/",
        block_pages.delete_condition,
        name="delete_condition",
    ),
    path("<uuid:pk>/invite/", invite_pages.invite, name="invite"),
    path("<uuid:pk>/invite/links.csv", invite_pages.personal_links, name="personal_links"),
    path("<uuid:pk>/invite/<int:link>/delete/", invite_pages.delete_link, name="delete_link"),
    path("<uuid:pk>/team/", team_pages.team, name="team"),
    path("<uuid:pk>/team/<int:member>/", team_pages.change_member, name="change_member"),
    path("<uuid:pk>/team/owner/", team_pages.ownership, name="ownership"),
    path("<uuid:pk>/team/leave/", team_pages.leave, name="leave_team"),
    path("<uuid:pk>/progress/", progress_pages.study_progress, name="study_progress"),
    path(
        "<uuid:pk>/participants/<int:number>/delete/",
        progress_pages.delete_participant,
        name="delete_participant",
    ),
    path("<uuid:pk>/data-protection/", progress_pages.data_protection, name="data_protection"),
]
