"""Reads messages with the json module, one a line, and prints how it reads each: see same-message.readers.ts."""

import json
import sys


def first_wins(pairs):
    return dict(reversed(pairs))


def member(value, name):
    return value.get(name) if isinstance(value, dict) else None


def show(value):
    return value.encode("utf-8", "surrogatepass").hex() if isinstance(value, str) else "-"


hook = first_wins if sys.argv[1:] == ["first"] else None
for line in sys.stdin.buffer.read().split(b"\n")[:-1]:
    message = json.loads(line, object_pairs_hook=hook)
    params = member(message, "params")
    values = [member(message, "method"), *(member(params, name) for name in ("name", "uri", "taskId"))]
    print("\t".join(map(show, [*values, member(member(params, "_meta"), "user")])))
