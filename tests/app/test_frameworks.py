"""One request to an app of each framework: found, recognised, served, and told where the request came from."""

import pytest
from app.serving import serving

APPS = ["flask_site", "flask_site:app", "django_site:wsgi", "django_site:asgi", "starlette_site.app"]


@pytest.mark.parametrize("app", APPS)
def test_the_app_sees_the_request_as_the_client_sent_it(app: str) -> None:
    with serving(app) as served, served.connect() as client:
        answer = client.ask(
            "GET",
            "/address/garden?c=d",
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Prefix", "/stage"),
            ("X-Real-IP", "198.51.100.7"),
        )
        word = served.word(client.name)

    assert answer.body == b"GET https://app.test/stage/address/garden?c=d 198.51.100.7"
    assert word == "done"
