"""The web process: Django under granian, connected as the role behind the wall."""

from __future__ import annotations

import ctypes
import os
import sys

if sys.platform == "linux":
    # PR_SET_PDEATHSIG: without it a worker of a granian that was killed goes on listening beside its successor.
    ctypes.CDLL(None).prctl(1, 15, 0, 0, 0)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailsales.settings")
os.environ.setdefault("MAILSALES_PROCESS", "web")

from django.core.wsgi import get_wsgi_application

from mailsales import celery, checks

__all__ = ["application", "celery"]

application = get_wsgi_application()
checks.refuse_bad_settings()
