"""The names of the gateways, apart from the gateways, whose pydantic models take long to import."""

EVENT_SOURCES = (
    "function-url",
    "http-api-v2",
    "http-api-v1",
    "rest-api",
    "alb",
    "alb-multi",
    "vpc-lattice-v1",
    "vpc-lattice-v2",
)
# The API that keeps connections, and is no gateway of HTTP requests.
WEBSOCKET = "websocket"
