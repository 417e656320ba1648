"""Records what rapidfuzz (PyPI, MIT licence) says of pairs of names: crates/segmentation-core/tests/data/name_distances.csv.

    python benches/peers/rapidfuzz_values.py > crates/segmentation-core/tests/data/name_distances.csv
"""
import random
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

NAMES = """martin bernard thomas petit robert richard durand dubois moreau laurent simon michel lefebvre leroy roux david
bertrand morel fournier girard bonnet dupont lambert fontaine rousseau vincent muller lefevre faure andre mercier blanc
guerin boyer garnier chevalier francois legrand gauthier garcia perrin robin clement morin nicolas henry roussel
mathieu gautier masson marchand duval denis dumont marie lemaire noel meyer dufour meunier brun blanchard giraud joly
smith johnson williams brown jones miller davis rodriguez wilson anderson taylor müller søren žižek łukasz""".split()
LETTERS = "abcdefghijklmnopqrstuvwxyzé "
draw = random.Random(20261127)


def mistyped(name):
    letters = list(name)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(letters))
        kind = draw.randrange(4)
        if kind == 0:
            letters.insert(at, draw.choice(LETTERS))
        elif kind == 1 and len(letters) > 1:
            del letters[at]
        elif kind == 2:
            letters[at] = draw.choice(LETTERS)
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters).strip()


pairs = [("", ""), ("", "a"), ("a", "b"), ("ca", "abc"), ("dixon", "dicksonx")]
pairs += [(name, mistyped(name)) for name in NAMES for _ in range(3)]
pairs += [tuple(draw.sample(NAMES, 2)) for _ in range(150)]
pairs += [(" ".join(draw.sample(NAMES, 4)), " ".join(draw.sample(NAMES, 4))) for _ in range(40)]
print("a,b,jaro_winkler,damerau_levenshtein")
for a, b in pairs:
    print(f"{a},{b},{JaroWinkler.similarity(a, b)!r},{DamerauLevenshtein.distance(a, b)}")
