from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "delivery"

    def ready(self) -> None:
        # registers the system check, and who knows of return mailboxes, once the apps are there
        from delivery import checks, return_paths  # noqa: F401, PLC0415
