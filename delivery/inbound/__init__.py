"""What comes back to this installation: taken over SMTP (`server`), kept, and read by a task afterwards (`reading`)."""

from delivery.inbound.reading import forget, read_new

__all__ = ["forget", "read_new"]
