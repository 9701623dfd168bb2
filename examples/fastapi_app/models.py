"""What goes in and out of the seed library."""

from typing import Annotated

from pydantic import BaseModel, Field

Month = Annotated[int, Field(ge=1, le=12)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Name = Annotated[str, Field(min_length=1, max_length=80)]


class Variety(BaseModel):
    slug: Slug
    name: Name
    species: Name
    sow_in: Month
    packets: int = Field(default=0, ge=0, le=1000)


class Loan(BaseModel):
    gardener: Name
    packets: int = Field(default=1, ge=1, le=5)


class Harvest(BaseModel):
    slug: Slug
    packets: int = Field(ge=1, le=1000)


class Record(BaseModel):
    """A message of a queue. The body stays text: a bad one must not fail the whole batch."""

    id: str = Field(validation_alias="messageId")
    body: str


class Batch(BaseModel):
    records: list[Record] = Field(validation_alias="Records")


class Failure(BaseModel):
    id: str = Field(serialization_alias="itemIdentifier")


class BatchResult(BaseModel):
    """The queue delivers the failed messages again, and no others."""

    failures: list[Failure] = Field(serialization_alias="batchItemFailures")
