"""Base classes and types of all models: the spelling of names, null, and unknown keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Base of all models: names have Python's spelling in code and AWS's in JSON; unknown keys are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def to_json(self) -> bytes:
        """Return the model as JSON with AWS's names, without values that are None."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class EventPart(Model):
    """An event, or a part of one; null is the same as a missing key, since AWS sends either."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class Reply(Model):
    """A reply, or a part of one; names in Python's spelling are ignored in JSON, as AWS ignores them."""

    @model_validator(mode="before")
    @classmethod
    def _without_pythons_spelling(cls, data: Any, info: ValidationInfo) -> Any:
        if info.mode != "json" or not isinstance(data, dict):
            return data
        misspelled = {name for name, field in cls.model_fields.items() if field.alias != name}
        return {key: value for key, value in data.items() if key not in misspelled}


def _as_text(value: object) -> object:
    """Return a number or boolean of a header map as a string, as API Gateway and function URLs do."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


HeaderText = Annotated[str, BeforeValidator(_as_text)]
Status = Annotated[StrictInt, Field(ge=100, le=599)]
Flag = StrictBool


class ClientCertificateValidity(EventPart):
    """The validity period of a client certificate, as strings."""

    not_before: str = ""
    not_after: str = ""


class ClientCertificate(EventPart):
    """The certificate of a client behind mutual TLS.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mutual-tls.html
    """

    client_cert_pem: str = ""
    subject_dn: str = Field(default="", alias="subjectDN")
    issuer_dn: str = Field(default="", alias="issuerDN")
    serial_number: str = ""
    validity: ClientCertificateValidity | None = None
