#!/usr/bin/env bash
# One step of a deployment to AWS, in this order: docs/deployment.md. BRIGADE_PREFIX names everything, `brigade` by default.
#
#   examples/ci/deploy.sh images BUCKET      repositories, before images are pushed
#   examples/ci/deploy.sh messaging BUCKET   what workers look for when they start
#   examples/ci/deploy.sh compute BUCKET     the containers
#   examples/ci/deploy.sh routing            tables and routing: new runs start on it
#
# BUCKET is one that templates go through, from cdk.out: two are too large for a request.
set -euo pipefail
prefix=${BRIGADE_PREFIX:-brigade}

stack() { # its name and its template
  aws cloudformation deploy --no-fail-on-empty-changeset --capabilities CAPABILITY_IAM --s3-bucket "$bucket" \
    --stack-name "$1" --template-file "cdk.out/$2.template.json"
}

output() {
  aws cloudformation describe-stacks --stack-name "$prefix-compute" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

routing() {
  local network task code
  network="awsvpcConfiguration={subnets=[$(output Subnets)],securityGroups=[$(output SecurityGroup)]}"
  task=$(aws ecs run-task --cluster "$prefix" --task-definition "$prefix-deploy" --launch-type FARGATE \
    --network-configuration "$network" --query 'tasks[0].taskArn' --output text)
  aws ecs wait tasks-stopped --cluster "$prefix" --tasks "$task"
  code=$(aws ecs describe-tasks --cluster "$prefix" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
  aws logs tail "/$prefix/deploy" --since 10m --format short
  [ "$code" = 0 ]
}

step=${1:?name a step: images, messaging, compute or routing}
[ "$step" = routing ] || bucket=${2:?name the bucket that templates go through}
case $step in
  images) stack "$prefix-images" Images ;;
  messaging) stack "$prefix" Messaging ;;
  compute) stack "$prefix-compute" Compute ;;
  routing) routing ;;
  *) echo "there is no step '$step': images, messaging, compute or routing" >&2 && exit 2 ;;
esac
