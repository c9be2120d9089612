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


def test_every_test_of_the_paper_map_exists():
    named = set(re.findall(r"::(test_\w+)", MAP))
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 15
    assert not {name for name in named if f"def {name}(" not in sources}


def test_every_link_of_the_documents_leads_somewhere():
    for page in (ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/README.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
