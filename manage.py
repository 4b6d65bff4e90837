#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import execute_from_command_line

# The settings refuse to load without a database; these commands never ask it anything.
NEED_NO_DATABASE = {"attribute", "price_cases", "replay_points"}

if __name__ == "__main__":
    if NEED_NO_DATABASE.intersection(sys.argv[1:2]) and not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")
    execute_from_command_line(sys.argv)
