"""Chains of layers, one projection after another."""

from jaxtyping import Array, Float

from ..network import Network, Projection


def answer(
    network: Network, projection: Projection, activity: Float[Array, " pre"]
) -> Float[Array, " post"]:
    """What the cells at the end of a projection say to activity at its beginning."""
    population = network.populations[projection.target]
    drive = projection.wiring.drive(projection.weight, activity)[None]
    rest = population.neuron.init(population.size)
    return population.neuron.step(rest, drive, None, dt=network.dt)[1]


def forward(network: Network, stimulus: Float[Array, " in"]) -> list[Array]:
    """The activity of every layer, from the input to the output."""
    layers = [stimulus]
    for projection in network.projections:
        layers.append(answer(network, projection, layers[-1]))
    return layers
