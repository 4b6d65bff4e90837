"""Pictures as answers."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer


class _PictureRenderer(BaseRenderer):
    """Hands out bytes that were drawn already."""

    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return bytes(data)


class SVGRenderer(_PictureRenderer):
    """A vector picture, for print."""

    media_type = "image/svg+xml"
    format = "svg"


class PNGRenderer(_PictureRenderer):
    """A pixel picture, for screens and chats."""

    media_type = "image/png"
    format = "png"
