"""The log tells what happened, and hands nobody a key."""

from __future__ import annotations

import logging
from importlib import import_module
from logging.config import DictConfigurator

import pytest
from django.conf import settings

KEYS = ["/accounts/password/reset/key/4f-d9x1ab-3c2b1a/", "/mail/unsubscribe/WzEsMiwxXQ:abc-DEF_1/"]


@pytest.fixture
def gunicorn_log(monkeypatch):
    """As it is once gunicorn has loaded our application."""
    monkeypatch.setattr("helpdesk.env.problems", {})
    import_module("helpdesk.wsgi")
    return logging.getLogger("gunicorn.access")


@pytest.mark.parametrize("path", KEYS)
def test_path_that_is_a_key_when_django_warns_of_it_then_is_not_written(path, capsys):
    handler = DictConfigurator({**settings.LOGGING, "loggers": {}, "root": {}})
    handler.configure()
    record = logging.makeLogRecord({"name": "django.request", "msg": "%s: %s", "args": ("Not Found", path)})
    handler.config["handlers"]["stderr"].handle(record)
    written = capsys.readouterr().err
    assert (path in written, "Not Found: " in written, "…/" in written) == (False, True, True)


@pytest.mark.parametrize("path", KEYS)
def test_path_that_is_a_key_when_the_web_server_logs_it_then_is_not_written(gunicorn_log, path, caplog):
    with caplog.at_level(logging.INFO, "gunicorn.access"):
        gunicorn_log.info('%(h)s "%(r)s" %(s)s', {"h": "127.0.0.1", "r": f"GET {path} HTTP/1.1", "s": "302"})
    assert (path in caplog.text, '…/ HTTP/1.1" 302' in caplog.text) == (False, True)


def test_any_other_path_when_logged_then_stands_as_it_is(gunicorn_log, caplog):
    with caplog.at_level(logging.INFO, "gunicorn.access"):
        gunicorn_log.info("GET /accounts/password/reset/ 200")
    assert "GET /accounts/password/reset/ 200" in caplog.text
