import os
import sys
import tempfile

apps = tempfile.mkdtemp()
os.makedirs(os.path.join(apps, "_default"))
with open(os.path.join(apps, "_default", "__init__.py"), "w") as file:
    file.write(
        "from py4web import action, request\n\n\n"
        "@action('hello/<name>')\ndef hello(name):\n    return f\"hello {name} {request.query.get('x')}\"\n"
    )
with open(os.path.join(apps, "__init__.py"), "w"):
    pass
sys.path.insert(0, os.path.dirname(apps))
from py4web.core import wsgi  # noqa: E402

app = wsgi(apps_folder=apps, dashboard_mode="none", password_file="")
