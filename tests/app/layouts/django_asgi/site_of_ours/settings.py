SECRET_KEY = "only-for-tests"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "site_of_ours.urls"
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
ASGI_APPLICATION = "site_of_ours.asgi.application"
