"""Every rule on every kind of network: makes docs/table_of_rules.md from committed results.

python examples/table_of_rules           measures what is missing, then draws
python examples/table_of_rules --again   measures everything
python examples/table_of_rules --draw    only draws
"""

import argparse
import json
import sys
from pathlib import Path

from drawn import draw
from measured import measure

from neurula.files import write_whole
from neurula.results import dump

RESULTS = Path(__file__).parent / "results.json"
DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    """Measure what is missing, then draw."""
    parser = argparse.ArgumentParser("python examples/table_of_rules", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--again", action="store_true", help="measure everything anew")
    which.add_argument("--draw", action="store_true", help="only draw what there is")
    asked = parser.parse_args()
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() and not asked.again else {}
    if not asked.draw:
        save = lambda: write_whole(RESULTS, (dump(kept, indent=1) + "\n").encode())  # noqa: E731
        if lost := measure(kept, save):
            sys.exit(f"{lost} cells were lost, so the table is not whole. The others are kept.")
    draw(kept, DOCS)
    print(DOCS / "table_of_rules.md")


if __name__ == "__main__":  # processes that measure import this file
    main()
