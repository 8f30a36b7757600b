"""What is not in the core install: an import that fails says which extra brings it."""


class MissingExtra(ModuleNotFoundError):  # noqa: N818  (it is a missing module, as its base is)
    """A module of an extra that isn't installed.

    Args:
        error: of the import that failed.
        extra: the extra that brings the module.
    """

    def __init__(self, error: ModuleNotFoundError, extra: str) -> None:
        super().__init__(f"{error.name} isn't installed; pip install 'detente[{extra}]'", name=error.name)
