from django.apps import AppConfig


class MailsalesConfig(AppConfig):
    name = "mailsales"

    def ready(self) -> None:
        from mailsales import checks  # noqa: F401, PLC0415 -- registers the system checks once the apps are there
