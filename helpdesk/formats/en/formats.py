"""English as it is read alike everywhere: the month in letters, 24 hours, the zone beside the time."""

from __future__ import annotations

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i T"
