"""Addresses of the pages."""

from django.urls import path

from recognition.live import pages as live_pages
from recognition.live import series_pages
from recognition.personal_data import pages as personal_data_pages
from recognition.statistics import pages as statistics_pages
from recognition.uploads import pages as upload_pages
from recognition.uploads import review_pages, trash_pages
from recognition.videos import pages as video_pages
from recognition.webhooks import pages as webhook_pages

urlpatterns = [
    path("", upload_pages.home, name="home"),
    path("about/", upload_pages.about, name="about"),
    path("uploads/", upload_pages.history, name="history"),
    path("uploads/new/", upload_pages.new_uploads, name="new_uploads"),
    path("uploads/sample/", upload_pages.sample_upload, name="sample_upload"),
    path("uploads/shared/", upload_pages.shared_photos, name="shared_photos"),
    path("uploads/selected/", upload_pages.selected_uploads, name="selected_uploads"),
    path("uploads/export.<str:file_format>", upload_pages.export, name="export_uploads"),
    path("uploads/trash/", trash_pages.trash, name="trash"),
    path("uploads/trash/selected/", trash_pages.trashed_uploads, name="trashed_uploads"),
    path("uploads/<uuid:pk>/", upload_pages.upload_detail, name="upload_detail"),
    path("uploads/<uuid:pk>/image/", upload_pages.upload_image, name="upload_image"),
    path("uploads/<uuid:pk>/thumbnail/", upload_pages.upload_thumbnail, name="upload_thumbnail"),
    path("uploads/<uuid:pk>/faces/new/", upload_pages.draw_face, name="draw_face"),
    path(
        "uploads/<uuid:pk>/faces/<int:index>/explain/",
        upload_pages.explain_face,
        name="explain_face",
    ),
    path(
        "uploads/<uuid:pk>/faces/<int:index>/heat-map.png",
        upload_pages.face_heat_map,
        name="face_heat_map",
    ),
    path(
        "uploads/<uuid:pk>/export.<str:file_format>",
        upload_pages.export_upload,
        name="export_upload",
    ),
    path(
        "uploads/<uuid:pk>/faces/<int:face>/correction/",
        upload_pages.correct_face,
        name="correct_face",
    ),
    path("uploads/<uuid:pk>/delete/", trash_pages.delete_upload, name="delete_upload"),
    path("uploads/<uuid:pk>/retry/", upload_pages.retry_upload, name="retry_upload"),
    path("review/", review_pages.review, name="review"),
    path("statistics/", statistics_pages.statistics_page, name="statistics"),
    path("privacy/", personal_data_pages.privacy, name="privacy"),
    path("privacy/retention/", personal_data_pages.choose_retention, name="choose_retention"),
    path("privacy/training/", personal_data_pages.choose_training, name="choose_training"),
    path("privacy/exports/new/", personal_data_pages.start_export, name="start_export"),
    path("privacy/exports/<uuid:pk>/", personal_data_pages.download_export, name="download_export"),
    path(
        "privacy/exports/<uuid:pk>/delete/", personal_data_pages.delete_export, name="delete_export"
    ),
    path("privacy/delete-account/", personal_data_pages.delete_account, name="delete_account"),
    path("webhooks/", webhook_pages.webhooks, name="webhooks"),
    path("webhooks/<uuid:pk>/", webhook_pages.webhook, name="webhook"),
    path("webhooks/<uuid:pk>/ping/", webhook_pages.ping_webhook, name="ping_webhook"),
    path("webhooks/<uuid:pk>/switch/", webhook_pages.switch_webhook, name="switch_webhook"),
    path("webhooks/<uuid:pk>/delete/", webhook_pages.delete_webhook, name="delete_webhook"),
    path("videos/new/", video_pages.new_video, name="new_video"),
    path("videos/<uuid:pk>/cancel/", video_pages.cancel_video, name="cancel_video"),
    path("videos/<uuid:pk>/file/", video_pages.video_file, name="video_file"),
    path("videos/<uuid:pk>/forget/", video_pages.forget_video, name="forget_video"),
    path("live/", live_pages.live, name="live"),
    path("accounts/consent/camera/", live_pages.give_camera_consent, name="give_camera_consent"),
    path("live/sessions/", live_pages.live_sessions, name="live_sessions"),
    path("live/sessions/<uuid:pk>/", live_pages.live_session, name="live_session"),
    path(
        "live/sessions/<uuid:pk>/export.csv",
        live_pages.export_live_session,
        name="export_live_session",
    ),
    path(
        "live/sessions/<uuid:pk>/series.<str:file_format>",
        live_pages.download_recording,
        name="download_recording",
    ),
    path("live/sessions/<uuid:pk>/boxes.json", series_pages.boxes, name="recording_boxes"),
    path(
        "live/sessions/<uuid:pk>/overview.json",
        series_pages.show_overview,
        name="recording_overview",
    ),
    path(
        "live/sessions/<uuid:pk>/stretches/",
        series_pages.show_stretches,
        name="recording_stretches",
    ),
    path("live/sessions/<uuid:pk>/answers/", series_pages.add_answer, name="add_answer"),
    path(
        "live/sessions/<uuid:pk>/answers/<int:answer>/delete/",
        series_pages.delete_answer,
        name="delete_answer",
    ),
    path("live/sessions/<uuid:pk>/markers/", live_pages.add_marker, name="add_marker"),
    path(
        "live/sessions/<uuid:pk>/markers/<int:marker>/delete/",
        live_pages.delete_marker,
        name="delete_marker",
    ),
    path(
        "live/sessions/<uuid:pk>/delete/",
        live_pages.delete_live_session,
        name="delete_live_session",
    ),
]
