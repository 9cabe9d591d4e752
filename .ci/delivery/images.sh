# Builds each image of infra/images/Dockerfile and pushes it to the repositories ENVIRONMENT/IMAGE of $ENVIRONMENTS.
# Sourced by images.yml, which exports DAGSTER_DIGEST and CONSOLE_DIGEST.
set -eu
: "${RDS_CERTIFICATES:?is not set: give production rds_certificates in infra/environments.toml (docs/images.md)}"
registry="$(aws sts get-caller-identity --query Account --output text).dkr.ecr.$AWS_REGION.amazonaws.com"
aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
commit="$(git rev-parse HEAD)"
for image in dagster console; do
  first=""
  docker build --file infra/images/Dockerfile --target "$image" --platform linux/arm64 \
    --build-arg "RDS_CERTIFICATES=$RDS_CERTIFICATES" --tag "$image:$commit" .
  for environment in $ENVIRONMENTS; do
    repository="$registry/$environment/$image"
    # Tags are never moved: a commit that was built before keeps its image.
    if ! aws ecr describe-images --repository-name "$environment/$image" --image-ids "imageTag=$commit" >/dev/null 2>&1; then
      docker tag "$image:$commit" "$repository:$commit"
      docker push "$repository:$commit"
    fi
    digest="$(aws ecr describe-images --repository-name "$environment/$image" --image-ids "imageTag=$commit" \
      --query 'imageDetails[0].imageDigest' --output text)"
    if [ -n "$first" ] && [ "$first" != "$digest" ]; then
      echo "$image of $commit is $first in one repository and $digest in $repository: delete one of the two" >&2
      exit 1
    fi
    first="$digest"
  done
  case "$image" in
    dagster) export DAGSTER_DIGEST="$digest" ;;
    console) export CONSOLE_DIGEST="$digest" ;;
  esac
done
