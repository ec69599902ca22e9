"""Keeps compiled programs in the user's cache folder, so that later runs start at once."""

import os
import warnings
from pathlib import Path


def cache_folder() -> Path:
    """Where compiled programs lie: NEURULA_CACHE, or the user's cache folder."""
    import platformdirs

    chosen = os.environ.get("NEURULA_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("neurula") / "jax"


def use_cache() -> None:
    """Switch JAX's persistent compilation cache on, unless the user has set one."""
    import jax

    if jax.config.values["jax_compilation_cache_dir"] is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # A cache that cannot be read or written costs time, and nothing else.
    warnings.filterwarnings("ignore", message=".*persistent compilation cache.*")
