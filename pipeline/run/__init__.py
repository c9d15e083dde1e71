"""The main job: inputs, variants, figures, report and verdict."""
