"""What production refuses to start with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "0",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
    "SECRET_KEY": "s" * 50,
    "LOOKUP_PEPPER": "p" * 50,
    "FIELD_KEYS": "k1:" + "ab" * 32,
    "PAYMENT_PROVIDER_SECRET": "q" * 50,
}


def load(environment: dict[str, str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import shop.config.settings"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HUIGAN_VAR": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


class TestProduction:
    def test_starts_with_secrets_of_its_own(self, tmp_path: Path) -> None:
        assert load(PRODUCTION, tmp_path).returncode == 0

    @pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"DEBUG"}))
    def test_does_not_start_without(self, name: str, tmp_path: Path) -> None:
        rest = {key: value for key, value in PRODUCTION.items() if key != name}

        refused = load(rest, tmp_path)

        assert refused.returncode != 0
        assert name in refused.stderr.splitlines()[-1]

    def test_does_not_start_with_demo_data(self, tmp_path: Path) -> None:
        refused = load(PRODUCTION | {"DEMO": "1"}, tmp_path)

        assert "DEMO" in refused.stderr.splitlines()[-1]
