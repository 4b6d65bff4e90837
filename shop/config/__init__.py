"""The wiring of the project: settings, URLs, Celery, the admin site and the development servers."""

from shop.config.celery import app as celery

__all__ = ["celery"]
