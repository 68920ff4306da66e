from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "delivery"
    verbose_name = _("Delivery")

    def ready(self) -> None:
        # once the apps are there: the system check, and what domains' checks must know of campaigns and mailboxes
        from accounts.domains import neighbours  # noqa: PLC0415
        from delivery import checks, domain_holds, return_paths  # noqa: F401, PLC0415

        neighbours.tell(mailbox_domain=return_paths.mailbox_domain_of, waiting=domain_holds.waiting_for)
