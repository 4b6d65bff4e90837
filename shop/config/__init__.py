"""The wiring of the project: settings, URLs, Celery, the admin site and the development servers.

Celery finds its application in ``shop.config.celery``; nothing else imports it, because no web
request queues a job: what may happen later is a row of the outbox, or found by beat's next tick.
"""
