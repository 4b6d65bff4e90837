"""The database backend: ``ENGINE = "shop.kernel.postgres"``."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, whose connections are kept for as long as they live."""

    def is_usable(self) -> bool:
        """Tell whether the connection can serve another request.

        A server that has gone, or has ended the connection, has said so: its word waits to be read.
        Only then it is asked; otherwise a question would cost each request a round trip.
        """
        if self.connection is None or self.connection.closed:
            return False
        return not self._has_news() or super().is_usable()

    def _has_news(self) -> bool:
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))
