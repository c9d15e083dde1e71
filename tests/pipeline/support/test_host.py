import pytest

from ghostface_edge.pipeline.support.host import describe_host, describe_kernels, int8_saturates


@pytest.mark.parametrize(
    ("machine", "isa", "saturates"),
    [
        ("x86_64", ("avx2", "fma"), True),
        ("x86_64", ("avx2", "avx512f"), True),
        ("x86_64", ("avx2", "avx_vnni"), False),
        ("x86_64", ("avx2", "avx512_vnni"), False),
        ("aarch64", ("asimd",), False),
    ],
)
def test_int8_kernels_saturate_on_x86_without_vnni(machine, isa, saturates):
    host = describe_host().model_copy(update={"machine": machine, "isa": isa})
    assert int8_saturates(host) is saturates


def test_kernels_are_chosen_by_the_cpu_and_not_by_its_memory_or_system():
    host = describe_host()
    assert describe_kernels() == {"cpu": host.cpu, "machine": host.machine, "isa": list(host.isa)}
