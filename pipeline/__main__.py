"""`python -m ghostface_edge.pipeline` is `ghostface-edge`."""

from ghostface_edge.pipeline.cli.app import main

if __name__ == "__main__":
    main()
