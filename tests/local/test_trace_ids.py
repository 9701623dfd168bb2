"""Trace ids: in the events of the sources that add them, and for the invocation."""

from __future__ import annotations

import pytest
from local.asking import TRACE, event, request

from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.gateways.trace_ids import invocation_trace

CLIENT = "1-67891233-abcdef012345678912345678"
ADDING = ["function-url", "http-api-v1", "http-api-v2", "rest-api", "alb", "alb-multi"]
LATTICE = ["vpc-lattice-v1", "vpc-lattice-v2"]


def trace_in_event(name: str, sent: str | None, padding: str = "") -> object:
    headers = [("x-padding", padding)] if padding else []
    found = event(name, request(headers=headers if sent is None else [*headers, ("X-Amzn-Trace-Id", sent)]))
    values = {key.lower(): value for key, value in (found.get("headers") or found["multiValueHeaders"]).items()}
    value = values.get("x-amzn-trace-id")
    return value[0] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ADDING)
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(None, f"Root={TRACE}", id="none"),
        pytest.param("", f"Root={TRACE}", id="empty"),
        pytest.param(f"Root={CLIENT}", f"Self={TRACE};Root={CLIENT}", id="a root"),
        pytest.param(f"Root={CLIENT};a=b", f"Self={TRACE};Root={CLIENT};a=b", id="a root and a field of an app"),
        pytest.param(f"Self=1-2-3; Root={CLIENT}", f"Self={TRACE};Root={CLIENT}", id="a Self of the hop before"),
        pytest.param("a=b", f"Root={TRACE};a=b", id="no root"),
    ],
)
def test_an_event_has_the_trace_of_the_gateway_or_of_the_client(name: str, sent: str | None, expected: str) -> None:
    assert trace_in_event(name, sent) == expected


def test_the_clients_trace_is_lost_with_more_than_7_kb_of_headers() -> None:
    assert trace_in_event("alb", f"Root={CLIENT}", padding="a" * 7168) == f"Root={TRACE}"


@pytest.mark.parametrize("name", LATTICE)
def test_lattice_adds_no_trace_and_keeps_the_clients(name: str) -> None:
    assert trace_in_event(name, None) is None
    assert trace_in_event(name, f"Root={CLIENT}") == f"Root={CLIENT}"


@pytest.mark.parametrize(
    ("name", "sent", "expected"),
    [
        pytest.param("alb", None, f"Root={TRACE};Parent=89abcdef01234567;Sampled=0", id="of the gateway"),
        pytest.param("alb", f"Root={CLIENT}", f"Root={CLIENT};Parent=89abcdef01234567;Sampled=0", id="of the client"),
        pytest.param(
            "rest-api",
            f"Root={CLIENT};Parent=53995c3f42cd8ad8;Sampled=1",
            f"Root={CLIENT};Parent=89abcdef01234567;Sampled=1",
            id="sampled",
        ),
        pytest.param(
            "vpc-lattice-v2", f"Root={CLIENT}", f"Root={TRACE};Parent=89abcdef01234567;Sampled=0", id="Lambda's own"
        ),
    ],
)
def test_the_invocation_has_the_trace_of_its_event(name: str, sent: str | None, expected: str) -> None:
    headers = [] if sent is None else [("x-amzn-trace-id", sent)]

    assert invocation_trace(GATEWAYS[name], request(headers=headers)) == expected
