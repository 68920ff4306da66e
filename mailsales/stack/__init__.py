"""The embedded stack behind `make run`: PostgreSQL, Valkey and the supervisor of all processes."""

from mailsales.stack.embedded import Services, StackIsRunning, services

__all__ = ["Services", "StackIsRunning", "services"]
