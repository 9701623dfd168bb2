"""The error of a failed invocation."""

from __future__ import annotations

from pydantic import Field, ValidationError

from lambda_web_adapter.models.base import EventPart


class InvocationError(EventPart):
    """The error document of a failed invocation (Lambda Runtime API, "Invocation error").

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
    """

    error_message: str = ""
    error_type: str = ""
    stack_trace: list[str] = Field(default_factory=list)

    @classmethod
    def of_document(cls, document: bytes) -> InvocationError:
        """Return the error of a document; if it is not an error document, its text is the message."""
        try:
            error = cls.model_validate_json(document)
        except ValidationError:
            error = cls()
        return (
            error if error.error_type or error.error_message else cls(error_message=document.decode(errors="replace"))
        )

    def __str__(self) -> str:
        """Return type and message in one line."""
        return ": ".join(" ".join(text.split()) for text in (self.error_type, self.error_message) if text)
