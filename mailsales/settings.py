"""One settings file, fed by the environment and `.env` (`.env.example` explains each name).

A wrong value never raises here: `environment` collects it, `checks.py` names it with a hint.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from mailsales import environment
from mailsales.stack import state

environment.load()

BASE_DIR = environment.ROOT
IS_PRODUCTION = environment.choice("MAILSALES_ENV", "development", ("development", "production")) == "production"
DEBUG = False
VAR = (BASE_DIR / environment.text("MAILSALES_VAR", "var")).resolve()
SECRET_KEY = environment.secret_key("SECRET_KEY", VAR, is_production=IS_PRODUCTION)
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
STACK = state.read(VAR)  # what the embedded stack says of itself; None where none runs

# -- addresses ---------------------------------------------------------------------------------

PORT = environment.number("PORT", STACK.port if STACK else 8000, low=1)
HOST = environment.text("HOST", "127.0.0.1")
PUBLIC_URL = environment.url("PUBLIC_URL", f"http://localhost:{PORT}", ("https", "http")).rstrip("/")
TRACKING_URL = environment.url("TRACKING_URL", PUBLIC_URL, ("https", "http")).rstrip("/")
OWN_HOSTS = sorted({name for url in (PUBLIC_URL, TRACKING_URL) if (name := urlsplit(url).hostname)})
ALLOWED_HOSTS = ["*"]  # `accounts.middleware.known_host` tells members' pages from readers', whose hosts are customers'
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
ADMIN_PATH = environment.text("ADMIN_PATH", "admin").strip("/") + "/"
ADMIN_NETWORKS = environment.words("ADMIN_NETWORKS", "127.0.0.0/8,::1/128")
ROOT_URLCONF = "mailsales.urls"
WSGI_APPLICATION = "mailsales.wsgi.application"

# -- apps --------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_prose_editor",
    "lucide",
    "csp",
    "allauth",
    "allauth.account",
    "axes",
    "mailsales",
    "accounts",
    "campaigns",
    "delivery",
    "reports",
]
MIDDLEWARE = [
    "accounts.middleware.known_host",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.idle_logout",
    "accounts.middleware.acting_account",
    "axes.middleware.AxesMiddleware",
]
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
                "csp.context_processors.nonce",
                "accounts.navigation.shell",
            ],
        },
    },
]
FORM_RENDERER = "mailsales.rendering.FieldRenderer"

# -- database, cache, broker -------------------------------------------------------------------

DATABASE_URL = environment.text("DATABASE_URL") or (STACK.database_url if STACK else "")
REDIS_URL = environment.url("REDIS_URL", STACK.redis_url if STACK else "", ("redis", "rediss", "unix"))
_database = environment.database("DATABASE_URL", DATABASE_URL)
IS_WEB = os.environ.get("MAILSALES_PROCESS") == "web"
if _database and IS_WEB:
    _database["OPTIONS"] = {**_database.get("OPTIONS", {}), "options": "-c role=mailsales_web"}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "mailsales",
        **_database,
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 600 if IS_WEB else 0,
        "CONN_HEALTH_CHECKS": True,
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"{REDIS_URL}?db=2" if REDIS_URL.startswith("unix") else (REDIS_URL or "redis://127.0.0.1:6379"),
    },
}
CELERY_BROKER_URL = (
    f"redis+socket://{REDIS_URL.removeprefix('unix://')}?virtual_host=0" if REDIS_URL.startswith("unix") else REDIS_URL
)

# -- files -------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR / "media"}},
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR / "media", "base_url": None},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
MAX_IMPORT_BYTES = 100 * 2**20

# -- languages and time ------------------------------------------------------------------------

LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", _("Japanese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Tokyo"
USE_I18N = True
USE_TZ = True

# -- who signs in ------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "reports:home"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.signing_in.SignInForm"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = False  # django-axes alone decides who has to wait
ACCOUNT_PREVENT_ENUMERATION = True
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.5  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.lockout.who"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
IDLE_SECONDS = environment.number("IDLE_SECONDS", 15 * 60, low=60, high=12 * 60 * 60)

# -- transport and policy ----------------------------------------------------------------------

if IS_PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        **{f"{kind}-src": [SELF] for kind in ("style", "img", "font", "connect", "manifest", "frame")},
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# -- mail --------------------------------------------------------------------------------------

STOP_SECONDS = environment.number("STOP_SECONDS", 660 if IS_PRODUCTION else 3, high=3_600)
DEFAULT_ROUTE = environment.route("DEFAULT_ROUTE", "sandbox")
EHLO_NAME = environment.text("EHLO_NAME", "localhost")
SOURCE_ADDRESS = environment.text("SOURCE_ADDRESS")  # of connections to mail servers; empty: the system chooses
DNS_SERVERS = environment.words("DNS_SERVERS")  # host or host:port; empty: those of the system
DNS_VALIDATES = (
    environment.choice("DNS_VALIDATES", "no", ("no", "yes")) == "yes"
)  # they check DNSSEC, and the way to them is safe
ALLOW_PRIVATE_MX = environment.choice("ALLOW_PRIVATE_MX", "no", ("no", "yes")) == "yes"
SHAPING_FILE = environment.text("SHAPING_FILE")  # what overrides delivery/shaping.toml
SENDING_ADDRESSES = environment.addresses(
    "SENDING_ADDRESSES", SOURCE_ADDRESS
)  # that receivers see: in SPF, on block lists
SPF_INCLUDE = environment.text("SPF_INCLUDE")  # a domain whose SPF record lists them; empty: they are named one by one
INBOUND_HOST = environment.text("INBOUND_HOST", urlsplit(PUBLIC_URL).hostname or "localhost")  # MX of return paths
NOTICES_FROM = environment.text("NOTICES_FROM", f"mailsales@{urlsplit(PUBLIC_URL).hostname or 'localhost'}")
TLSRPT_FROM = environment.text("TLSRPT_FROM")  # who sends TLS reports (RFC 8460); empty: none are sent
SANDBOX_PORT = environment.number("SANDBOX_PORT", STACK.sandbox_port if STACK else 2525)
INBOUND_PORT = environment.number("INBOUND_PORT", STACK.inbound_port if STACK else 2526)
LANES = 4  # lanes of a sending campaign: how many of its batches may be worked on at once
DEFAULT_EXPIRY_HOURS = environment.number("DEFAULT_EXPIRY_HOURS", 72, low=1, high=120)
TLS_CERT = environment.text("TLS_CERT")  # PEM of the inbound server's certificate; empty: one is made
TLS_KEY = environment.text("TLS_KEY")  # PEM of its key; empty: it stands in the same file
RETRY_MINUTES = environment.numbers("RETRY_MINUTES", (15, 30, 60, 120, 210), low=1, high=1_440)
RETRY_JITTER = environment.number("RETRY_JITTER", 10, high=50)  # percent

# -- logs --------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "django.server": {"level": "WARNING"},
    },
}
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"] if not IS_PRODUCTION else []
