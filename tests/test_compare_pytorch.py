"""The PyTorch model of docs/compare.md and the command beside it, as they stand there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurula.activations import Stimuli, read_model

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/compare.md").read_text()
STIMULI = tuple(f"s{k}" for k in range(8))

# What the page's code asks of PyTorch and torchvision, made of NumPy: layers are rectified sums.
TORCH = """
import contextlib
import numpy as np

class Tensor:
    def __init__(self, values):
        self.values = values
    def permute(self, *axes):
        return Tensor(self.values.transpose(axes))
    def float(self):
        return Tensor(self.values.astype(np.float32))
    def __truediv__(self, number):
        return Tensor(self.values / number)
    def detach(self):
        return self
    def cpu(self):
        return self.values

tensor = Tensor
no_grad = contextlib.nullcontext
"""
TORCHVISION = """
import numpy as np
from torch import Tensor

class Layer:
    def __init__(self, weight):
        self.weight, self.hooks = weight, []
    def register_forward_hook(self, hook):
        self.hooks.append(hook)
        return Handle(self.hooks, hook)
    def __call__(self, values):
        out = np.maximum(values.reshape(len(values), -1) @ self.weight, 0)
        for hook in self.hooks:
            hook(self, (values,), Tensor(out))
        return out

class Handle:
    def __init__(self, hooks, hook):
        self.hooks, self.hook = hooks, hook
    def remove(self):
        self.hooks.remove(self.hook)

class Net:
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        sizes = (3 * 4 * 4, 20, 20, 20, 20)
        for k in (1, 2, 3, 4):
            setattr(self, f"layer{k}", Layer(rng.normal(size=sizes[k - 1 : k + 1]) / 5))
    def eval(self):
        return self
    def __call__(self, x):
        assert x.values.shape[1] == 3 and x.values.max() <= 1, "channels first, from 0 to 1"
        values = x.values
        for k in (1, 2, 3, 4):
            values = getattr(self, f"layer{k}")(values)
        return values

class models:
    @staticmethod
    def resnet18(weights=None):
        return Net(1 if weights == "DEFAULT" else 2)
"""


def fence():
    """The page's own code, word for word."""
    return re.search(r"With PyTorch:\n\n```text\n(.*?)^```", PAGE, re.M | re.S).group(1)


def commands():
    """The commands of README and page for a function, by the name of the file it lies in."""
    both = (PAGE, (ROOT / "README.md").read_text())
    found = [re.search(r"^neurula (compare (\S+\.py):features .*)$", each, re.M) for each in both]
    return {each.group(2): each.group(1).split() for each in found}


def images(side):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, size=(8, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("file", ["my_model.py", "my_torch_model.py"])
def test_the_command_scores_the_model_of_the_page(file, tmp_path):
    """PyTorch is replaced by a stand-in with the same calls; code and command are those printed."""
    (tmp_path / file).write_text(fence())
    for name, code in (("torch", TORCH), ("torchvision", TORCHVISION)):
        (tmp_path / f"{name}.py").write_text(code)
    np.savez(tmp_path / "images.npz", images=images(4), stimuli=STIMULI)
    words = commands()[file]
    from scipy.io import savemat

    rng = np.random.default_rng(1)
    savemat(tmp_path / "brain.mat", {"IT": rng.normal(size=(8, 9)), "stimuli": list(STIMULI)})
    words = [each for each in words if each != "--open"]
    words += ["--json", "--resamples", "20", "--shuffles", "20", "--page", "page.html"]
    run = subprocess.run(
        [sys.executable, "-m", "neurula", *words],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["layers"] == ["layer1", "layer2", "layer3", "layer4"]
    assert [name for name in said["nulls"] if "untrained" in name] == [
        f"untrained: layer{k}" for k in (1, 2, 3, 4)
    ]
    assert (tmp_path / "page.html").is_file()


def test_a_model_of_pytorch_itself(tmp_path):
    """The page's code with weights drawn here instead of downloaded, and layers asked by hand."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    code = fence().replace('resnet18(weights="DEFAULT")', "resnet18()")
    (tmp_path / "my_model.py").write_text(f"import torch\ntorch.manual_seed(0)\n{code}")
    shown = Stimuli(images(64), STIMULI)
    model = read_model(f"{tmp_path}/my_model.py:features", shown)
    plain = read_model(f"{tmp_path}/my_model.py:untrained", shown, ("layer4",))
    import torchvision

    torch.manual_seed(0)
    net = torchvision.models.resnet18().eval()
    other = torchvision.models.resnet18().eval()
    with torch.no_grad():
        for each, names, found in (
            (net, (1, 2, 3, 4), model),
            (other, (4,), plain),
        ):
            x = torch.from_numpy(images(64).transpose(0, 3, 1, 2).astype(np.float32) / 255)
            x = each.maxpool(torch.relu(each.bn1(each.conv1(x))))
            for k in (1, 2, 3, 4):
                x = getattr(each, f"layer{k}")(x)
                if k in names:
                    one = found.recordings[f"layer{k}"][0]
                    np.testing.assert_allclose(one.responses, x.reshape(8, -1).numpy(), atol=1e-4)
                    assert one.labels["stimulus"] == STIMULI
    assert list(model.recordings) == [f"layer{k}" for k in (1, 2, 3, 4)]
