"""Offers in plain words, Chinese and English, from their rules.

Pure Python, like the rules: no database, no settings, no language of the request.
"""

from campaigns.summaries.phrases import NO_NAMES, Names, Text, money
from campaigns.summaries.rules import NO_CAPS, Caps, summarize

__all__ = ["NO_CAPS", "NO_NAMES", "Caps", "Names", "Text", "money", "summarize"]
