#!/bin/sh
# Delete what deploy.sh has created: ./delete.sh my-app
# What is not there, after a deployment that stopped halfway, is named, and the rest is deleted.
set -u
name=$1
status=0

aws lambda delete-function-url-config --function-name "$name" || status=1
aws lambda delete-function --function-name "$name" >/dev/null || status=1
aws iam delete-role-policy --role-name "$name" --policy-name app || status=1
aws iam delete-role --role-name "$name" || status=1
aws logs delete-log-group --log-group-name "/aws/lambda/$name" || status=1
exit $status
