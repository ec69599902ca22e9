"""The networks of Brette et al. (2007) on Brian2, from the same connections and first states.

    python on_brian2.py network.npz result.json (standalone | cython)

pip install brian2==2.9.0 "numpy<2.4" setuptools; it needs a C++ compiler.
"""

import json
import sys
import tempfile
import time

import numpy as np

BEGAN = time.perf_counter()
import brian2 as b  # noqa: E402

EQUATIONS = {
    "cuba": """
        dv/dt = (ge + gi - (v - (-49*mV))) / (20*ms) : volt (unless refractory)
        dge/dt = -ge / (5*ms) : volt
        dgi/dt = -gi / (10*ms) : volt
        """,
    "coba": """
        dv/dt = (10*nS*(-60*mV - v) - ge*v + gi*(-80*mV - v) + I) / C : volt (unless refractory)
        dge/dt = -ge / (5*ms) : siemens
        dgi/dt = -gi / (10*ms) : siemens
        I : amp
        """,
}


def main() -> None:
    """Build, run warm five times, and write times and spikes."""
    given, result, device = np.load(sys.argv[1]), sys.argv[2], sys.argv[3]
    kind, steps = str(given["kind"]), int(given["steps"])
    standalone = device == "standalone"
    folder = tempfile.mkdtemp()
    if standalone:
        b.set_device("cpp_standalone", build_on_run=False)
    else:
        b.prefs.codegen.target = "cython"
    b.defaultclock.dt = 0.1 * b.ms
    cells = b.NeuronGroup(
        int(given["cells"]),
        EQUATIONS[kind],
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * b.ms,
        namespace={"C": 200 * b.pF},
        method="exact" if kind == "cuba" else "exponential_euler",
    )
    unit = b.mV if kind == "cuba" else b.nS
    cells.v = given["v"] * b.mV
    cells.ge, cells.gi = given["ge"] * unit, given["gi"] * unit
    if kind == "coba":
        cells.I = float(given["current"]) * b.pA
    kept = [cells]
    for port in ("ge", "gi"):
        joined = b.Synapses(
            cells,
            cells,
            on_pre=f"{port} += weight",
            namespace={"weight": given[f"weight_{port}"] * unit},
        )
        joined.connect(i=given[f"source_{port}"], j=given[f"target_{port}"])
        kept.append(joined)
    spikes = b.SpikeMonitor(cells)
    network = b.Network(*kept, spikes)
    seconds, duration = [], steps * 0.1 * b.ms
    if standalone:
        network.run(duration)
        b.device.build(directory=folder, compile=True, run=True)
        first = time.perf_counter() - BEGAN
        for _ in range(7):
            b.device.run(directory=folder, with_output=False, run_args=[])
            seconds.append(b.device._last_run_time)
    else:
        network.store()
        network.run(duration)
        first = time.perf_counter() - BEGAN
        for _ in range(5):
            network.restore()
            began = time.perf_counter()
            network.run(duration)
            seconds.append(time.perf_counter() - began)
    found = {
        "seconds": seconds,
        "first": first,
        "version": b.__version__,
        "steps": np.round(np.asarray(spikes.t / b.ms) / 0.1).astype(int).tolist(),
        "who": np.asarray(spikes.i).tolist(),
    }
    with open(result, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
