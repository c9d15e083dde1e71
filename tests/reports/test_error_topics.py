from ghostface_edge.reports.error_topics import topic_of


def test_a_module_stands_before_its_room():
    assert topic_of("ghostface_edge.calibration.bin_file") == "pairs"
    assert topic_of("ghostface_edge.calibration.photos") == "faces"
    assert topic_of("ghostface_edge.targets.c.metal.embedder") == "firmware"


def test_without_a_topic_there_is_no_anchor():
    assert not topic_of("ghostface_edge.pipeline.nowhere")
    assert not topic_of("__main__")
