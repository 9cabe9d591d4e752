# What this commit changes of the release that $IOT_ENVIRONMENT runs. Sourced by verdict.yml.
set -eu
name="/$IOT_ENVIRONMENT/released"
# None before the first release; any other error ends the build.
running="$(aws ssm get-parameters --names "$name" --query 'Parameters[0].Value' --output text)"
if [ "$running" = None ]; then
  echo "$name is not there: this is the first release, and everything is new"
else
  # 1 says that data is replaced or removed, which is the approver's decision; 2 that nothing could be compared.
  .venv/bin/python -m infra.changes "$running" --environment "$IOT_ENVIRONMENT" || [ $? = 1 ]
fi
