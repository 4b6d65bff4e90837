"""Attribution by every model, against the numbers of others."""

import csv
import json
from fractions import Fraction
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from campaigns import credit
from campaigns.credit import JourneyPath

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "analytics" / "attribution.json").read_text())
SMALL = KNOWN["small"]
DATA_SET = HERE.parents[2] / "shared" / "oracles" / "analytics" / "attribution_paths.csv"


def small_paths() -> list[JourneyPath]:
    return [
        JourneyPath(
            channels=tuple(path["path"]),
            conversions=Fraction(path["conversions"]),
            nulls=Fraction(path["nulls"]),
        )
        for path in SMALL["paths"]
    ]


@pytest.mark.parametrize("model", ["first", "last", "linear"])
def test_credits_four_paths_as_counted_by_hand(model: str) -> None:
    found = credit.attribute(small_paths(), model).conversions

    assert found == pytest.approx({c: row[model] for c, row in SMALL["heuristic"].items()})


def test_solves_the_chain_of_four_paths_exactly() -> None:
    found = credit.attribute(small_paths(), "markov")

    expected = SMALL["markov_order1_exact"]
    assert found.conversions == pytest.approx({c: e["conversions"] for c, e in expected.items()})
    assert found.removal_effects == pytest.approx(
        {c: e["removal_effect"] for c, e in expected.items()}
    )


@pytest.mark.parametrize("game", KNOWN["shapley"], ids=lambda game: game["name"])
def test_values_known_games(game: dict[str, Any]) -> None:
    found = credit.shapley(dividends_of(game))

    assert {player: float(value) for player, value in found.items() if value} == pytest.approx(
        game["expected"]
    )


def dividends_of(game: dict[str, Any]) -> dict[frozenset[str], Fraction]:
    """Return what each set adds to what its parts are worth (Möbius inversion)."""
    players = sorted(game["expected"])
    dividends: dict[frozenset[str], Fraction] = {}
    for size in range(1, len(players) + 1):
        for some in combinations(players, size):
            within = sum(dividends[part] for part in dividends if part < frozenset(some))
            dividends[frozenset(some)] = Fraction(worth_of(game, some)) - within
    return dividends


def worth_of(game: dict[str, Any], some: tuple[str, ...]) -> int:
    table = {frozenset(split(name)): worth for name, worth in game["worth"].items()}
    worth: int = table.get(frozenset(some), 0)
    return worth


def split(name: str) -> list[str]:
    return name.split("+") if "+" in name else list(name)


@pytest.mark.skipif(not DATA_SET.exists(), reason="the data set is not ours to ship")
class TestDataSet:
    @pytest.mark.parametrize("model", ["first", "last", "linear"])
    def test_of_ten_thousand_paths_is_credited_as_by_others(self, model: str) -> None:
        found = run(DATA_SET, model)["conversions"]

        heuristic = KNOWN["full"]["heuristic"]
        assert found == pytest.approx({channel: row[model] for channel, row in heuristic.items()})

    def test_of_ten_thousand_paths_gives_the_exact_chain(self) -> None:
        found = run(DATA_SET, "markov")

        exact = KNOWN["full"]["markov_order1_exact"]
        for channel, row in exact.items():
            assert found["conversions"][channel] == pytest.approx(row["conversions"])
            assert found["removal_effects"][channel] == pytest.approx(row["removal_effect"])

    @pytest.mark.parametrize("model", credit.MODELS)
    def test_is_credited_whole(self, model: str) -> None:
        found = run(DATA_SET, model)["conversions"]

        assert sum(found.values()) == pytest.approx(KNOWN["full"]["total_conversions"])


def run(path: Path, model: str) -> dict[str, Any]:
    out = StringIO()
    call_command("attribute", paths=path, model=model, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


class TestCommand:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "paths.csv"
        with path.open("w", newline="") as target:
            rows = csv.writer(target)
            rows.writerow(["path", "total_conversions", "total_conversion_value", "total_null"])
            for row in SMALL["paths"]:
                rows.writerow([" > ".join(row["path"]), row["conversions"], 1, row["nulls"]])
        return path

    def test_says_model_and_conversions(self, file: Path) -> None:
        expected = {c: row["first"] for c, row in SMALL["heuristic"].items()}

        assert run(file, "first") == {"model": "first", "conversions": expected}
        assert set(run(file, "markov")) == {"model", "conversions", "removal_effects"}

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "no column path"),
            ("path\nflyer\n", "no column total_conversions"),
            ("path,total_conversions\nflyer,1\n", "no column total_null"),
            ("path,total_conversions,total_null\n,1,0\n", "line 2"),
            ("path,total_conversions,total_null\na >  > b,1,0\n", "no empty one"),
            ("path,total_conversions,total_null\na,-1,0\n", "not a number"),
            ("path,total_conversions,total_null\na,NaN,0\n", "not a number"),
            ("path,total_conversions,total_null\na,1e999999999,0\n", "not a number"),
            ("path,total_conversions,total_null\na,1/0,0\n", "not a number"),
            ("path,total_conversions,total_null\na\n", "not a number"),
            ("path,total_conversions,total_null\na,1,\n", "total_null is not a number"),
            ('path,total_conversions,total_null\n"a,1,0\n', "unexpected end"),
        ],
    )
    def test_says_what_is_wrong_with_a_file(self, tmp_path: Path, text: str, why: str) -> None:
        path = tmp_path / "paths.csv"
        path.write_text(text)

        with pytest.raises(CommandError, match=why) as refused:
            run(path, "markov")

        assert refused.value.returncode == 2

    def test_says_that_a_file_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="nowhere"):
            run(tmp_path / "nowhere.csv", "last")

    def test_credits_nothing_where_nobody_converted(self, tmp_path: Path) -> None:
        path = tmp_path / "paths.csv"
        path.write_text("path,total_conversions,total_null\na > b,0,5\n")

        for model in credit.MODELS:
            assert run(path, model)["conversions"] == {"a": 0, "b": 0}

    @pytest.mark.parametrize("model", credit.MODELS)
    def test_reads_files_as_others_write_them(self, tmp_path: Path, model: str) -> None:
        """A mark at its beginning, lines of Windows, quotes, other columns in another order,
        numbers as a spreadsheet has them, channels with commas and in Chinese, arrows without
        room, and a channel that meets people but never has a part in what they do.
        """
        path = tmp_path / "paths.csv"
        lines = [
            "total_null,note, total_conversions ,path",
            '0,x,1e3,"抖音, 直播 > 传单 > 传单"',
            "7.0,,0,walk-by",
            "999999999999999,,2.5,传单>抖音>传单>抖音",
            "0,,0,ghost > ghost",
            "3,,1,single",
        ]
        path.write_bytes(("\ufeff" + "\r\n".join(lines)).encode())

        answer = run(path, model)

        found = answer["conversions"]
        assert set(found) == {"抖音, 直播", "传单", "抖音", "walk-by", "ghost", "single"}
        assert sum(found.values()) == pytest.approx(1003.5)
        assert (found["walk-by"], found["ghost"]) == (0, 0)
        assert all(0 <= value <= 1003.5 for value in found.values())
        assert set(answer.get("removal_effects", found)) == set(found)

    @pytest.mark.parametrize("model", credit.MODELS)
    def test_credits_nobody_where_there_are_no_paths(self, tmp_path: Path, model: str) -> None:
        path = tmp_path / "paths.csv"
        path.write_text("path,total_conversions,total_null\n")

        assert run(path, model)["conversions"] == {}

    def test_answers_for_many_channels(self, tmp_path: Path) -> None:
        """120 of them in a ring: one inverse, not one equation for each."""
        path = tmp_path / "paths.csv"
        rows = [f"c{n} > c{(n + 1) % 120} > c{(n + 7) % 120},1,1" for n in range(120)]
        path.write_text("\n".join(["path,total_conversions,total_null", *rows]))

        found = run(path, "markov")

        assert found["conversions"] == pytest.approx({f"c{n}": 1 for n in range(120)})
