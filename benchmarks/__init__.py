"""Speed, side by side: `python -m benchmarks` measures everything and writes `results.json`.

Equal answers are asserted before any time is taken. Times are medians of interleaved repeats, in
one process, on whatever machine this is; losses are printed like wins.
"""
