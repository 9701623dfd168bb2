// A web app at a public function URL, from function.zip beside this file: see docs/deploy-cdk.md.

import * as cdk from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";

const app = new cdk.App();
const name = app.node.tryGetContext("name") ?? "my-app";
const stack = new cdk.Stack(app, name);

const log = new logs.LogGroup(stack, "Logs", {
  logGroupName: `/aws/lambda/${name}`,
  retention: logs.RetentionDays.ONE_MONTH,
  removalPolicy: cdk.RemovalPolicy.DESTROY,
});

// What the function may do. CDK's own role may write to every log group of the account.
const role = new iam.Role(stack, "Role", { assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com") });
log.grantWrite(role);

const fn = new lambda.Function(stack, "Function", {
  functionName: name,
  code: lambda.Code.fromAsset(app.node.tryGetContext("package") ?? "function.zip"),
  handler: app.node.tryGetContext("app") ?? "main:app",
  // The Python and the machine that function.zip was made for. arm64 costs a fifth less.
  runtime: new lambda.Runtime(app.node.tryGetContext("runtime") ?? "python3.14", lambda.RuntimeFamily.PYTHON),
  architecture: lambda.Architecture.custom(app.node.tryGetContext("architecture") ?? "x86_64"),
  memorySize: 1024,
  timeout: cdk.Duration.seconds(30),
  role,
  logGroup: log,
  environment: { AWS_LAMBDA_EXEC_WRAPPER: "/var/task/bootstrap" },
});

const url = fn.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.NONE });

new cdk.CfnOutput(stack, "Url", { value: url.url });
