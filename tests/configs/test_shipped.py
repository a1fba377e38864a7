from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


def test_every_shipped_config_has_a_tiny_run():
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    names = [str(path.relative_to(ROOT / "configs").with_suffix("")) for path in CONFIGS]
    assert names
    assert [name for name in names if f'"{name}"' not in tests] == []
