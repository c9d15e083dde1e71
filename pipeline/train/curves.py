"""Loss, learning rate and verification accuracy over the steps of a run, as a picture."""

from pathlib import Path

from ghostface_edge.pipeline.train.state import History


def plot_curves(history: History, path: Path, title: str) -> None:
    """Write an `.svg` or `.png`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "ghostface-edge", "font.size": 9}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot(history.loss_steps, history.losses, color="#0b5fa5", label="loss")
        upper.set_ylabel("margin softmax loss")
        upper.set_title(title)
        rate = upper.twinx()
        rate.plot(history.loss_steps, history.rates, color="#a0a0a0", linewidth=0.8)
        rate.set_ylabel("learning rate", color="#707070")
        lower.plot(history.validation_steps, [100 * value for value in history.accuracies], "o-", color="#b04a00")
        lower.set_ylabel("verification, %")
        lower.set_xlabel("step")
        lower.grid(visible=True, linewidth=0.3)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
