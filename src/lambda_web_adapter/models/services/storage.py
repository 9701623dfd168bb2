"""S3: notifications, batch operations and Object Lambda."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lambda_web_adapter.models.base import EventPart
from lambda_web_adapter.models.services.base import PascalPart, Timestamp


class S3Bucket(EventPart):
    """A bucket."""

    name: str
    arn: str = ""
    owner_identity: dict[str, str] = Field(default_factory=dict)


class S3Object(EventPart):
    """An object; its key is encoded as in a query, so that a space is a plus."""

    key: str
    size: int | None = None
    e_tag: str | None = None
    version_id: str | None = None
    sequencer: str | None = None


class S3Entity(EventPart):
    """Which object of which bucket."""

    bucket: S3Bucket
    object: S3Object
    configuration_id: str = ""
    s3_schema_version: str = Field(default="1.0", alias="s3SchemaVersion")


class S3Record(EventPart):
    """What has happened to an object."""

    event_source: Literal["aws:s3"]
    event_name: str
    event_time: Timestamp | None = None
    event_version: str = ""
    aws_region: str = ""
    s3: S3Entity


class S3Event(PascalPart):
    """A notification of a bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """

    records: list[S3Record]


class S3BatchTask(EventPart):
    """An object to work on."""

    task_id: str
    s3_key: str = Field(alias="s3Key")
    s3_version_id: str | None = Field(default=None, alias="s3VersionId")
    s3_bucket_arn: str | None = Field(default=None, alias="s3BucketArn")
    s3_bucket: str | None = Field(default=None, alias="s3Bucket")


class S3BatchEvent(EventPart):
    """Tasks of a job of S3 Batch Operations, of either version of the schema.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
    """

    invocation_schema_version: Literal["1.0", "2.0"]
    invocation_id: str = ""
    job: dict[str, Any] = Field(default_factory=dict)
    tasks: list[S3BatchTask]


class S3ObjectContext(EventPart):
    """Where to read the object, and what to write the response with."""

    input_s3_url: str = Field(alias="inputS3Url")
    output_route: str
    output_token: str


class S3ObjectLambdaEvent(EventPart):
    """A GetObject request of an Object Lambda access point.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-event-context.html
    """

    x_amz_request_id: str
    get_object_context: S3ObjectContext
    configuration: dict[str, Any] = Field(default_factory=dict)
    user_request: dict[str, Any] = Field(default_factory=dict)
    user_identity: dict[str, Any] = Field(default_factory=dict)
    protocol_version: str = ""
