from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "delivery"

    def ready(self) -> None:
        from delivery import checks  # noqa: F401, PLC0415 -- registers the system check once the apps are there
