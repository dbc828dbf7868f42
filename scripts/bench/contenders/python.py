"""The same cases on Python's own executors, as measure.ts does: python.py <case> <kind> [quick]."""

import json
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait

WORKERS = 2


def increment(n):
    return n + 1


def burst(pool, count):
    futures = [pool.submit(increment, n) for n in range(count)]
    wait(futures)
    assert futures[-1].result() == count


def warm_up(pool, quick):
    for _ in range(3):
        burst(pool, 500 if quick else 2_000)


def timed(run, quick):
    """Seconds: the median of rounds for half a second, and of three at least unless one is long."""
    times = []
    enough = 0.05 if quick else 0.5
    while sum(times) < enough or (len(times) < 3 and sum(times) < 4 * enough):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure_burst(executor, quick):
    with executor(WORKERS) as pool:
        warm_up(pool, quick)
        sizes = [1_000, 10_000] if quick else [1_000, 10_000, 100_000]
        return {size: size / timed(lambda: burst(pool, size), quick) for size in sizes}


def measure_sequential(executor, quick):
    def run():
        for n in range(1_000):
            assert pool.submit(increment, n).result() == n + 1

    with executor(WORKERS) as pool:
        warm_up(pool, quick)
        return {"": 1_000 / timed(run, quick)}


def measure_map(executor, quick):
    count = 20_000 if quick else 200_000

    def run(count):
        for result in pool.map(increment, range(count), chunksize=100):
            pass
        assert result == count

    with executor(WORKERS) as pool:
        for _ in range(3):
            run(10_000)
        # Python's threads ignore `chunksize`.
        return {"": count / timed(lambda: run(count), quick)}


def measure_start(executor, quick):
    times = []
    for _ in range(3 if quick else 11):
        start = time.perf_counter()
        with executor(1) as pool:
            assert pool.submit(increment, 1).result() == 2
            times.append((time.perf_counter() - start) * 1000)
    return {"first": times[0], "later": statistics.median(times[1:])}


def measure_scaling(executor, quick):
    count = 2_000 if quick else 20_000
    figures = {}
    for workers in [1, 4] if quick else [1, 2, 4, 8, 16]:
        with executor(workers) as pool:
            warm_up(pool, quick)
            figures[workers] = count / timed(lambda: burst(pool, count), quick)
    return figures


if __name__ == "__main__":
    case, kind, *rest = sys.argv[1:]
    executor = ThreadPoolExecutor if kind == "threads" else ProcessPoolExecutor
    print(json.dumps(globals()[f"measure_{case}"](executor, "quick" in rest)))
