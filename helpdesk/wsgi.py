"""The web process: `gunicorn helpdesk.wsgi`."""

from __future__ import annotations

import logging
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from helpdesk.env import refuse_if_broken
from helpdesk.logs import WithoutKeys

application = get_wsgi_application()
refuse_if_broken()
logging.getLogger("gunicorn.access").addFilter(WithoutKeys())  # gunicorn's handlers are its own
