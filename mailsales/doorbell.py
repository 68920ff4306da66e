"""Ring a task by name. The broker is only a doorbell: the work stands in the database, and beat rings it again."""

from __future__ import annotations

import logging

from kombu.exceptions import OperationalError

from mailsales.celery import app

logger = logging.getLogger(__name__)


def ring(task: str, *args: object) -> bool:
    """Publish the task; return False when the broker is away."""
    try:
        app.send_task(task, args=args, retry=False)
    except OperationalError as error:
        logger.warning("The broker is away, so %s waits for the next beat: %s", task, error)
        return False
    return True
