"""Training steps of spiking networks on snnTorch and on SpikingJelly (PyTorch backend).

    python on_torch.py data.npz result.json (snntorch | spikingjelly)

pip install torch snntorch==1.0.0 spikingjelly==2.0.0
"""

import json
import statistics
import sys
import time

import numpy as np
import torch
from torch import nn

BETA = 0.95  # of what is left of a potential after a step


def two_layers(peer: str) -> nn.Module:
    """784-1000-10 leaky integrate-and-fire cells, as in snnTorch's tutorial 5."""
    if peer == "snntorch":
        import snntorch

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1, self.lif1 = nn.Linear(784, 1000), snntorch.Leaky(beta=BETA)
                self.fc2, self.lif2 = nn.Linear(1000, 10), snntorch.Leaky(beta=BETA)

            def forward(self, x, steps):
                mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
                found = []
                for _ in range(steps):
                    spike1, mem1 = self.lif1(self.fc1(x), mem1)
                    _, mem2 = self.lif2(self.fc2(spike1), mem2)
                    found.append(mem2)
                return torch.stack(found)

        return Net()
    from spikingjelly.activation_based import functional, layer, neuron

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            tau = 1 / (1 - BETA)
            self.fc1, self.fc2 = layer.Linear(784, 1000), layer.Linear(1000, 10)
            self.lif1 = neuron.LIFNode(tau=tau, decay_input=False)
            self.lif2 = neuron.LIFNode(tau=tau, decay_input=False, store_v_seq=True)
            functional.set_step_mode(self, "m")

        def forward(self, x, steps):
            functional.reset_net(self)
            self.lif2(self.fc2(self.lif1(self.fc1(x.repeat(steps, 1, 1)))))
            return self.lif2.v_seq

    return Net()


def one_layer(peer: str) -> nn.Module:
    """512 cells behind 512 x 512 weights, played (time, batch, cell)."""
    if peer == "snntorch":
        import snntorch

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc, self.lif = nn.Linear(512, 512), snntorch.Leaky(beta=BETA)

            def forward(self, x):
                mem, found = self.lif.init_leaky(), []
                for now in x:
                    spike, mem = self.lif(self.fc(now), mem)
                    found.append(spike)
                return torch.stack(found)

        return Net()
    from spikingjelly.activation_based import functional, layer, neuron

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.lif = layer.Linear(512, 512), neuron.LIFNode(tau=1 / (1 - BETA))
            functional.set_step_mode(self, "m")

        def forward(self, x):
            functional.reset_net(self)
            return self.lif(self.fc(x))

    return Net()


def train(peer: str, given: dict) -> dict:
    """Seconds of a training step, and the share of test digits read afterwards."""
    net = two_layers(peer)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-4, betas=(0.9, 0.999))
    loss, steps, seconds = nn.CrossEntropyLoss(), int(given["steps"]), []
    for x, y in zip(given["images"], given["classes"], strict=True):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        began = time.perf_counter()
        optimiser.zero_grad()
        potentials = net(x, steps)
        sum(loss(now, y) for now in potentials).backward()
        optimiser.step()
        seconds.append(time.perf_counter() - began)
    with torch.no_grad():
        said = net(torch.from_numpy(given["test_images"]), steps).sum(0).argmax(1).numpy()
    return {"seconds": seconds[3:], "accuracy": float(np.mean(said == given["test_classes"]))}


def play(peer: str, given: dict) -> dict:
    """Seconds forward, and forward and backward, through one layer."""
    net, x = one_layer(peer), torch.from_numpy(given["waves"])
    forward, both = [], []
    for _ in range(7):
        began = time.perf_counter()
        with torch.no_grad():
            net(x)
        forward.append(time.perf_counter() - began)
        began = time.perf_counter()
        net(x).sum().backward()
        both.append(time.perf_counter() - began)
    return {"forward": statistics.median(forward[1:]), "both": statistics.median(both[1:])}


def main() -> None:
    """Measure, and write."""
    given, peer = dict(np.load(sys.argv[1])), sys.argv[3]
    torch.manual_seed(0)
    torch.set_num_threads(2)
    module = __import__(peer)
    found = {"train": train(peer, given), "play": play(peer, given)}
    found["version"] = getattr(module, "__version__", "2.0.0")
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
