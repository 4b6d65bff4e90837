"""In which form an answer goes out: `?format=` decides, else the Accept header."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from shop.kernel.renderers import CSVRenderer, JSONRenderer


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


class AlsoAsFile:
    """A view whose rows are JSON or CSV, as `?format=` or the Accept header says."""

    renderer_classes: ClassVar[Any] = [JSONRenderer, CSVRenderer]
    content_negotiation_class: type[BaseContentNegotiation] = FormatNegotiation

    def handle_exception(self, exc: Exception) -> Response:
        """Answer problems as JSON, whatever the rows would have been."""
        response: Response = super().handle_exception(exc)  # type: ignore[misc]
        request: Request = self.request  # type: ignore[attr-defined]
        request.accepted_renderer = JSONRenderer()
        request.accepted_media_type = JSONRenderer.media_type
        return response
