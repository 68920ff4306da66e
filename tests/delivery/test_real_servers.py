from __future__ import annotations

from contextlib import AbstractContextManager

from mailsales.reasons import Reason
from tests.delivery.real_servers import cases
from tests.delivery.real_servers.exim import exim
from tests.delivery.real_servers.postfix import postfix
from tests.delivery.real_servers.world import Post, post


class PostfixTest(cases.ReportCases):
    @staticmethod
    def start() -> AbstractContextManager[Post]:
        return post(postfix)


class EximTest(cases.ReportCases):
    nowhere = Reason.USER_UNKNOWN  # "Unrouteable address" is its word for both
    away = Reason.EXPIRED  # "retry timeout exceeded", without the last error

    @staticmethod
    def start() -> AbstractContextManager[Post]:
        return post(exim)
