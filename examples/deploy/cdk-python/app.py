"""A web app at a public function URL, from function.zip beside this file: see docs/deploy-cdk.md."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

app = cdk.App()
name = app.node.try_get_context("name") or "my-app"
stack = cdk.Stack(app, name)

log = logs.LogGroup(
    stack,
    "Logs",
    log_group_name=f"/aws/lambda/{name}",
    retention=logs.RetentionDays.ONE_MONTH,
    removal_policy=cdk.RemovalPolicy.DESTROY,
)

# What the function may do. CDK's own role may write to every log group of the account.
role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
log.grant_write(role)

function = lambda_.Function(
    stack,
    "Function",
    function_name=name,
    code=lambda_.Code.from_asset(app.node.try_get_context("package") or "function.zip"),
    handler=app.node.try_get_context("app") or "main:app",
    # The Python and the machine that function.zip was made for. arm64 costs a fifth less.
    runtime=lambda_.Runtime(app.node.try_get_context("runtime") or "python3.14", lambda_.RuntimeFamily.PYTHON),
    architecture=lambda_.Architecture.custom(app.node.try_get_context("architecture") or "x86_64"),
    memory_size=1024,
    timeout=cdk.Duration.seconds(30),
    role=role,
    log_group=log,
    environment={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/bootstrap"},
)

url = function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)

cdk.CfnOutput(stack, "Url", value=url.url)
app.synth()
