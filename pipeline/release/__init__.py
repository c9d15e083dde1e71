"""What leaves the pipeline: a bundle of models and evidence that anyone can check, rebuild and compare."""
