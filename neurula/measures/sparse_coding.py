"""A dictionary in which every example is a sum of a few words.

Olshausen & Field (1996), Nature 381:607. Codes: Beck & Teboulle (2009), SIAM J. Imaging Sci. 2:183.
Dictionary: Mairal, Bach, Ponce & Sapiro (2010), J. Mach. Learn. Res. 11:19.
"""

import numpy as np
from jaxtyping import Float, Real

Examples = Real[np.ndarray, "example pixel"]
Dictionary = Float[np.ndarray, "word pixel"]
Codes = Float[np.ndarray, "example word"]
BATCH = 100
STEPS = 50  # of each code
ROUGH = 25  # of codes while learning
MEMORY = 0.98  # of what was seen, kept from batch to batch


def sparse_codes(
    examples: Examples, dictionary: Dictionary, *, penalty: float, steps: int = STEPS
) -> Codes:
    """Codes a that minimise |x - a D|^2 / 2 + penalty sum |a|, one for every example x.

    By accelerated proximal gradient descent, `steps` long, in 32-bit numbers.
    """
    words = np.asarray(dictionary, np.float32)
    heard, gram = np.asarray(examples, np.float32) @ words.T, words @ words.T
    step = np.float32(1 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12))
    threshold = np.float32(penalty) * step
    codes = np.zeros_like(heard)
    ahead, speed = codes, 1.0
    for _ in range(steps):
        moved = ahead + step * (heard - ahead @ gram)
        fresh = moved - np.clip(moved, -threshold, threshold)
        later = (1 + (1 + 4 * speed**2) ** 0.5) / 2
        ahead = fresh + np.float32((speed - 1) / later) * (fresh - codes)
        codes, speed = fresh, later
    return codes


def sparse_dictionary(
    examples: Examples,
    start: Dictionary,
    *,
    penalty: float,
    passes: int = 4,
    batch: int = BATCH,
    steps: int = ROUGH,
    rng: np.random.Generator,
) -> Dictionary:
    """Words of length 1 that describe `examples` by sparse codes, learned batch by batch.

    Examples go by `passes` times in random order. After each batch every word moves to where
    recent examples, coded with the dictionary of their time, are described best. A word that
    recent codes never used stays.
    """
    examples = np.asarray(examples, np.float32)
    words = np.array(start, np.float32)
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    used = np.zeros((len(words), len(words)), np.float32)
    wanted = np.zeros_like(words)
    for _ in range(passes):
        order = rng.permutation(len(examples))
        for begin in range(0, len(order), batch):
            seen = examples[order[begin : begin + batch]]
            codes = sparse_codes(seen, words, penalty=penalty, steps=steps)
            used = MEMORY * used + codes.T @ codes / len(seen)
            wanted = MEMORY * wanted + codes.T @ seen / len(seen)
            _improve(words, used, wanted)
    return words.astype(float)


def random_dictionary(words: int, pixels: int, rng: np.random.Generator) -> Dictionary:
    """Words of Gaussian noise, of length 1: where learning may start."""
    drawn = rng.standard_normal((words, pixels))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def coding_cost(examples: Examples, dictionary: Dictionary, *, penalty: float) -> float:
    """Mean of |x - a D|^2 / 2 + penalty sum |a| over examples, with the best codes."""
    codes = sparse_codes(examples, dictionary, penalty=penalty)
    missed = examples - codes @ np.asarray(dictionary, np.float32)
    return float(np.mean(np.sum(missed**2, 1) / 2 + penalty * np.abs(codes).sum(1)))


def _improve(words: np.ndarray, used: np.ndarray, wanted: np.ndarray) -> None:
    """Move the words in place, one after the other, each where the others leave most to do."""
    power = np.diagonal(used)
    for k in np.flatnonzero(power > 1e-6 * max(float(power.max()), 1e-30)):
        word = words[k] + (wanted[k] - used[k] @ words) / power[k]
        length = np.linalg.norm(word)
        if length > 0:
            words[k] = word / length
