from __future__ import annotations

import pytest

from tests.notifications.sink import running


@pytest.fixture
def sink(settings):
    with running() as (sink, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
        yield sink
