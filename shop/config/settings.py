"""Settings of every environment, read from environment variables (see the table in README.md).

Development needs none: ``make run`` starts its own PostgreSQL and Valkey and leaves their addresses
in ``var/env``, which is read here when the variables are unset. Production (``DEBUG=0``) refuses to
start with any default that would be unsafe.
"""

from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(environ.Env().str("HUIGAN_VAR", default=str(BASE_DIR / "var")))

env = environ.Env()
env.read_env(str(VAR_DIR / "env"))  # written by the development supervisor; real variables win

DEBUG = env.bool("DEBUG", default=True)
DEMO = env.bool("DEMO", default=DEBUG)
UNSAFE_SECRET = "development-only-secret-that-production-refuses"  # noqa: S105

SECRET_KEY = env.str("SECRET_KEY", default=UNSAFE_SECRET)
FIELD_KEYS = env.list("FIELD_KEYS", default=["k1:" + "00" * 32])
"""Keys of encrypted columns as ``id:64 hex digits``; the first encrypts, all decrypt."""
LOOKUP_PEPPER = env.str("LOOKUP_PEPPER", default=UNSAFE_SECRET)
"""Key of the hashes by which phones are looked up."""

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000")
"""Where guests reach this server; printed into QR codes."""

if not env.str("DATABASE_URL", default=""):
    raise ImproperlyConfigured(
        "DATABASE_URL is not set. Start everything with 'make run', or point DATABASE_URL at a "
        "PostgreSQL database (15 or newer)."
    )
if not DEBUG and UNSAFE_SECRET in {SECRET_KEY, LOOKUP_PEPPER}:
    raise ImproperlyConfigured("Production needs its own SECRET_KEY and LOOKUP_PEPPER.")
if not DEBUG and "FIELD_KEYS" not in env.ENVIRON:
    raise ImproperlyConfigured("Production needs its own FIELD_KEYS.")
if not DEBUG and DEMO:
    raise ImproperlyConfigured("DEMO data and keys are refused in production.")

# --- applications ------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "shop.kernel",
    "shop",
    "campaigns",
    "loyalty",
    "shop.storefront",
]

MIDDLEWARE = [
    "shop.kernel.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "shop.kernel.middleware.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "shop.kernel.middleware.ProblemMiddleware",
    "shop.config.errors.UnusableValueMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop.config.urls"
WSGI_APPLICATION = "shop.config.wsgi.application"
APPEND_SLASH = True
AUTH_USER_MODEL = "shop.Staff"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # for whoever opened the login page itself

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "shop" / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- data stores -------------------------------------------------------------------------------

DATABASES = {
    "default": {
        **env.db("DATABASE_URL"),
        "ENGINE": "shop.kernel.postgres",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": env.bool("PGBOUNCER", default=False),
        "OPTIONS": {
            "connect_timeout": 5,
            "options": "-c lock_timeout=5000 -c statement_timeout=30000"
            " -c idle_in_transaction_session_timeout=60000"
            " -c default_transaction_isolation=read\\ committed",
        },
    }
}
if not env.bool("PGBOUNCER", default=False):
    # Bound parameters on the server let hot statements be prepared once per connection.
    # Planning costs more than running them: one plan serves all.
    options = DATABASES["default"]["OPTIONS"]
    options |= {"server_side_binding": True, "prepare_threshold": 3}
    options["options"] += " -c plan_cache_mode=force_generic_plan"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = (
    {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
    if REDIS_URL
    else {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
)

# --- background jobs ---------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL or None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# Every task is safe to run twice; a beat that was down simply catches up with its next tick.
CELERY_BEAT_SCHEDULE = {
    "relay the outbox": {"task": "shop.kernel.tasks.relay_outbox", "schedule": 1.0},
    "advance jobs": {
        "task": "shop.kernel.tasks.advance_jobs",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "forget old idempotency keys": {
        "task": "shop.kernel.tasks.forget_idempotency_keys",
        "schedule": timedelta(hours=1),
    },
    "cancel unpaid orders": {
        "task": "shop.storefront.tasks.cancel_unpaid_orders",
        "schedule": timedelta(seconds=30),
    },
    "expire coupons": {
        "task": "campaigns.tasks.expire_coupons",
        "schedule": timedelta(minutes=5),
    },
    "end overdue promotions": {
        "task": "campaigns.tasks.end_overdue_promotions",
        "schedule": timedelta(minutes=5),
    },
    "advance phases": {"task": "campaigns.tasks.advance_phases", "schedule": timedelta(minutes=1)},
    "keep months of touches": {
        "task": "campaigns.tasks.keep_months",
        "schedule": timedelta(hours=6),
    },
    "send ad uploads": {
        "task": "campaigns.tasks.send_ad_uploads",
        "schedule": 10.0,
        "options": {"expires": 20},
    },
    "settle ad clicks": {
        "task": "campaigns.tasks.settle_ad_clicks",
        "schedule": timedelta(minutes=1),
    },
    "forget ad clicks": {
        "task": "campaigns.tasks.forget_ad_clicks",
        "schedule": timedelta(days=1),
    },
    "resolve vouchers": {
        "task": "shop.storefront.tasks.resolve_vouchers",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "forget erased phones": {
        "task": "shop.storefront.tasks.forget_erased_phones",
        "schedule": timedelta(days=1),
    },
    "forget prepared vouchers": {
        "task": "shop.storefront.tasks.forget_prepared_vouchers",
        "schedule": timedelta(hours=1),
    },
    "release pending points": {
        "task": "shop.storefront.tasks.release_pending_points",
        "schedule": timedelta(minutes=5),
    },
    "refresh roll-ups": {
        "task": "shop.storefront.tasks.refresh_rollups",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},
    },
    "watch campaigns": {
        "task": "shop.storefront.tasks.watch_campaigns",
        "schedule": timedelta(hours=1),
    },
    "keep the liability": {
        "task": "shop.storefront.tasks.keep_liability",
        "schedule": timedelta(hours=1),  # once a day: each day is kept once
    },
    "expire points": {"task": "loyalty.tasks.expire_points", "schedule": timedelta(minutes=15)},
    "expire gifts": {"task": "loyalty.tasks.expire_gifts", "schedule": timedelta(minutes=15)},
    "warn of expiring points": {
        "task": "loyalty.tasks.warn_of_expiry",
        "schedule": timedelta(hours=6),
    },
    "review tiers": {
        "task": "shop.storefront.tasks.review_tiers",
        "schedule": timedelta(hours=1),
    },
    "grant benefits": {
        "task": "shop.storefront.tasks.grant_benefits",
        "schedule": timedelta(minutes=10),
    },
    "check invariants": {
        "task": "shop.storefront.tasks.check_invariants",
        "schedule": timedelta(hours=1),
    },
}

# --- languages and time ------------------------------------------------------------------------

USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")
LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "shop" / "config" / "locale"]

# --- static files ------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "shop" / "config" / "static"]
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- web ---------------------------------------------------------------------------------------

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
if not DEBUG:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- API ---------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "shop.api.authentication.BearerAuthentication",
        "shop.api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["shop.kernel.permissions.DenyByDefault"],
    "DEFAULT_PARSER_CLASSES": ["shop.kernel.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["shop.kernel.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "shop.kernel.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "shop.kernel.openapi.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "shop.kernel.problems.handle_exception",
    "DEFAULT_VERSIONING_CLASS": None,
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS answers 405; the document says it all
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Huigan 回甘",
    "DESCRIPTION": "Membership and loyalty backend for shops that live from people coming back.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "filter": True, "validatorUrl": None},
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "shop.kernel.openapi.describe_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "shop.models.Order.Status",
        "OrderType": "shop.models.OrderType",
        "PaymentMethod": "shop.models.Payment.Method",
        "LifecycleStage": "shop.storefront.reports.lifecycle.STAGES",
        "CampaignStatus": "campaigns.models.Campaign.Status",
        "CampaignPhaseKind": "campaigns.models.CampaignPhase.Kind",
        "CampaignPhaseStatus": "campaigns.models.CampaignPhase.Status",
        "AdPlatform": "campaigns.models.AdPlatform",
        "PlatformEnum": "campaigns.models.vouchers.Platform",
        "ChannelKind": "campaigns.models.Channel.Kind",
        "TouchKind": "campaigns.models.Touch.Kind",
        "CouponStatus": "campaigns.models.Coupon.Status",
        "CouponTransferStatus": "campaigns.models.CouponTransfer.Status",
        "RewardKind": "loyalty.models.Reward.Kind",
        "GiftCardStatus": "loyalty.models.GiftCard.Status",
        "RealMoney": "loyalty.models.money.PAYMENT_METHODS",
        "CodeBatchKind": "campaigns.models.CodeBatch.Kind",
        "AdUploadEvent": "campaigns.models.AdUpload.Event",
        "EventEnum": "loyalty.models.EarningRule.Event",
        "CampaignChangeCause": "campaigns.models.Cause",
        "ContentKind": "campaigns.models.Content.Kind",
        "PartnerKind": "campaigns.models.Partner.Kind",
        "KolDealStatus": "campaigns.models.KolDeal.Status",
        "StatementLineKind": "campaigns.models.StatementLine.Kind",
    },
}

# --- touches -----------------------------------------------------------------------------------

CLICKS_DIR = Path(env.str("CLICKS_DIR", default=str(VAR_DIR / "clicks")))
"""Where clicks wait on disk until they are in the database."""
TOUCH_REPEATED_WITHIN = timedelta(seconds=env.int("TOUCH_REPEATED_SECONDS", default=10))
"""The same visitor at the same link within this time counts once."""
TOUCH_LATE_AFTER = timedelta(days=env.int("TOUCH_LATE_DAYS", default=7))
"""Older events are not taken any more."""
TOUCH_RETENTION_MONTHS = env.int("TOUCH_RETENTION_MONTHS", default=13)
"""Whole months that single touches are kept beside the current one; then only their totals."""
if timedelta(days=28) * TOUCH_RETENTION_MONTHS < timedelta(days=31) + TOUCH_LATE_AFTER:
    raise ImproperlyConfigured("TOUCH_RETENTION_MONTHS must outlast what may still be credited.")

BRAND_LOGO = env.str("BRAND_LOGO", default="")
"""Path of a square PNG that stands in the middle of printed QR codes; without it, our own mark."""
if BRAND_LOGO and not Path(BRAND_LOGO).is_file():
    raise ImproperlyConfigured(f"BRAND_LOGO: there is no file {BRAND_LOGO}.")

# --- providers ---------------------------------------------------------------------------------

MESSAGE_PROVIDER = env.str("MESSAGE_PROVIDER", default="shop.messages.SandboxMessages")
PAYMENT_PROVIDER_SECRET = env.str("PAYMENT_PROVIDER_SECRET", default=UNSAFE_SECRET)
"""Shared secret of the sandbox payment provider's signed callbacks."""
if not DEBUG and PAYMENT_PROVIDER_SECRET == UNSAFE_SECRET:
    raise ImproperlyConfigured("Production needs its own PAYMENT_PROVIDER_SECRET.")

SANDBOX_URL = env.str("SANDBOX_URL", default="")
"""Where the sandbox of the platforms listens: it answers for those without credentials below."""
if not DEBUG and SANDBOX_URL:
    raise ImproperlyConfigured("SANDBOX_URL is refused in production.")
DOUYIN_CLIENT_KEY = env.str("DOUYIN_CLIENT_KEY", default="")
DOUYIN_CLIENT_SECRET = env.str("DOUYIN_CLIENT_SECRET", default="")
DOUYIN_ACCOUNT_ID = env.str("DOUYIN_ACCOUNT_ID", default="")
MEITUAN_DEVELOPER_ID = env.str("MEITUAN_DEVELOPER_ID", default="")
MEITUAN_SIGN_KEY = env.str("MEITUAN_SIGN_KEY", default="")
MEITUAN_SHOP_TOKENS = env.dict("MEITUAN_SHOP_TOKENS", default={})
"""The appAuthToken of each shop as ``shop=token``, comma-separated."""

# --- back office -------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Huigan 回甘",
    "SITE_HEADER": "Huigan 回甘",
    "SITE_SUBHEADER": _("Members and promotion"),
    "SITE_URL": reverse_lazy("admin:index"),
    "SITE_ICON": lambda _request: static("huigan/icon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("huigan/icon.svg")}
    ],
    "STYLES": [lambda _request: static("huigan/admin.css")],
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "shop.storefront.admin.dashboard.add_context",
    "SIDEBAR": {"show_search": True, "navigation": "shop.config.navigation.groups"},
    "COLORS": {
        "primary": {  # green tea; 600 is dark enough for white text on it
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(65% .13 182.503)",
            "600": "oklch(53% .1 184.704)",
            "700": "oklch(46% .086 186.391)",
            "800": "oklch(41% .073 188.216)",
            "900": "oklch(36% .06 188.416)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
}

# --- logs --------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "shop.kernel.logs.formatter", "is_json": not DEBUG}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"django": {"handlers": []}},  # its own would say everything twice in development
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
