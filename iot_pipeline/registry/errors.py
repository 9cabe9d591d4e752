"""What can go wrong in the registry, each error one line that says what to do next."""

from collections.abc import Sequence


class RegistryError(ValueError):
    """The registry refuses what was asked; nothing was changed."""


class OverwriteError(RegistryError):
    """A change in the past would overwrite changes on record: `losses` has each, with what it belongs to."""

    def __init__(self, losses: Sequence[tuple[str, object]]) -> None:
        """Name every loss in the message."""
        told = ", ".join(f"{what}: {recorded}" for what, recorded in losses)
        super().__init__(f"this would overwrite what is recorded already ({told})")
        self.losses = tuple(losses)


class UnknownReferenceError(RegistryError):
    """A tenant, customer, site, model, metric or device that the registry does not have."""


class DifferentDeviceError(RegistryError):
    """A device of this id is registered already, and differs."""


class OnboardingError(RuntimeError):
    """An onboarding failed and was undone: neither AWS IoT Core nor the registry holds anything of it."""


class CompensationError(RuntimeError):
    """An onboarding failed and could not be undone yet. Its intent is recorded: `recover` undoes it."""
