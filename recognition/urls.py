"""Addresses of the pages."""

from django.urls import path

from recognition import privacy_views, statistics_views, views
from recognition.live import views as live_views
from recognition.webhooks import views as webhook_views

urlpatterns = [
    path("", views.home, name="home"),
    path("about/", views.about, name="about"),
    path("uploads/", views.history, name="history"),
    path("uploads/new/", views.new_uploads, name="new_uploads"),
    path("uploads/selected/", views.selected_uploads, name="selected_uploads"),
    path("uploads/export.<str:file_format>", views.export, name="export_uploads"),
    path("uploads/<uuid:pk>/", views.upload_detail, name="upload_detail"),
    path("uploads/<uuid:pk>/image/", views.upload_image, name="upload_image"),
    path("uploads/<uuid:pk>/thumbnail/", views.upload_thumbnail, name="upload_thumbnail"),
    path("uploads/<uuid:pk>/faces/<int:index>/explain/", views.explain_face, name="explain_face"),
    path(
        "uploads/<uuid:pk>/faces/<int:index>/heat-map.png",
        views.face_heat_map,
        name="face_heat_map",
    ),
    path("uploads/<uuid:pk>/export.<str:file_format>", views.export_upload, name="export_upload"),
    path("uploads/<uuid:pk>/faces/<int:face>/correction/", views.correct_face, name="correct_face"),
    path("uploads/<uuid:pk>/delete/", views.delete_upload, name="delete_upload"),
    path("uploads/<uuid:pk>/retry/", views.retry_upload, name="retry_upload"),
    path("statistics/", statistics_views.statistics_page, name="statistics"),
    path("privacy/", privacy_views.privacy, name="privacy"),
    path("privacy/retention/", privacy_views.choose_retention, name="choose_retention"),
    path("privacy/training/", privacy_views.choose_training, name="choose_training"),
    path("privacy/exports/new/", privacy_views.start_export, name="start_export"),
    path("privacy/exports/<uuid:pk>/", privacy_views.download_export, name="download_export"),
    path("privacy/exports/<uuid:pk>/delete/", privacy_views.delete_export, name="delete_export"),
    path("privacy/delete-account/", privacy_views.delete_account, name="delete_account"),
    path("webhooks/", webhook_views.webhooks, name="webhooks"),
    path("webhooks/<uuid:pk>/", webhook_views.webhook, name="webhook"),
    path("webhooks/<uuid:pk>/ping/", webhook_views.ping_webhook, name="ping_webhook"),
    path("webhooks/<uuid:pk>/switch/", webhook_views.switch_webhook, name="switch_webhook"),
    path("webhooks/<uuid:pk>/delete/", webhook_views.delete_webhook, name="delete_webhook"),
    path("live/", live_views.live, name="live"),
    path("live/sessions/", live_views.live_sessions, name="live_sessions"),
    path("live/sessions/<uuid:pk>/", live_views.live_session, name="live_session"),
    path(
        "live/sessions/<uuid:pk>/export.csv",
        live_views.export_live_session,
        name="export_live_session",
    ),
    path(
        "live/sessions/<uuid:pk>/delete/",
        live_views.delete_live_session,
        name="delete_live_session",
    ),
]
