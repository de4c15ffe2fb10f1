"""Counts and times over a period, with the period before beside them. Each takes tickets that `tickets.access` limited, and never widens them.

`periods` cuts days (pure), `asked` reads what an address asks for, `figures` asks the database, `tables` makes of it what page, file and mail show alike.
"""

from __future__ import annotations
