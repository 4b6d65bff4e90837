"""Every URL of the project."""

from django.urls import path

urlpatterns = []
