"""Let a peer work in a process and an environment of its own: JSON in, JSON out."""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from .__main__ import python_of

HERE = Path(__file__).parent
MISSING = {"missing": "make environments for peers: python -m benchmarks.peers FOLDER"}


def ask(peer: str, script: str, given: dict[str, Any], *arguments: str) -> dict[str, Any] | None:
    """What `script` answers, and the seconds of its whole process; None where the peer is missing.

    The script is called as `python script given.json result.json [argument ...]`.
    """
    folder = os.environ.get("NEURULA_PEERS")
    python = python_of(Path(folder or "."), peer)
    if not folder or not python.exists():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        file, result = Path(scratch) / "given.json", Path(scratch) / "result.json"
        file.write_text(json.dumps(given))
        command = [str(python), str(HERE / script), str(file), str(result), *arguments]
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=scratch)
        return json.loads(result.read_text()) | {"process": time.perf_counter() - began}
