"""The paper map and the README name only what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "docs" / "paper-map.md").read_text()


def test_every_file_of_the_paper_map_exists():
    named = set(re.findall(r"`([\w/-]+\.(?:py|yaml|md))", MAP))
    places = [ROOT, ROOT / "src" / "cinema_cli", ROOT / "tests"]
    assert len(named) > 20
    assert not {name for name in named if not any((place / name).exists() for place in places)}


def test_each_test_of_the_paper_map_is_in_the_file_that_is_named_for_it():
    """`file.py::test_one`, `::test_two`: the second is in the same file."""
    named = re.findall(r"`([\w/]*test_\w+\.py)?(?:::(test_\w+))?`", MAP)
    file, found = "", 0
    for told, test in named:
        file = told or file
        if test:
            found += 1
            assert f"def {test}(" in (ROOT / "tests" / file).read_text(), f"{file}: {test}"
    assert found > 15


def test_every_link_of_the_documents_leads_somewhere():
    for page in (ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/README.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
