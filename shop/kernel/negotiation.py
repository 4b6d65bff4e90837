"""In which form an answer goes out: `?format=` decides, else the Accept header."""

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class FormatNegotiation(DefaultContentNegotiation):
    """Let a link choose the format, because a link cannot set a header."""

    def select_renderer(
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],  # type: ignore[override]
        format_suffix: str | None = None,
    ) -> tuple[Any, str]:
        """Return the renderer and its media type.

        Raises:
            NotAcceptable: none of them makes this format.
        """
        wanted = request.query_params.get("format")
        if wanted is None:
            renderer, media_type = super().select_renderer(request, renderers, format_suffix)
            return renderer, media_type
        for renderer in renderers:
            if renderer.format == wanted:
                return renderer, str(renderer.media_type)
        raise NotAcceptable(available_renderers=renderers)
