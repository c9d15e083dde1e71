from ghostface_edge.targets.c.native import native_kernels


def test_the_words_are_those_of_the_macros_in_their_order(tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text(
        "#!/bin/sh\necho '#define __AVX2__ 1'\necho '#define __AVX512VNNI__ 1'\necho '#define __FMA__ 1'\n"
    )
    compiler.chmod(0o700)
    assert native_kernels(str(compiler)) == ("AVX-512 VNNI", "AVX2")


def test_a_compiler_that_knows_no_native_cpu_has_none(tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o700)
    assert native_kernels(str(compiler)) == ()
    assert native_kernels(str(tmp_path / "gone")) == ()
