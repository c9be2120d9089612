from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text(encoding="utf-8")


def test_the_page_holds_the_table(script):
    rows = list(script("weights_table").rows())
    assert len(rows) == 8
    assert "\n".join(rows) in PAGE


def test_the_page_names_the_parameters_of_every_component(script):
    table = script("weights_table")
    for model in table.MODELS:
        for name, count in table.counted(model)["parameters"].items():
            assert f"{count:,}" in PAGE, (model, name)
