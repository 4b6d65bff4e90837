"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")

django = get_wsgi_application()

from campaigns.api.click_server import ClickServer  # noqa: E402  only once the models are loaded

application = ClickServer(django)
