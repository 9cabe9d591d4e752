"""The repositories of the images, apart from the services: an image is there before what runs it."""

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.services.processes import IMAGES

# As many releases can be gone back to.
_KEPT = 30


class ImagesStack(PlatformStack):
    """One repository an image. A tag is never moved, and each image is scanned as it is pushed."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Images", config, holds_data=False)
        for image in IMAGES:
            repository = ecr.Repository(
                self,
                image.capitalize(),
                repository_name=config.image_repository(image),
                image_tag_mutability=ecr.TagMutability.IMMUTABLE,
                image_scan_on_push=True,
                encryption=ecr.RepositoryEncryption.KMS,
                removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            )
            repository.add_lifecycle_rule(description=f"Keep {_KEPT} images", max_image_count=_KEPT)
            self.outputs(**{f"{image.capitalize()}Repository": repository.repository_uri})
