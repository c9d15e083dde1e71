"""The cached steps of a job, one module each: what decides the outcome, how it is built, how it is read back."""
