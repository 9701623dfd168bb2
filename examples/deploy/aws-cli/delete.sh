#!/bin/sh
# Delete what deploy.sh has created: ./delete.sh my-app
set -eu
name=$1

aws lambda delete-function-url-config --function-name "$name"
aws lambda delete-function --function-name "$name" >/dev/null
aws iam delete-role-policy --role-name "$name" --policy-name app
aws iam delete-role --role-name "$name"
aws logs delete-log-group --log-group-name "/aws/lambda/$name"
