"""Addresses of participants, below /take-part/."""

from django.urls import URLPattern

app_name = "taking_part"

urlpatterns: list[URLPattern] = []
