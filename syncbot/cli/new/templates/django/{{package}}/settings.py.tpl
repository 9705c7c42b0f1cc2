"""The settings of the site; what is secret comes from the environment."""

import os

DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only for DEBUG and tests")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", *filter(None, os.environ.get("DJANGO_HOSTS", "").split(","))]
ROOT_URLCONF = "{{package}}.urls"
WSGI_APPLICATION = "{{package}}.wsgi.application"
INSTALLED_APPS = ["{{package}}"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
USE_TZ = True
