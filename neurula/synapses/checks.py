"""Checks that synapses share."""

from ..contracts import AbstractSynapse


def check_time(synapse: AbstractSynapse, name: str, value: float) -> None:
    """Refuse a time constant that is not positive."""
    if not value > 0:
        kind = type(synapse).__name__
        raise ValueError(
            f"{kind} needs {name} > 0, but got {name}={value} ms. Nothing decays in no time. For "
            "input that lasts one step use a projection without a synapse."
        )
