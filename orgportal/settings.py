"""All settings, read from environment variables and `.env`. `docs/operate.md` explains each of them.

A value that cannot be read ends the process here. `startup.py` checks values that must not be used together.
"""

import datetime
import os
from pathlib import Path

from django.utils.csp import CSP

from orgportal.demonstration import folder_settings, var_dir
from orgportal.logs import logging_settings
from orgportal.variables import read_variables, redox_settings

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = var_dir(os.environ)
# When this process read its settings and private keys. A change takes effect at the next start.
STARTED_AT = datetime.datetime.now(datetime.UTC)

# Set by the `demo` command for its own processes. The demonstration reads only its own file. Other processes read
# `.env`, or the file that ORGPORTAL_ENV_FILE names instead (blank: none).
DEMO = os.environ.get("ORGPORTAL_DEMO") == "1"
DEMO_BEHAVIOUR_FILE = str(VAR_DIR / "demo-practice" / "behaviour") if DEMO else ""
TESTING = False

if DEMO:
    VARIABLES = read_variables(folder_settings(VAR_DIR), VAR_DIR / "demo.env")
else:
    _default_file = BASE_DIR / ".env"
    _env_file = os.environ.get("ORGPORTAL_ENV_FILE", str(_default_file) if _default_file.exists() else "")
    VARIABLES = read_variables(os.environ, Path(_env_file) if _env_file else None)

DEBUG = VARIABLES.flag("DEBUG", default=False)
SECRET_KEY = VARIABLES.text("SECRET_KEY") or ("only-for-debugging" if DEBUG else "")
ALLOWED_HOSTS = VARIABLES.items("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = VARIABLES.items("CSRF_TRUSTED_ORIGINS")
HTTPS = VARIABLES.flag("HTTPS", default=True)
BEHIND_PROXY = VARIABLES.count("BEHIND_PROXY", default=0, least=0)
BIND = VARIABLES.text("BIND", "127.0.0.1:8000")
WEB_WORKERS = VARIABLES.count("WEB_WORKERS", default=2, least=1)
DELIVERY_WORKERS = VARIABLES.count("DELIVERY_WORKERS", default=1, least=0)

REDOX_RATE = VARIABLES.positive("REDOX_RATE", default=20)
REDOX_DEADLINE = VARIABLES.positive("REDOX_DEADLINE", default=135)
REDOX_LEASE = VARIABLES.positive("REDOX_LEASE", default=210)
REDOX_SETTLE = VARIABLES.positive("REDOX_SETTLE", default=180)
REDOX = {
    "staging": redox_settings(
        VARIABLES, "staging", {"base_url": "https://api.redoxengine.com", "label": "Development"}
    ),
    "production": redox_settings(VARIABLES, "production", {"base_url": "https://api.redoxengine.com"}),
}
PRODUCTION_FOUR_EYES = VARIABLES.flag("PRODUCTION_FOUR_EYES", default=True)
AUDIT_ANCHOR_FILE = VARIABLES.text("AUDIT_ANCHOR_FILE")

INSTALLED_APPS = [
    "organizations",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "django_include_bootstrap",
]

MIDDLEWARE = [
    # The first five complete every response, also those of the other middleware.
    "orgportal.headers.HeadersMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "orgportal.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "orgportal.health.HealthMiddleware",  # before the host check and the sign-in
    "orgportal.middleware.LongAddressMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "orgportal.middleware.BodyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "organizations.views.expired_session.SessionExpiry",
    "organizations.views.expired_session.SignInRequired",
    "organizations.views.expired_session.PasswordChangeRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "orgportal.middleware.WrongMethodMiddleware",  # last, so that the others process the page that it adds
]

# The form of a record with all its contacts is smaller (tests/platform/test_bodies.py). A proxy that reads the whole
# request first needs the same limit.
MOST_BYTES_IN_A_REQUEST = 1_000_000
# The one page that takes files: old messages (5 MB, and the rest of the form).
FILES_ADDRESS = r"/(staging|production)/directory/take-over/"
MOST_BYTES_WITH_FILES = 6_000_000
MOST_FILES = 20
# More than that are still read within the bytes above, so that the page can keep what was typed and name the number.
MOST_FILES_READ = 200
# `orgportal.middleware.BodyMiddleware` applies the limits of each address. These are the largest of them.
DATA_UPLOAD_MAX_MEMORY_SIZE = MOST_BYTES_WITH_FILES
FILE_UPLOAD_MAX_MEMORY_SIZE = MOST_BYTES_WITH_FILES  # so that no file is written to a disk
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = MOST_FILES_READ

ROOT_URLCONF = "orgportal.urls"
WSGI_APPLICATION = "orgportal.wsgi.application"

TEMPLATES = [
    {
        # The portal's own templates.
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "organizations.jinja.environment",
            "context_processors": [
                "django.template.context_processors.csp",
                "django.contrib.messages.context_processors.messages",
                "organizations.context.frame",
            ],
        },
    },
    {
        # For django-crispy-forms: organizations/templates has the template of its field.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
# The form of a record has dozens of widgets, which Jinja2 renders faster than Django's own engine.
FORM_RENDERER = "django.forms.renderers.Jinja2"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_database = VARIABLES.database("DATABASE_URL", default="sqlite:///var/orgportal.sqlite3")
if _database["ENGINE"].endswith("sqlite3"):
    # A relative path would depend on the folder from which the process was started.
    _database["NAME"] = str(BASE_DIR / _database["NAME"])
    _database["ENGINE"] = "orgportal.sqlite3"
    _database["OPTIONS"] = {
        # A deferred transaction fails if it begins to write after another one has written.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # synchronous=FULL: otherwise a power cut can lose an intent that was committed before its message was sent.
        # mmap_size: with memory-mapped reads, up to 2 GB, a search over all records takes half as long.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=2000000000;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": {**_database, "CONN_MAX_AGE": 600}}

AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = ["organizations.services.accounts.backend.AccountBackend"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "organizations.services.accounts.passwords.PasswordRule"}]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = VARIABLES.time_zone("TIME_ZONE", default="UTC")

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Cookies are shared by all ports of a host. The demonstration has other names, so that both can run on one machine.
_cookie_prefix = ("__Host-" if HTTPS else "") + ("demo-" if DEMO else "orgportal-")
SESSION_COOKIE_NAME = f"{_cookie_prefix}session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_NAME = f"{_cookie_prefix}csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "organizations.views.expired_session.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # without a cookie
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^health/(live|ready)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
# For hosts below the portal's own name, which are rare. A browser then reaches them by TLS only, for a year.
SECURE_HSTS_INCLUDE_SUBDOMAINS = VARIABLES.flag("HSTS_SUBDOMAINS", default=True)
# W021 asks for HSTS preloading, which adds the host name to a list in all browsers. Removing it is hard, so an internal
# portal must not decide that for its company.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # Bootstrap draws its marks with data: images
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

MAILERS = {"default": VARIABLES.mailer("EMAIL_URL", default="consolemail://")}
DEFAULT_FROM_EMAIL = VARIABLES.text("DEFAULT_FROM_EMAIL", "orgportal@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

LOG_LEVEL = VARIABLES.one_of("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = logging_settings(LOG_LEVEL)
