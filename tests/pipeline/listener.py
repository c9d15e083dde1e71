"""A listener to progress, for tests of what a job says."""

from ghostface_edge.pipeline.support.progress import Progress


class Listener(Progress):
    """Keeps what is said."""

    def __init__(self):
        super().__init__()
        self.said = []

    def say(self, text, **facts):
        self.said.append(text)

    def warn(self, text):
        self.said.append(f"warning: {text}")
