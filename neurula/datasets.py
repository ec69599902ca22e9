"""`neurula data`: lists data sets, gets them, says where they lie."""

from typing import Any

from .mistake import Mistake


def data(command: Any) -> int:
    """List, get, or print the path."""
    from . import data

    if command.action == "list":
        for name in data.names():
            about = data.info(name)
            here = "here" if data.available(name) else f"neurula data get {name}"
            print(f"{name}  ({here})\n  {about.holds}\n  {about.citation}\n  {about.source}; "
                  f"{about.licence}; {about.size / 1e6:.1f} MB to download")  # fmt: skip
        return 0
    if command.name is None:
        raise Mistake(
            f"Expected the name of a data set after {command.action}, and got none. Names: "
            f"{', '.join(data.names())}. For example: neurula data {command.action} "
            f"{data.names()[0]}"
        )
    if command.source is not None and command.action != "get":
        raise Mistake(
            f"Expected --from after get alone, and got it after {command.action}, which copies "
            f"nothing. Write: neurula data get {command.name} --from {command.source}"
        )
    try:
        if command.action == "get":
            print(data.get(command.name, command.source))
        else:
            print(data.path(command.name))
    except (ValueError, OSError) as error:  # they say what was expected, and what to do
        raise Mistake(str(error)) from error
    return 0
