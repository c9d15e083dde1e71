"""Errata of LFW itself.

Source of the pairs: the "Errata" section of http://vis-www.cs.umass.edu/lfw/. The photographs under two names were
found by the leak guard on aligned faces: two are equal byte for byte, the others have cosines of 0.88 to 0.96 (FP32
GhostFaceNetV1-0.5-2) and were looked at; every other face outside `pairs.txt` stays below 0.78. People under two names
were found among the highest scores of different names, all against all.
"""

from typing import Final

from ghostface_edge.calibration.pairs_file import ImageName

WRONG_SAME_PAIRS = frozenset(
    (ImageName(name, left), ImageName(name, right))
    for name, left, right in (
        ("Janica_Kostelic", 1, 2),
        ("Nora_Bendijo", 1, 2),
        ("Jim_OBrien", 1, 2),
        ("Jim_OBrien", 1, 3),
        ("Elisabeth_Schumacher", 1, 2),
    )
)
"""Pairs of View 2 that the list calls one person and that are two."""

PHOTOGRAPHS_UNDER_TWO_NAMES = {
    "Raul_Ibanez/Raul_Ibanez_0001": "Carlos_Beltran/Carlos_Beltran_0001",
    "Ricky_Ray/Ricky_Ray_0001": "Bart_Hendricks/Bart_Hendricks_0001",
    "Emmy_Rossum/Emmy_Rossum_0001": "Eva_Amurri/Eva_Amurri_0001",
    "Andrew_Caldecott/Andrew_Caldecott_0001": "Andrew_Gilligan/Andrew_Gilligan_0001",
    "Shinya_Taniguchi/Shinya_Taniguchi_0001": "Takahiro_Mori/Takahiro_Mori_0001",
}
"""Photographs of people outside `pairs.txt` that are in it nevertheless, under another name: names without suffix."""

ONE_PERSON: Final = (
    ("Sepp_Blatter", "Joseph_Blatter"),
    ("Chyung_Dai-chul", "Dai_Chul_Chyung"),
    ("John_Barnett", "John_Burnett"),
    ("Mireya_Elisa_Moscoso_Rodriguez", "Mireya_Moscoso"),
    ("Felipe_De_Borbon", "Prince_Felipe"),
    ("Hassan_Wirajuda", "Hasan_Wirayuda"),
    ("Wang_Nan", "Nan_Wang"),
    ("Martha_Bowen", "Gabrielle_Rose"),
)
"""Names of `pairs.txt` that are one person, or share a photograph: forms of one name, whose cosines reach 0.57 and more
where strangers' 1:1,000,000 lies at 0.50; the last two show one photograph (0.968). Sung_Hong_Choi (Choi_Sung-hong
there) and Noer_Moeis (Noer_Muis) have their second spelling outside the list, where no pair can meet it. Not listed:
Isabela and Carolina Moraes (0.759), Shavon_Earp and Diana_Taurasi (0.683), whose names say nothing of the kind."""
