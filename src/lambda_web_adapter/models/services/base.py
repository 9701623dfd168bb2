"""Base classes of services' events: two spellings of names, and records."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, ConfigDict
from pydantic.alias_generators import to_pascal
from pydantic_core import PydanticCustomError

from lambda_web_adapter.models.base import EventPart


def _base64(value: str) -> str:
    """Return the text if it is base64; it stays as it is, since models keep what AWS sends."""
    from base64 import b64decode  # only events of streams need it

    try:
        b64decode(value, validate=True)
    except ValueError:
        raise PydanticCustomError("base64", "Input should be base64") from None
    return value


Base64Text = Annotated[str, AfterValidator(_base64)]
Timestamp = AwareDatetime
JsonObject = dict[str, Any]


class PascalPart(EventPart):
    """A part whose names begin with a capital in JSON, as SNS, DynamoDB and CloudFormation write them."""

    model_config = ConfigDict(alias_generator=to_pascal)
