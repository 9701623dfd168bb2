# A web app at a public function URL, from function.zip beside this file, or from an image: see docs/deploy-terraform.md.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.29, < 7" # the first that knows invoked_via_function_url
    }
  }
}

variable "name" {
  type    = string
  default = "my-app"
}

variable "app" {
  description = "The app, as on the command line of lambda-web-adapter."
  type        = string
  default     = "main:app"
}

variable "image_uri" {
  description = "An image in ECR, instead of function.zip."
  type        = string
  default     = null
}

variable "runtime" {
  description = "The Python that function.zip was made for."
  type        = string
  default     = "python3.14"
}

variable "architecture" {
  description = "The machine that the package was made for: x86_64, or arm64, which costs a fifth less."
  type        = string
  default     = "x86_64"
}

variable "log_days" {
  description = "How many days the log is kept."
  type        = number
  default     = 30
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_days
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "app" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.app.arn}:*"]
  }
}

resource "aws_iam_role" "app" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

# What the function may do.
resource "aws_iam_role_policy" "app" {
  name   = "app"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.app.json
}

resource "aws_lambda_function" "app" {
  function_name = var.name
  role          = aws_iam_role.app.arn
  architectures = [var.architecture]
  memory_size   = 1024
  timeout       = 30

  package_type     = var.image_uri == null ? "Zip" : "Image"
  image_uri        = var.image_uri
  filename         = var.image_uri == null ? "${path.module}/function.zip" : null
  source_code_hash = var.image_uri == null ? filebase64sha256("${path.module}/function.zip") : null
  runtime          = var.image_uri == null ? var.runtime : null
  handler          = var.image_uri == null ? var.app : null

  environment {
    variables = var.image_uri == null ? { AWS_LAMBDA_EXEC_WRAPPER = "/var/task/bootstrap" } : { AWS_LWA_APP = var.app }
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.app.name
  }

  depends_on = [aws_iam_role_policy.app]
}

resource "aws_lambda_function_url" "app" {
  function_name      = aws_lambda_function.app.function_name
  authorization_type = "NONE"
}

# Everybody may call it: a public URL needs both.
resource "aws_lambda_permission" "url" {
  statement_id           = "url"
  function_name          = aws_lambda_function.app.function_name
  principal              = "*"
  action                 = "lambda:InvokeFunctionUrl"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "url_invoke" {
  statement_id             = "url-invoke"
  function_name            = aws_lambda_function.app.function_name
  principal                = "*"
  action                   = "lambda:InvokeFunction"
  invoked_via_function_url = true
}

output "url" {
  value = aws_lambda_function_url.app.function_url
}
