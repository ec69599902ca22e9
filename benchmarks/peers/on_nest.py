"""The networks of Brette et al. (2007) on NEST, from the same connections and first states.

    python on_nest.py network.npz result.json THREADS

pip install nest-simulator==3.10.0
"""

import json
import sys
import time

import numpy as np

BEGAN = time.perf_counter()
import nest  # noqa: E402


def main() -> None:
    """Build, run, and write times and spikes."""
    given, result, threads = np.load(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    kind, steps, size = str(given["kind"]), int(given["steps"]), int(given["cells"])
    seconds = []
    for _ in range(3):
        nest.ResetKernel()
        nest.set_verbosity("M_ERROR")
        nest.SetKernelStatus({"resolution": 0.1, "local_num_threads": threads})
        common = {"V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0, "C_m": 200.0}
        if kind == "cuba":
            model = "iaf_psc_exp"
            settings = {"E_L": -49.0, "tau_m": 20.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0}
            scale = 10.0  # pA for 1 mV: capacitance over the membrane's time constant
            start = {"V_m": given["v"]}
        else:
            model = "iaf_cond_exp"
            settings = {"E_L": -60.0, "g_L": 10.0, "E_ex": 0.0, "E_in": -80.0}
            settings |= {"tau_syn_ex": 5.0, "tau_syn_in": 10.0, "I_e": float(given["current"])}
            scale = 1.0
            start = {"V_m": given["v"], "g_ex": given["ge"], "g_in": given["gi"]}
        cells = nest.Create(model, size, params=common | settings)
        for name, values in start.items():
            cells.set({name: values})
        for port, sign in (("ge", 1.0), ("gi", 1.0 if kind == "cuba" else -1.0)):
            source, target = given[f"source_{port}"], given[f"target_{port}"]
            weight = np.full(source.size, sign * scale * float(given[f"weight_{port}"]))
            nest.Connect(
                source + 1,
                target + 1,
                "one_to_one",
                {
                    "synapse_model": "static_synapse",
                    "weight": weight,
                    "delay": np.full(source.size, 0.1),
                },
            )
        recorder = nest.Create("spike_recorder")
        nest.Connect(cells, recorder)
        nest.Simulate(0.1)  # prepares the buffers
        if not seconds:
            first = None
        began = time.perf_counter()
        nest.Simulate(0.1 * (steps - 1))
        seconds.append(time.perf_counter() - began)
        first = first or time.perf_counter() - BEGAN
    events = recorder.get("events")
    found = {
        "seconds": seconds,
        "first": first,
        "version": nest.__version__,
        "steps": np.round(np.asarray(events["times"]) / 0.1).astype(int).tolist(),
        "who": (np.asarray(events["senders"]) - 1).tolist(),
    }
    with open(result, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
