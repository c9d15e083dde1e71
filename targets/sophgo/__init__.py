"""Sophgo's chips: `.cvimodel` for a CV181x, `.bmodel` for a BM1684X, made and judged by tpu_mlir."""
