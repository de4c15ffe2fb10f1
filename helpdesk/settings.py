"""All settings, in one file, from the environment (`.env.example` documents each variable).

Nothing here branches by "environment": production, demo and tests differ by variables alone.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import bootstrap
import dj_database_url
import django_prose_editor
from csp.constants import NONE, SELF
from kombu import Queue
from whitenoise.compress import Compressor

from helpdesk.env import env_bool, env_int, env_list, env_prefixed, env_str, env_url, problems

BASE_DIR = Path(__file__).resolve().parent.parent

# --- What this installation is -------------------------------------------------------------------------------------------------

DEBUG = env_bool("DEBUG")
# Demo mode offers accounts with a known password, so it may only ever be reached from this machine (see ALLOWED_HOSTS).
DEMO = env_bool("DEMO")
VAR_DIR = Path(env_str("VAR_DIR", str(BASE_DIR / "var")))

SITE_NAME = env_str("SITE_NAME", "Helpdesk")
SITE_URL = env_url("SITE_URL", "http://127.0.0.1:8000", schemes=("http", "https"))
SITE_LOGO = env_str("SITE_LOGO")  # a path below a static folder; empty: our own mark
TELL_PRIORITY = env_bool("TELL_PRIORITY")  # whether "Tell the customer" is ticked from the start where an agent sets a priority
ACCENT = env_str("ACCENT")  # a CSS hex colour; empty: the one in tokens.css
SUPPORT_ADDRESS = env_str("SUPPORT_ADDRESS", "support@support.example").lower()
SUPPORT_DOMAIN = SUPPORT_ADDRESS.rpartition("@")[2]
if SUPPORT_ADDRESS.count("@") != 1 or not SUPPORT_DOMAIN or "+" in SUPPORT_ADDRESS or not SUPPORT_ADDRESS.isascii():
    problems["SUPPORT_ADDRESS"] = "is not a plain mail address such as support@example.com (no plus sign: replies use it)."
if ACCENT and not (len(ACCENT) == 7 and ACCENT[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in ACCENT[1:])):
    problems["ACCENT"] = "is not a colour such as #3355aa."

# --- Security ------------------------------------------------------------------------------------------------------------------

SECRET_KEY = env_str("SECRET_KEY")
if not SECRET_KEY:
    if not (DEBUG or DEMO):
        problems["SECRET_KEY"] = "is missing: set 50 or more random characters, the same for every process."  # noqa: S105 words, not a secret
    SECRET_KEY = secrets.token_urlsafe(50)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]") if DEBUG or DEMO else ())
if not ALLOWED_HOSTS:
    problems["ALLOWED_HOSTS"] = "is missing: set the host names people use, separated by commas."
if DEMO and not {"127.0.0.1", "localhost", "[::1]", "testserver"}.issuperset(ALLOWED_HOSTS):
    problems["DEMO"] = "is on, whose accounts have a public password: ALLOWED_HOSTS may then name this machine alone."

HTTPS = SITE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by probes inside the network, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = env_bool("BEHIND_PROXY")  # one proxy of ours, whose headers tell who asks and how
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = timedelta(days=14).total_seconds().__int__()
CSRF_FAILURE_VIEW = "helpdesk.views.expired_form"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    },
}

# --- Django --------------------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "helpdesk",
    "accounts",
    "tickets",
    "notifications",
    "accounts.admin_site.ConfigurationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "anymail",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "lucide",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "helpdesk.middleware.SizeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "helpdesk.middleware.PersonMiddleware",
    "helpdesk.middleware.SecondStepMiddleware",
    "helpdesk.middleware.DomainErrorMiddleware",
    "helpdesk.middleware.WayBackMiddleware",
]
ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpdesk.context.site",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = env_str("LANGUAGE_CODE", "en")  # for whoever has chosen none
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # by their own names: who looks for theirs may not read the page's
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["helpdesk.formats"]
if LANGUAGE_CODE not in dict(LANGUAGES):
    problems["LANGUAGE_CODE"] = f"is not one of {', '.join(dict(LANGUAGES))}."
TIME_ZONE = env_str("TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", Path(bootstrap.__path__[0])),
    # The bundle alone; nothing of ours needs its app.
    ("django_prose_editor", Path(django_prose_editor.__path__[0]) / "static" / "django_prose_editor"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "helpdesk.assets.Storage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (
    *Compressor.SKIP_COMPRESS_EXTENSIONS,
    "map",
)  # large, and asked for by nobody but who looks for a fault
MEDIA_ROOT = env_str("MEDIA_ROOT", str(VAR_DIR / "media"))

# --- Database, cache, jobs -----------------------------------------------------------------------------------------------------

DATABASE_URL = env_url("DATABASE_URL", f"sqlite:///{VAR_DIR}/db.sqlite3", schemes=("sqlite", "postgres", "postgresql"))
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # writers queue at BEGIN instead of failing half-way
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    # Nothing may wait for ever: a stuck statement, lock or forgotten transaction ends by itself. Compiling a query (JIT) takes ten times as long
    # as ours do, which are short and many.
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = (
        "-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000 -c jit=off"
    )

REDIS_URL = env_url("REDIS_URL", "", schemes=("redis", "rediss", "unix"))
CACHES = {
    "default": {
        "BACKEND": "helpdesk.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "helpdesk",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # a session outlives an emptied Redis

# The broker only ever wakes somebody: every job is found again in the database by the schedule below.
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {
        "socket_timeout": 5,
        "socket_connect_timeout": 1,
        "max_retries": 0,  # a page must not wait for a broker that is gone
        "visibility_timeout": 3600,
        "global_keyprefix": "helpdesk:",
    }
    if REDIS_URL
    else {
        "data_folder_in": str(VAR_DIR / "broker"),
        "data_folder_out": str(VAR_DIR / "broker"),
        "control_folder": str(VAR_DIR / "broker-control"),
    }
)
CELERY_TASK_IGNORE_RESULT = True
# Mail that comes in has a queue of its own: it does not stand in line behind mail that a slow server takes. A worker serves both unless told otherwise.
CELERY_TASK_QUEUES = [Queue("celery"), Queue("intake")]
CELERY_TASK_ROUTES = {"tickets.tasks.ingest_waiting": {"queue": "intake"}}
CELERY_TASK_ACKS_LATE = True  # tasks are safe to run twice
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")
# A job that waited longer than its interval is pointless: the next one does its work.
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, task, seconds in (
        ("relay", "notifications.tasks.relay", 15),
        ("deliver", "notifications.tasks.deliver_due", 15),
        ("digest", "notifications.tasks.make_digests", 300),
        ("report_mails", "notifications.tasks.make_report_mails", 60),
        ("ingest", "tickets.tasks.ingest_waiting", 15),
        ("reports", "notifications.tasks.match_reports", 15),
        ("close", "tickets.tasks.close_due", 60),
        ("wake", "tickets.tasks.wake_due", 60),
        ("releases", "tickets.tasks.post_releases", 60),
        ("replies", "tickets.tasks.send_replies", 3),
        ("rules", "tickets.tasks.apply_rules_on_time", 60),
        ("sla", "tickets.tasks.tell_due_clocks", 15),
        ("fetch", "tickets.tasks.fetch_mail", 60),
        ("index", "tickets.tasks.index_waiting", 15),
        ("uploads", "tickets.tasks.drop_uploads", 3600),
        ("drafts", "tickets.tasks.drop_drafts", 86400),
        ("bulk", "tickets.tasks.work_bulk", 15),
        ("bulk_old", "tickets.tasks.drop_bulk", 86400),
    )
}

# --- People --------------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# One alone: a second would hash a known person's wrong password once more than a stranger's, and the time would tell who has an account.
AUTHENTICATION_BACKENDS = ["accounts.backends.AddressBackend"]
PASSWORD_HASHERS = [
    *(["accounts.hashers.DemoPasswordHasher"] if DEMO else []),
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "notifications.account_adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is proven by the set-password link alone, see accounts.proof
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to strangers
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.tokens.SetPasswordTokens"  # noqa: S105 a class, not a secret
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600  # seconds in which the password, once asked for again, need not be typed once more
ACCOUNT_FORMS = {"reset_password": "accounts.forms.ResetPasswordForm"}
# Beside allauth's own: 30 tries to log in a minute and network, 10 failed ones, and 5 failed ones in 5 minutes for an account.
ACCOUNT_RATE_LIMITS = {"signup": "5/m/ip,30/h/ip", "manage_email": "5/m/user,20/h/user"}
OIDC_SERVER_URL = env_url("OIDC_SERVER_URL", "", schemes=("https", "http"))  # of the identity provider; empty: passwords and passkeys alone
OIDC_CLIENT_ID = env_str("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env_str("OIDC_CLIENT_SECRET")
OIDC_NAME = env_str("OIDC_NAME", "Single sign-on")  # on its button
OIDC_MFA = env_bool("OIDC_MFA")  # whether the provider asks staff for a second step, so that we need not
if OIDC_SERVER_URL and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    problems["OIDC_CLIENT_ID"] = "or OIDC_CLIENT_SECRET is missing: OIDC_SERVER_URL names a provider, which gives both."
if OIDC_SERVER_URL.startswith("http:") and not (DEBUG or DEMO):
    problems["OIDC_SERVER_URL"] = "does not start with https://, so anybody between could say who people are."
SOCIALACCOUNT_ADAPTER = "accounts.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"  # the adapter asks for more: the provider's word
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds
_OIDC_APP = {
    "provider_id": "sso",
    "name": OIDC_NAME,
    "client_id": OIDC_CLIENT_ID,
    "secret": OIDC_CLIENT_SECRET,
    "settings": {"server_url": OIDC_SERVER_URL},
}
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [_OIDC_APP]}} if OIDC_SERVER_URL else {}
STAFF_MFA = env_bool("STAFF_MFA")  # whether staff must have a second step
MFA_ADAPTER = "accounts.second_step.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers make passkeys for https and localhost alone
MFA_ALLOW_UNVERIFIED_EMAIL = True  # another address that awaits its proof is in nobody's way
MFA_TOTP_TOLERANCE = 1  # steps of half a minute: clocks differ, and people are slow
MFA_FORMS = {
    "authenticate": "accounts.second_step.AuthenticateForm",
    "reauthenticate": "accounts.second_step.ReauthenticateForm",
    "add_webauthn": "accounts.second_step.AddPasskeyForm",
    "authenticate_webauthn": "accounts.second_step.AuthenticatePasskeyForm",
    "login_webauthn": "accounts.second_step.LoginPasskeyForm",
    "reauthenticate_webauthn": "accounts.second_step.ReauthenticatePasskeyForm",
}
SIGNUP = env_str("SIGNUP", "off").lower()  # who may make an account for themselves, see accounts.sign_up
if SIGNUP not in ("off", "on", "domains"):
    problems["SIGNUP"] = "is not one of off, on, domains."
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600  # seconds; one hour for an account that has a password, see accounts.proof

# --- Mail ----------------------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = SERVER_EMAIL = f'"{SITE_NAME}" <{SUPPORT_ADDRESS}>'
EMAIL_HOST = env_str("EMAIL_HOST")
EMAIL_PORT = env_int("EMAIL_PORT", 25, low=1, high=65535)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 30  # seconds
EMAIL_PROVIDER = env_str("EMAIL_PROVIDER")  # an anymail backend: postmark, mailgun, sendgrid, amazon_ses …
ANYMAIL = env_prefixed("ANYMAIL_")
OUTBOX_DIR = VAR_DIR / "outbox"
if EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
elif EMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
else:
    EMAIL_BACKEND = "notifications.kept_mail.EmailBackend"  # kept under OUTBOX_DIR, read at the desk's Mail page
    if not (DEBUG or DEMO):
        problems["EMAIL_HOST"] = "is missing, and so is EMAIL_PROVIDER: no mail could leave."

MAIL_WEBHOOKS = env_list("MAIL_WEBHOOKS")  # the providers that may post mail to /webhooks/…/mime
if unknown := sorted({*MAIL_WEBHOOKS} - {"amazon_ses", "mailgun", "postmark", "sendgrid"}):
    problems["MAIL_WEBHOOKS"] = f"names {', '.join(unknown)}; write some of amazon_ses, mailgun, postmark, sendgrid."
if MAIL_WEBHOOKS and not re.fullmatch(r"[!-9;-~]+:[!-~]{16,}", ANYMAIL.get("WEBHOOK_SECRET", "")):
    problems["ANYMAIL_WEBHOOK_SECRET"] = "is missing or not name:password, with 16 or more characters after the colon."  # noqa: S105 words
if "mailgun" in MAIL_WEBHOOKS and not ANYMAIL.get("MAILGUN_WEBHOOK_SIGNING_KEY"):
    problems["ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY"] = "is missing: MAIL_WEBHOOKS names mailgun, which signs what it posts."

# How long a mail about an update waits for what the same person does next, so that both become one mail; 0: each is its own.
MERGE_SECONDS = env_int("MERGE_SECONDS", 60, high=3600)
# How long staff can take back a reply from the desk before anybody gets to see it; 0: it goes out at once.
UNDO_SECONDS = env_int("UNDO_SECONDS", 10, high=120)

# Whether the domain in From stands for a mail: noted by the mail server of this id in Authentication-Results, or else checked by us.
AUTHSERV_ID = env_list("AUTHSERV_ID")
AUTHSERV_HOPS = env_int("AUTHSERV_HOPS", 0, high=20)  # Received lines that our own mail server writes above its verdict
CHECK_AUTHENTICATION = env_bool("CHECK_AUTHENTICATION", default=not (DEBUG or DEMO))
TRUSTED_ARC_DOMAINS = env_list("TRUSTED_ARC_DOMAINS")  # forwarders whose word about a mail's origin counts

SMTP_HOST = env_str("SMTP_HOST", "127.0.0.1")  # where the mail receiver listens
SMTP_PORT = env_int("SMTP_PORT", 8025, low=1, high=65535)

# --- Related tickets -----------------------------------------------------------------------------------------------------------

# Of two tickets that are equally alike, one of today counts up to twice as much; after this many days, a third of that is left. 0: age does not count.
RELATED_RECENCY_DAYS = env_int("RELATED_RECENCY_DAYS", 35, high=3650)

# --- Limits --------------------------------------------------------------------------------------------------------------------

MAX_MAIL_BYTES = 50 * 1024 * 1024
MAX_WEBHOOK_BYTES = 2 * MAX_MAIL_BYTES  # JSON and forms blow a mail up, and Postmark sends it twice: whole and in pieces
MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_FILES = 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 1000  # the form refuses more than MAX_FILES in kinder words

# --- Logging: one line a record to stderr --------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"without_keys": {"()": "helpdesk.logs.WithoutKeys"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_keys"]}},
    "root": {"handlers": ["stderr"], "level": env_str("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "mail.log": {"level": "WARNING"},  # aiosmtpd's; it would write every address, and with them reply tokens
        "django.server": {"handlers": [], "propagate": True},
        "django": {"handlers": [], "propagate": True},
    },
}

if not urlsplit(SITE_URL).hostname:
    problems["SITE_URL"] = "has no host name: write the address people use, such as https://support.example.com."
