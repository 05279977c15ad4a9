"""Test Anything Protocol: one line for each check, as automake's TAP driver reads it."""

import contextlib
import sys
import traceback


class Tap:
    """Counts the checks of one test program; done() prints the plan and gives the exit status."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def _line(self, good, name, note=""):
        self.count += 1
        self.failed += not good
        name = name.replace("#", "no.").replace("\n", " ")
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}{note}", flush=True)

    def diag(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def ok(self, good, name, detail=""):
        self._line(bool(good), name)
        if not good and detail:
            self.diag(detail)

    @contextlib.contextmanager
    def check(self, name):
        """The body of the with statement passes when nothing is raised in it."""
        try:
            yield
        except Exception as error:  # the test program goes on with its next check
            self._line(False, name)
            if isinstance(error, AssertionError) and str(error):
                self.diag(error)
                where = traceback.extract_tb(error.__traceback__)[-1]
                self.diag(f"at {where.filename}:{where.lineno}")
            else:
                self.diag(traceback.format_exc())
        else:
            self._line(True, name)

    def skip(self, name, reason):
        self._line(True, name, f" # SKIP {reason}")

    def done(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


def skip_all(reason):
    """Nothing can be checked here: say why, and end the program."""
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def equal(got, want, what):
    assert got == want, f"{what}: got {shorten(got)}, want {shorten(want)}"


def contains(text, part, what):
    assert part in text, f"{what}: {shorten(text)} does not contain {shorten(part)}"


def shorten(value, limit=400):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(value)} in all)"
