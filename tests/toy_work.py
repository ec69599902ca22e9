"""Work for the pool: no JAX, so that workers start at once."""

import os
import signal
import time


def work(piece):
    match piece:
        case "raise":
            raise ValueError("no good")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            os._exit(3)
        case "lock":
            return lambda: None  # cannot be pickled
        case "print":
            print("to standard output")
        case "environment":
            return os.environ["XLA_FLAGS"], os.environ["PJRT_NPROC"]
        case "sleep":
            time.sleep(0.5)
    return piece, os.getpid()
