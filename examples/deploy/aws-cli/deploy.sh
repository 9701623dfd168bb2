#!/bin/sh
# Create a function with a public URL, or update its code. If it stops halfway, delete.sh removes what is there.
#   ./deploy.sh my-app function.zip
#   ./deploy.sh my-app 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:1
# Variables: APP (main:app), RUNTIME (python3.14), ARCHITECTURE (x86_64, or arm64, which costs a fifth less), LOG_DAYS (30)
set -eu
name=$1 package=$2
architecture=${ARCHITECTURE:-x86_64}

if aws lambda get-function --function-name "$name" >/dev/null 2>&1; then
    case $package in
    *.zip) set -- --zip-file "fileb://$package" ;;
    *) set -- --image-uri "$package" ;;
    esac
    aws lambda update-function-code --function-name "$name" --architectures "$architecture" "$@" --output text --query FunctionArn
    aws lambda wait function-updated-v2 --function-name "$name"
    aws lambda get-function-url-config --function-name "$name" --output text --query FunctionUrl
    exit
fi

# A log that expires, and a role that may write to it and do nothing else.
aws logs create-log-group --log-group-name "/aws/lambda/$name"
aws logs put-retention-policy --log-group-name "/aws/lambda/$name" --retention-in-days "${LOG_DAYS:-30}"
log=$(aws logs describe-log-groups --log-group-name-prefix "/aws/lambda/$name" --output text \
    --query "logGroups[?logGroupName=='/aws/lambda/$name'].arn")
role=$(aws iam create-role --role-name "$name" --output text --query Role.Arn --assume-role-policy-document '{
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]}')
aws iam put-role-policy --role-name "$name" --policy-name app --policy-document '{
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "'"$log"'"}
    ]}'

case $package in
*.zip)
    set -- --zip-file "fileb://$package" --runtime "${RUNTIME:-python3.14}" --handler "${APP:-main:app}" \
        --environment "Variables={AWS_LAMBDA_EXEC_WRAPPER=/var/task/bootstrap}"
    ;;
*) set -- --package-type Image --code "ImageUri=$package" ;;
esac

# It takes some seconds until Lambda may use a new role.
tries=0
until aws lambda create-function --function-name "$name" --role "$role" --architectures "$architecture" \
    --memory-size 1024 --timeout 30 --logging-config "LogGroup=/aws/lambda/$name" "$@" --output text --query FunctionArn; do
    tries=$((tries + 1))
    [ $tries -lt 10 ] || exit 1
    sleep 3
done
aws lambda wait function-active-v2 --function-name "$name"

# Everybody may call it: a public URL needs both permissions.
aws lambda add-permission --function-name "$name" --statement-id url --principal '*' --output text --query Statement \
    --action lambda:InvokeFunctionUrl --function-url-auth-type NONE
aws lambda add-permission --function-name "$name" --statement-id url-invoke --principal '*' --output text --query Statement \
    --action lambda:InvokeFunction --invoked-via-function-url
aws lambda create-function-url-config --function-name "$name" --auth-type NONE --output text --query FunctionUrl
