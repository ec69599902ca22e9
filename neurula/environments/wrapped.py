"""Worlds that change what happens in another world, not what is seen and done there."""

from typing import TYPE_CHECKING

from ..behaviour import AbstractEnvironment, Space, World

if TYPE_CHECKING:  # otherwise static checkers take it for a constructor argument
    from typing import ClassVar as AbstractVar
else:
    from equinox import AbstractVar


class AbstractWrapped(AbstractEnvironment[World]):
    """Its actions and observations are those of `environment`."""

    environment: AbstractVar[AbstractEnvironment]

    @property
    def actions(self) -> Space:
        return self.environment.actions

    @property
    def observations(self) -> Space:
        return self.environment.observations
