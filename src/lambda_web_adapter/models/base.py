"""What all models share: how names are spelled, and how the null and the unknown are taken."""

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
    """Base: names in Python's spelling here, in AWS's spelling in JSON; unknown keys are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    def to_json(self) -> bytes:
        """Writes the model as AWS spells it, without what is not there."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class EventPart(Model):
    """An event, or a part of one: null counts as left out, since AWS sends either."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class Reply(Model):
    """A reply, or a part of one: JSON has AWS's spelling only, as a misspelled key is one that AWS does not find."""

    @model_validator(mode="before")
    @classmethod
    def _without_pythons_spelling(cls, data: Any, info: ValidationInfo) -> Any:
        if info.mode != "json" or not isinstance(data, dict):
            return data
        misspelled = {name for name, field in cls.model_fields.items() if field.alias != name}
        return {key: value for key, value in data.items() if key not in misspelled}


def _as_text(value: object) -> object:
    """API Gateway and function URLs write numbers and booleans in a header map as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


HeaderText = Annotated[str, BeforeValidator(_as_text)]
Status = Annotated[StrictInt, Field(ge=100, le=599)]
Flag = StrictBool


class ClientCertificateValidity(EventPart):
    """From when to when a client certificate is valid, as text."""

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
