"""What the user has to mend: one clear message, exit code 2, no traceback."""


class Mistake(Exception):  # noqa: N818
    """Bad input. Says what was expected and what came, why that is wrong, and what mends it."""
