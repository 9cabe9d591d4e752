"""What can go wrong in the registry, each error one line that says what to do next."""


class RegistryError(ValueError):
    """The registry refuses what was asked; nothing was changed."""


class UnknownReferenceError(RegistryError):
    """A tenant, customer, site, model, metric or device that the registry does not have."""


class DifferentDeviceError(RegistryError):
    """A device of this id is registered already, and differs."""


class OnboardingError(RuntimeError):
    """An onboarding failed and was undone: neither AWS IoT Core nor the registry holds anything of it."""


class CompensationError(RuntimeError):
    """An onboarding failed and could not be undone yet. Its intent is recorded: `recover` undoes it."""
