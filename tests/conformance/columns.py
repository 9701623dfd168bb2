"""The columns of the matrix: each is a folder of fixtures, and is of one event source."""

from __future__ import annotations

# What the page calls each column, in its order.
COLUMNS = {
    "rest_api": "REST API",
    "http_api_v1": "HTTP API 1.0",
    "http_api_v2": "HTTP API 2.0",
    "function_url": "function URL",
    "alb_single": "ALB",
    "alb_multi": "ALB, multi-value",
    "vpc_lattice_v1": "Lattice 1",
    "vpc_lattice_v2": "Lattice 2",
    "websocket": "WebSocket",
    "bedrock_agent": "Bedrock agent",
    "lambda_edge": "Lambda@Edge",
    "pass_through": "other events",
}
API_GATEWAY = ("rest_api", "http_api_v1", "http_api_v2")
DECODED_QUERY = ("rest_api", "http_api_v1")
PAYLOAD_V2 = ("http_api_v2", "function_url")
ALB = ("alb_single", "alb_multi")
LATTICE = ("vpc_lattice_v1", "vpc_lattice_v2")
# Whose requests clients have written.
CLIENTS = (*API_GATEWAY, "function_url", *ALB, *LATTICE)
# Who take an HTTP status back.
HTTP = (*CLIENTS, "websocket", "bedrock_agent")
# What the app has switched on for all columns but that of other events, which hold a switch to be off.
SWITCHED_ON = {"AWS_LWA_WEBSOCKET_PATH": "/ws", "AWS_LWA_BEDROCK_AGENT": "true"}


def environment_of(column: str, variables: dict[str, str]) -> dict[str, str]:
    """The variables to run a cell under; few sets of them, as each takes a process."""
    return variables if column == "pass_through" else {**SWITCHED_ON, **variables}
