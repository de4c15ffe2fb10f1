"""The web process: `gunicorn helpdesk.wsgi`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from helpdesk.env import refuse_if_broken

application = get_wsgi_application()
refuse_if_broken()
