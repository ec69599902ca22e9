"""NEAT of TensorNEAT on its own example, parity of three: seconds of every generation.

    python on_tensorneat.py given.json result.json

Not on PyPI: `benchmarks.peers` installs 0.1.0 from its repository. Population, room, target and
all the rest as in its `examples/func_fit/xor.py`.
"""

import contextlib
import io
import json
import re
import sys

from tensorneat import algorithm, genome, problem
from tensorneat.common import ACT
from tensorneat.pipeline import Pipeline


def main() -> None:
    """Evolve until the error is small enough; their pipeline prints what each generation took."""
    with open(sys.argv[1]) as file:
        given = json.load(file)
    search = algorithm.NEAT(
        pop_size=given["population"],
        species_size=given["species"],
        survival_threshold=0.01,
        genome=genome.DefaultGenome(
            num_inputs=3, num_outputs=1, max_nodes=7, output_transform=ACT.sigmoid
        ),
    )
    pipeline = Pipeline(
        search,
        problem.XOR3d(),
        generation_limit=given["generations"],
        fitness_target=given["target"],
        seed=42,
    )
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        pipeline.auto_run(pipeline.setup())
    took = [float(ms) / 1e3 for ms in re.findall(r"Cost time: ([\d.]+)ms", told.getvalue())]
    found = {
        "version": "0.1.0",
        "seconds": took,
        "solved": bool(pipeline.best_fitness >= given["target"]),
        "evaluations": len(took) * given["population"],
    }
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
