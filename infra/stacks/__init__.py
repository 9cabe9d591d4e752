"""The CDK stacks of the platform. Importing this package points jsii at the packaged node."""

from infra.stacks.node import use_packaged_node

# aws_cdk starts node when it is first imported, and every module here imports it.
use_packaged_node()
