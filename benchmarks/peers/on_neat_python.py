"""NEAT of neat-python, with the settings of its own example of exclusive or: seconds and solutions.

    python on_neat_python.py given.json result.json

pip install neat-python==2.0.0
"""

import json
import math
import random
import sys
import time
from importlib.metadata import version

import neat

NUMBERS = {  # mean and deviation at birth; rate and size of changes; rate of new draws
    "weight": (0.0, 1.0, 0.8, 0.5, 0.1),
    "bias": (0.0, 1.0, 0.7, 0.5, 0.1),
    "response": (1.0, 0.0, 0.0, 0.0, 0.0),
}
GENOME = {
    "num_hidden": 0, "num_outputs": 1, "feed_forward": True, "initial_connection": "full",
    "compatibility_disjoint_coefficient": 1.0, "compatibility_weight_coefficient": 0.5,
    "conn_add_prob": 0.5, "conn_delete_prob": 0.5, "node_add_prob": 0.2, "node_delete_prob": 0.2,
    "enabled_default": True, "enabled_mutate_rate": 0.01, "enabled_rate_to_true_add": 0.0,
    "enabled_rate_to_false_add": 0.0, "single_structural_mutation": False,
    "structural_mutation_surer": "default",
    "activation_default": "sigmoid", "activation_options": "sigmoid",
    "activation_mutate_rate": 0.0,
    "aggregation_default": "sum", "aggregation_options": "sum", "aggregation_mutate_rate": 0.0,
}  # fmt: skip
REST = {
    "DefaultSpeciesSet": {"compatibility_threshold": 3.0},
    "DefaultStagnation": {
        "species_fitness_func": "max", "max_stagnation": 20, "species_elitism": 2,
    },
    "DefaultReproduction": {"elitism": 2, "survival_threshold": 0.2, "min_species_size": 2},
}  # fmt: skip


def configured(population: int, inputs: int, target: float, file: str) -> neat.Config:
    """Their configuration, by way of a file."""
    genome = GENOME | {"num_inputs": inputs}
    for name, (mean, deviation, rate, power, replaced) in NUMBERS.items():
        genome |= {
            f"{name}_init_type": "gaussian", f"{name}_init_mean": mean,
            f"{name}_init_stdev": deviation, f"{name}_max_value": 30.0,
            f"{name}_min_value": -30.0, f"{name}_mutate_rate": rate,
            f"{name}_mutate_power": power, f"{name}_replace_rate": replaced,
        }  # fmt: skip
    general = {
        "fitness_criterion": "max", "fitness_threshold": target, "pop_size": population,
        "reset_on_extinction": False, "no_fitness_termination": False,
    }  # fmt: skip
    with open(file, "w") as out:
        for section, values in {"NEAT": general, "DefaultGenome": genome, **REST}.items():
            print(f"[{section}]", *(f"{k} = {v}" for k, v in values.items()), sep="\n", file=out)
    kinds = neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet
    return neat.Config(*kinds, neat.DefaultStagnation, file)


def exclusive_or(network, given: dict) -> tuple[float, int]:
    """4 - summed squared error, as in their example, and 100 more where all four are right."""
    error, right = 0.0, True
    for stimulus in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
        said, wanted = network.activate(stimulus)[0], float(stimulus[0] != stimulus[1])
        error += (said - wanted) ** 2
        right = right and (said > 0.5) == (wanted > 0.5)
    return 4 - error + (100.0 if right else 0.0), 0


def pole(network, given: dict) -> tuple[float, int]:
    """Cart-pole of Barto, Sutton & Anderson (1983): mean steps of balance, and all steps."""
    steps = 0
    for _ in range(given["episodes"]):
        place, speed, angle, turning = (random.uniform(-0.05, 0.05) for _ in range(4))
        for _ in range(given["limit"]):
            steps += 1
            push = 10.0 if network.activate((place, speed, angle, turning))[0] > 0.5 else -10.0
            sine, cosine = math.sin(angle), math.cos(angle)
            pushed = (push + 0.05 * turning**2 * sine) / 1.1
            bent = (9.8 * sine - cosine * pushed) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
            faster = pushed - 0.05 * bent * cosine / 1.1
            place, speed = place + 0.02 * speed, speed + 0.02 * faster
            angle, turning = angle + 0.02 * turning, turning + 0.02 * bent
            if abs(place) > 2.4 or abs(angle) > math.radians(12):
                break
    return steps / given["episodes"], steps


TASKS = {"xor": (exclusive_or, 2), "pole": (pole, 4)}


def evolve(given: dict, seed: int, file: str) -> dict:
    """One run until the target or the last generation."""
    life, inputs = TASKS[given["task"]]
    config = configured(given["population"], inputs, given["target"], file)
    random.seed(seed)
    lives = 0

    def judge(genomes, config):
        nonlocal lives
        done = False
        for _, genome in genomes:
            network = neat.nn.FeedForwardNetwork.create(genome, config)
            genome.fitness, _ = life(network, given)
            lives += not done
            done = done or genome.fitness >= given["target"]

    population = neat.Population(config, seed=seed)
    try:
        best = population.run(judge, given["generations"])
    except neat.CompleteExtinctionException:
        best = population.best_genome
    hidden = len(best.nodes) - 1
    return {
        "solved": bool(best.fitness >= given["target"]),
        "evaluations": lives,
        "hidden": hidden,
        "best": (best, config),
    }


def crowd(found: dict, given: dict) -> list[float]:
    """Seconds per step of the world where all of a generation live as the champion does."""
    rates = []
    for _ in range(3):
        began, steps = time.perf_counter(), 0
        for _ in range(given["population"]):
            network = neat.nn.FeedForwardNetwork.create(*found["best"])
            steps += pole(network, given)[1]
        rates.append((time.perf_counter() - began) / steps)
    return rates


def main() -> None:
    """All seeds, one after the other; for poles then a generation of champions."""
    with open(sys.argv[1]) as file:
        given = json.load(file)
    began = time.perf_counter()
    runs = [evolve(given, seed, "settings.ini") for seed in range(given["seeds"])]
    took = time.perf_counter() - began
    best = max(runs, key=lambda run: run["best"][0].fitness)
    found = {
        "version": version("neat-python"),
        "seconds": took,
        "crowd": crowd(best, given) if given["task"] == "pole" else [],
        **{name: [run[name] for run in runs] for name in ("solved", "evaluations", "hidden")},
    }
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
