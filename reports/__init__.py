"""What is measured and said: metrics, statistics, report model, renderings, gate."""
