"""Takes a model as the commands do, in a process of its own: ``hub_worker.py MODEL PART [accept]``.

Prints where it lies as JSON; ends with the exit code and the sentence of what is wrong.
"""

import json
import sys

from cinema_cli.cli.model import take_model
from cinema_cli.errors import CinemaError

model, part, *rest = sys.argv[1:]
try:
    place = take_model(
        model, part, None, "accept" in rest, quiet="quiet" in rest, fetch="no-fetch" not in rest
    )
except CinemaError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
assert "torch" not in sys.modules, "nothing heavy is loaded before a model is checked"
print(json.dumps({"name": place.name, "folder": str(place.folder), "commit": place.commit}))
