from ghostface_edge.calibration.person_names import name_key


def test_spellings_of_one_name():
    assert name_key("José_Müller") == name_key("JOSE MULLER") == name_key("jose-muller")
    assert name_key("Ann_Lee") != name_key("Ann_Lea")
