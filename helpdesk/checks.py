"""System checks of this installation: each variable that is missing or makes no sense is told by its name."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from helpdesk.env import problems


@register()
def environment(**_kwargs: Any) -> list[CheckMessage]:
    return [Error(f"{name} {problem}", hint="See .env.example.", id="helpdesk.E001") for name, problem in sorted(problems.items())]
