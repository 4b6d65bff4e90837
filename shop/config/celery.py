"""The Celery application; started as ``celery -A shop.config``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")

app = Celery("huigan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
