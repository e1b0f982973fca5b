"""Measures populations against plain loops on this machine: python -m benchmarks [--device cpu|cuda] [--write]."""

import argparse
import time
from pathlib import Path

import torch

from benchmarks import cut, report
from benchmarks.configurations import CONFIGURATIONS
from benchmarks.measure import SIZES, table


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    parser.add_argument("--only", nargs="+", default=list(CONFIGURATIONS), choices=CONFIGURATIONS, metavar="NAME")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--out", type=Path, default=Path("results/benchmark"))
    parser.add_argument("--write", action="store_true", help="write the cut into src/fgan/engine/machines.yaml")
    args = parser.parse_args()
    began = time.time()
    frame = table(args.device, args.only, args.sizes)
    report.write(frame, args.device, args.out)
    print(report.markdown(frame))
    if args.device == "cpu":
        cuts = cut.measure()
        print(cuts.to_string(index=False))
        cuts.to_csv(args.out / "cut.csv", index=False)
        if args.write:
            cut.write(cuts)
    else:
        seconds = cut.ways(args.device)
        print("convolutions, seconds of a step:", seconds)
        if args.write:
            cut.write_way(args.device, seconds)
    print(f"{(time.time() - began) / 60:.1f} minutes; table and figure are in {args.out}")


if __name__ == "__main__":
    main()
