"""Clients that ask without a pause, while something is done to the server."""

import contextlib
import threading


class Poller(threading.Thread):
    """ask: a function that gives an Answer, which has to be a whole one with status 200."""

    def __init__(self, ask):
        super().__init__()
        self.ask, self.good, self.bad, self.done = ask, 0, [], threading.Event()
        self.start()

    def run(self):
        while not self.done.is_set():
            try:
                answer = self.ask()
            except OSError as error:
                self.bad.append(repr(error))
                continue
            if answer.status == 200 and answer.whole:
                self.good += 1
            else:
                self.bad.append(repr(answer))


@contextlib.contextmanager
def nothing_lost(ask, clients=4):
    """The body of the with statement runs while so many clients ask; each of their requests is answered with a
    whole 200, and each client asks before, during and after it.  Gives the clients."""
    pollers = [Poller(ask) for _ in range(clients)]
    try:
        yield pollers
    finally:
        for poller in pollers:
            poller.done.set()
        for poller in pollers:
            poller.join()
    bad = [words for poller in pollers for words in poller.bad]
    good = sum(poller.good for poller in pollers)
    assert not bad, f"{len(bad)} of {len(bad) + good} requests were lost, the first: {bad[0]}"
    assert all(poller.good for poller in pollers), "nothing was asked"


class Background(threading.Thread):
    """One request in the background."""

    def __init__(self, ask):
        super().__init__()
        self.ask, self.answer = ask, None
        self.start()

    def run(self):
        self.answer = self.ask()

    def result(self):
        self.join()
        assert self.answer is not None, "no answer"
        return self.answer
