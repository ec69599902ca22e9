"""EfficientNet-lite0: its file is read without running it, and the rebuilt network sees."""

import struct

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from real_data import real

from neurula import data
from neurula.data.pth import read_pth
from neurula.pretrained import (
    LAYERS,
    Convolution,
    calibrated,
    efficientnet_lite0,
    permuted,
    prepared,
    untrained,
)

# ---- a file, written opcode by opcode, so that nothing but what is meant is in it --------------


def text(word):
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def several(*parts):
    return b"(" + b"".join(parts) + b"t"


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def call(function, *arguments):
    return function + several(*arguments) + b"R"


def ordered(**items):
    pairs = b"".join(text(name) + value for name, value in items.items())
    return call(named("collections", "OrderedDict")) + b"(" + pairs + b"u"


def tensor(size, offset, shape, strides, kind="FloatStorage"):
    storage = several(text("storage"), named("torch", kind), text("7"), text("cpu"), number(size))
    places = several(*map(number, shape)), several(*map(number, strides))
    rest = number(offset), *places, b"\x89", ordered()
    return call(named("torch._utils", "_rebuild_tensor_v2"), storage + b"Q", *rest)


def pth(numbers, state):
    magic = b"\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
    parts = magic, number(1001), b"}", state, b"(" + text("7") + b"l"
    written = b"".join(b"\x80\x02" + part + b"." for part in parts)
    return written + struct.pack("<q", numbers.size) + numbers.tobytes()


NUMBERS = np.arange(12, dtype="<f4")


def test_tensors_as_they_were():
    whole, turned = tensor(12, 0, (3, 4), (4, 1)), tensor(12, 2, (2, 3), (1, 4))
    found = read_pth(pth(NUMBERS, ordered(whole=whole, turned=turned, one=tensor(12, 5, (), ()))))
    np.testing.assert_array_equal(found["whole"], NUMBERS.reshape(3, 4))
    np.testing.assert_array_equal(found["turned"], [[2, 6, 10], [3, 7, 11]])
    assert found["one"] == 5.0
    assert found["whole"].dtype == np.float32


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("collections", "Counter"),
     ("torch._utils", "_rebuild_tensor"), ("posix", "system"), ("FloatStorage", "torch")],
)  # fmt: skip
def test_no_code_runs(module, name, tmp_path):
    touched = tmp_path / "touched"
    attack = call(named(module, name), text(f"touch {touched}"))
    with pytest.raises(ValueError, match=rf"names {module}.{name}, which might run code"):
        read_pth(pth(NUMBERS, ordered(weight=attack)))
    assert not touched.exists()


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (13,), (1,)), (11, (2,), (1,)), (0, (2,), (-1,)), (-4, (2,), (1,)), (0, (3, 4), (9, 1))],
)
def test_no_tensor_reaches_out_of_its_storage(offset, shape, strides):
    with pytest.raises(ValueError, match="reaches out of its storage"):
        read_pth(pth(NUMBERS, ordered(weight=tensor(12, offset, shape, strides))))


def test_damaged_files():
    whole = pth(NUMBERS, ordered(weight=tensor(12, 0, (12,), (1,))))
    for damaged in (b"", b"PK\x03\x04", whole[:20], whole[:-5], b"\x80\x02K\x01."):
        with pytest.raises(
            ValueError, match=r"does not open.*_use_new_zipfile_serialization=False"
        ):
            read_pth(damaged)


# ---- the network -------------------------------------------------------------------------------

STAGES = ((1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40), (3, 3, 6, 80), (3, 5, 6, 112),
          (4, 5, 6, 192), (1, 3, 6, 320))  # fmt: skip


def invented():
    """Weights of the right shapes, from noise."""
    rng = np.random.default_rng(0)
    kernels, norms = {"_conv_stem": (32, 3, 3, 3)}, {"_bn0": 32, "_bn1": 1280}
    inside, count = 32, 0
    for many, size, wider, out in STAGES:
        for _ in range(many):
            at, wide = f"_blocks.{count}", inside * wider
            if wider > 1:
                kernels[f"{at}._expand_conv"], norms[f"{at}._bn0"] = (wide, inside, 1, 1), wide
            kernels[f"{at}._depthwise_conv"], norms[f"{at}._bn1"] = (wide, 1, size, size), wide
            kernels[f"{at}._project_conv"], norms[f"{at}._bn2"] = (out, wide, 1, 1), out
            inside, count = out, count + 1
    kernels["_conv_head"] = (1280, inside, 1, 1)
    found = {f"{name}.weight": rng.normal(size=shape) for name, shape in kernels.items()}
    for name, size in norms.items():
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = rng.uniform(0.5, 1.5, size)
    found |= {"_fc.weight": rng.normal(size=(1000, 1280)), "_fc.bias": rng.normal(size=1000)}
    return {name: values.astype(np.float32) for name, values in found.items()}


def layers(model):
    known = lambda part: isinstance(part, Convolution)  # noqa: E731
    return [each for each in jax.tree.leaves(model, is_leaf=known) if known(each)]


def test_all_weights_are_used():
    weights = invented()
    model = efficientnet_lite0(weights)
    assert sum(leaf.size for leaf in jax.tree.leaves(model)) == sum(
        w.size for w in weights.values()
    )
    assert len(weights) == 247
    assert len(model.blocks) == 16
    weights["_fc.bias"] = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match=r"'_fc.bias' of shape \(1000,\), and got \(3,\)"):
        efficientnet_lite0(weights)
    del weights["_fc.bias"]
    with pytest.raises(ValueError, match=r"'_fc.bias' of shape \(1000,\), and got none"):
        efficientnet_lite0(weights)


@pytest.mark.parametrize("own", [True, False])
def test_a_convolution_by_hand(own):
    """Against sums over shifted pictures; stride 2 pads one pixel more behind than before."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 6, 6, 4)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 1 if own else 4, 4)).astype(np.float32)
    gain, shift, mean, variance = rng.uniform(0.5, 2.0, (4, 4)).astype(np.float32)
    layer = Convolution(*map(jnp.asarray, (kernel, gain, shift, mean, variance)), 2, True)
    padded = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
    expected = np.zeros((2, 3, 3, 4))
    for i in range(3):
        for j in range(3):
            seen = padded[:, i : i + 5 : 2, j : j + 5 : 2]
            expected += seen * kernel[i, j, 0] if own else seen @ kernel[i, j]
    np.testing.assert_allclose(layer.convolve(jnp.asarray(x)), expected, atol=1e-5)
    normal = gain * (expected - mean) / np.sqrt(variance + 1e-3) + shift
    found = layer.normalise(layer.convolve(jnp.asarray(x)))
    np.testing.assert_allclose(found, np.clip(normal, 0, 6), atol=1e-4)


@pytest.mark.slow
def test_untrained_and_permuted_layers(key):
    model = efficientnet_lite0(invented())
    fresh, mixed = untrained(model, key=key), permuted(model, key=key)
    for old, new, shuffled in zip(*map(layers, (model, fresh, mixed)), strict=True):
        inputs = np.prod(old.kernel.shape[:3])
        wanted = 2 / inputs
        assert np.var(new.kernel) == pytest.approx(wanted, rel=6 / old.kernel.size**0.5)
        assert not np.any(new.shift)
        assert (old.stride, old.clipped) == (new.stride, new.clipped)
        for part in ("kernel", "gain", "shift"):
            before, after = np.ravel(getattr(old, part)), np.ravel(getattr(shuffled, part))
            np.testing.assert_array_equal(np.sort(before), np.sort(after))
            assert np.mean(before == after) < 0.3
    np.testing.assert_array_equal(np.sort(mixed.weight.ravel()), np.sort(model.weight.ravel()))


def test_preparation():
    flat = np.full((1, 300, 400, 3), 255, np.uint8)
    flat[:, :19] = 0  # cut off: the middle begins at pixel 19
    found = prepared(flat)
    assert found.shape == (1, 224, 224, 3)
    np.testing.assert_allclose(found, 1.0, atol=1e-5)  # (255 - 127) / 128
    assert prepared(flat, keep=1.0).min() == pytest.approx(-127 / 128, abs=1e-5)


@pytest.mark.slow
def test_calibration(key):
    """Every channel of every layer has mean 0 and variance 1 before it is shifted and clipped."""
    images = jax.random.normal(key, (4, 64, 64, 3))
    fresh = untrained(efficientnet_lite0(invented()), key=key)
    model, said = eqx.filter_jit(calibrated)(fresh, images)
    again = eqx.filter_jit(lambda model, x: model(x))(model, images)
    assert set(said) == set(LAYERS)
    assert len(LAYERS) == 18
    for layer, activation in said.items():
        np.testing.assert_allclose(again[layer], activation, atol=2e-3, rtol=1e-3)
    first = np.asarray(said["block 1"])  # its last step has no clipping, and there is no detour
    np.testing.assert_allclose(first.mean((0, 1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(first.var((0, 1, 2)), 1, atol=0.02)
    assert said["block 16"].shape == (4, 2, 2, 320)


@pytest.mark.slow
def test_photographs_are_named():
    """A palace in China, and a flower: classes of ImageNet by their numbers."""
    model, photographs = efficientnet_lite0(real("efficientnet-lite0")), data.load("photographs")
    seen = jnp.concatenate([prepared(photographs[name][None]) for name in ("china", "flower")])
    said = np.asarray(eqx.filter_jit(lambda model, x: model(x))(model, seen)["logits"])
    palace, bell_cote, monastery, daisy = 698, 442, 663, 985
    assert np.argsort(-said[0])[:3].tolist() == [palace, bell_cote, monastery]
    assert said[1].argmax() == daisy


@pytest.mark.slow
def test_objects_are_named():
    """Of the 92 objects: those whose names are classes of ImageNet."""
    objects, model = real("brain92"), efficientnet_lite0(real("efficientnet-lite0"))
    classes = {
        "30 ostrich": 9, "32 zebra": 340, "33 elephant": 386, "41 German shepherd": 235,
        "42 Great Dane": 246, "47 lion": 291, "51 potato": 940, "63 banana": 954,
        "68 pineapple": 953, "83 hammer": 587, "88 umbrella": 879,
    }  # fmt: skip
    places = [objects["names"].tolist().index(name) for name in classes]
    seen = prepared(objects["images"][places], keep=1.0)
    said = eqx.filter_jit(lambda model, x: model(x))(model, seen)["logits"]
    assert np.asarray(said).argmax(1).tolist() == list(classes.values())
