"""Compile once, remember between runs; forbid silent promotions."""

import gc
import itertools
import os
import warnings
from pathlib import Path

import equinox as eqx
import jax
import pytest

# Most tests run tiny programs once, so that compiling them is what takes the time: XLA tries less
# hard here. `NEURULA_TESTS_AS_USERS=1` (in `./check full`) compiles as everybody's programs are.
if not os.environ.get("NEURULA_TESTS_AS_USERS"):
    quick = "--xla_backend_optimization_level=0"
    if jax.__version_info__ < (0, 11):  # later ones do not know it, and stop at once
        quick += " --xla_cpu_use_fusion_emitters=false"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {quick}".strip()
    os.environ["NUMBA_OPT"] = "1"  # loops of the event engine, likewise

# Workers and command lines started by tests share the cache.
CACHE = os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent.parent / ".jax_cache")
)
os.environ.setdefault("NEURULA_CACHE", CACHE)  # never the user's own: its loops are fast
jax.config.update("jax_compilation_cache_dir", CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


MAPS = Path("/proc/self/maps")
ENOUGH = 30_000  # Linux allows a process 65,530 maps; XLA crashes where it gets no more


TESTS = itertools.count(1)


def pytest_runtest_teardown(item):
    """Forget compiled programs now and then: each holds maps of memory, thousands hold too many."""
    if next(TESTS) % 16 or not MAPS.exists():  # counting maps takes long where there are many
        return
    if len(MAPS.read_bytes().splitlines()) > ENOUGH:
        eqx.clear_caches()
        gc.collect()


@pytest.fixture
def key():
    return jax.random.key(0)


@pytest.fixture
def toolbox():
    """rsatoolbox, which warns when it is imported and when it counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("rsatoolbox")
