"""Samples of Cognito's triggers.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.local.sample_events.base import REGION, USER, SampleEvent

if TYPE_CHECKING:
    from lambda_web_adapter.local.sample_events.base import Occasion

_GROUPS: dict[str, Any] = {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None}
# By trigger source: whether the user is known already, the rest of the request, and the response to fill in.
_TRIGGERS: dict[str, tuple[bool, dict[str, Any], dict[str, Any]]] = {
    "PreSignUp_SignUp": (
        False,
        {"validationData": None},
        {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    ),
    "PostConfirmation_ConfirmSignUp": (True, {}, {}),
    "PreAuthentication_Authentication": (True, {"validationData": None}, {}),
    "PostAuthentication_Authentication": (True, {"newDeviceUsed": False}, {}),
    "TokenGeneration_Authentication": (True, {"groupConfiguration": _GROUPS}, {"claimsOverrideDetails": None}),
    "CustomMessage_SignUp": (
        True,
        {"codeParameter": "{####}", "usernameParameter": None, "linkParameter": "{##Click Here##}"},
        {"smsMessage": None, "emailMessage": None, "emailSubject": None},
    ),
    "DefineAuthChallenge_Authentication": (
        True,
        {"session": [], "userNotFound": False},
        {"challengeName": None, "issueTokens": False, "failAuthentication": False},
    ),
}


def _trigger(source: str, occasion: Occasion) -> dict[str, Any]:
    is_known, request, response = _TRIGGERS[source]
    identity = {"sub": occasion.uuid(), "cognito:user_status": "CONFIRMED"} if is_known else {}
    return {
        "version": "1",
        "region": REGION,
        "userPoolId": f"{REGION}_Example12",
        "userName": "jane",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": occasion.hex(26)},
        "triggerSource": source,
        "request": {"userAttributes": {**identity, "email": USER}, **request},
        "response": dict(response),
    }


def _sample(name: str, title: str, source: str) -> SampleEvent:
    return SampleEvent(name=name, title=title, build=partial(_trigger, source), source="cognito")


SAMPLES = (
    _sample("cognito-pre-sign-up", "a user who wants to sign up", "PreSignUp_SignUp"),
    _sample("cognito-post-confirmation", "a user who has confirmed", "PostConfirmation_ConfirmSignUp"),
    _sample("cognito-pre-authentication", "a user who wants to sign in", "PreAuthentication_Authentication"),
    _sample("cognito-post-authentication", "a user who has signed in", "PostAuthentication_Authentication"),
    _sample("cognito-pre-token-generation", "the claims of a token", "TokenGeneration_Authentication"),
    _sample("cognito-custom-message", "a mail or text message", "CustomMessage_SignUp"),
    _sample("cognito-define-auth-challenge", "the next challenge of a sign-in", "DefineAuthChallenge_Authentication"),
)
