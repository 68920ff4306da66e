"""The ledger, what came back, and what is known about destinations. One module for each; import the names from here."""

from delivery.models.destinations import (
    BrokenTls,
    DestinationGroup,
    StsPolicy,
    Throttle,
    TlsResult,
    UnreadReply,
    WarmupDay,
)
from delivery.models.events import Bounce, Click, Complaint, Event, EventQuerySet, Open, Strike, Unsubscribe
from delivery.models.gone import GoneMessage
from delivery.models.inbound import InboundMail, ReturnMailbox, SandboxMail
from delivery.models.ledger import (
    BADGES,
    Attempt,
    Fanout,
    Generation,
    Installation,
    Lane,
    Lease,
    Link,
    Message,
    Rendition,
)

__all__ = [
    "BADGES",
    "Attempt",
    "Bounce",
    "BrokenTls",
    "Click",
    "Complaint",
    "DestinationGroup",
    "Event",
    "EventQuerySet",
    "Fanout",
    "Generation",
    "GoneMessage",
    "InboundMail",
    "Installation",
    "Lane",
    "Lease",
    "Link",
    "Message",
    "Open",
    "Rendition",
    "ReturnMailbox",
    "SandboxMail",
    "Strike",
    "StsPolicy",
    "Throttle",
    "TlsResult",
    "UnreadReply",
    "Unsubscribe",
    "WarmupDay",
]  # fmt: skip
