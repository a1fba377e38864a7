"""How tests read a source: prepared here, and then pickled as for a worker."""

import pickle


def ignore_progress(done, total): ...


def send_to_worker(source):
    """The source and its partitions as a worker gets them."""
    source.prepare(ignore_progress)
    return pickle.loads(pickle.dumps((source, source.partitions())))


def read_all(source):
    """All references and dead letters of a source."""
    source, partitions = send_to_worker(source)
    return [reference for partition in partitions for reference in source.read(partition)]
