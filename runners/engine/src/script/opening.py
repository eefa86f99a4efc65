# Opens every program of ours: how an answer is told from whatever else a package prints.
import json
import sys


def say(answer):
    """Prints the one line that is read. NaN and infinity are no JSON and are written as texts."""
    sys.stdout.flush()
    sys.stdout.write("\nverify-script/1 " + json.dumps(finite(answer), allow_nan=False) + "\n")
    sys.stdout.flush()


def finite(value):
    if isinstance(value, float) and not (value - value == 0.0):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return value


def trouble(stage, error):
    """Says where an exception ended the work, with its last line of text."""
    text = str(error).strip().splitlines() or [""]
    return {"stage": stage, "error": type(error).__name__, "message": text[0][:500]}


def part(stage, work):
    """Returns what one part of the work gives, or what ended it: the others are said all the same."""
    try:
        return work()
    except Exception as error:
        return trouble(stage, error)
