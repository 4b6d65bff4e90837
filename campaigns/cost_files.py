"""Files of costs as people have them: bytes of some encoding, and the columns of some platform.

What comes out is the same for all: numbered lines with cells under our own names, as text.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import InvalidInput

REQUIRED = ["link", "date", "cost_cents"]
COUNTS = ["impressions", "clicks", "estimated_reach"]
CLAIMS = ["claimed_conversions", "claimed_value_cents"]
COLUMNS = [*REQUIRED, "keyword", "currency", "exchange_rate", *COUNTS, *CLAIMS]
MOST_ROWS = 10_000
NAMES = "names"
"""Cells in which a platform writes what an ad is called; the code of a link is looked for there."""
AD_IDS = "ad_ids"
UNIT = re.compile(r"[(\[](元|人民币|rmb|cny|次|人|个)[)\]]$")
TOTALS = ("合计", "总计", "汇总", "小计", "total")
NOTHING = {"-", "--", "—", "/", "n/a"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """How a platform names its columns. Amounts are in whole units there, not in the smallest."""

    code: str
    platform: str
    columns: Mapping[str, Sequence[str]]
    names: Sequence[str] = ()
    ids: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a file; `number` counts from 1, the header included.

    `names` and `ad_ids` are what a platform's report says about the ad.
    """

    number: int
    cells: Mapping[str, str]
    names: Sequence[str] = field(default_factory=tuple)
    ad_ids: Sequence[str] = field(default_factory=tuple)
    has_too_many: bool = False


PLAIN = Preset(code="plain", platform="", columns={name: [name] for name in COLUMNS})
PRESETS = {
    "plain": PLAIN,
    "tencent": Preset(
        code="tencent",
        platform="tencent",
        columns={
            "link": ["链接代码", "链接", "link"],
            "date": ["日期", "时间", "统计日期", "数据日期", "date"],
            "keyword": ["关键词", "关键字", "出价词"],
            "cost_cents": ["花费", "消耗", "总花费", "总消耗", "cost"],
            "currency": ["币种"],
            "exchange_rate": ["汇率"],
            "impressions": ["曝光次数", "曝光量", "曝光数", "曝光"],
            "clicks": ["点击次数", "点击量", "点击数"],
            "estimated_reach": ["曝光人数", "触达人数", "曝光用户数"],
            "claimed_conversions": ["目标转化量", "转化目标量", "转化量", "转化次数", "转化数"],
            "claimed_value_cents": ["下单金额", "付费金额", "转化金额", "成交金额"],
        },
        names=["广告名称", "创意名称", "广告组名称", "推广计划名称", "计划名称", "动态创意名称"],
        ids=["广告id", "广告组id", "创意id", "动态创意id"],
    ),
    "oceanengine": Preset(
        code="oceanengine",
        platform="oceanengine",
        columns={
            "link": ["链接代码", "链接", "link"],
            "date": ["时间-天", "日期", "时间", "数据时间", "统计日期"],
            "keyword": ["关键词", "搜索关键词", "买词"],
            "cost_cents": ["消耗", "总消耗", "总花费", "花费", "广告消耗"],
            "currency": ["币种"],
            "exchange_rate": ["汇率"],
            "impressions": ["展示数", "展示量", "展现数", "展现量"],
            "clicks": ["点击数", "点击量", "点击次数"],
            "estimated_reach": ["展示人数", "触达人数", "覆盖人数"],
            "claimed_conversions": ["转化数", "转化量", "转化次数", "目标转化数"],
            "claimed_value_cents": ["付费金额", "成交金额", "成交订单金额", "转化金额"],
        },
        names=["广告名称", "项目名称", "计划名称", "创意名称", "单元名称", "广告组名称"],
        ids=["广告id", "计划id", "项目id", "单元id", "创意id"],
    ),
}


def decode(raw: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, or what Chinese Excel writes (GBK).

    Raises:
        InvalidInput: it is none of these.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InvalidInput(
        "/csv", _("This is not a CSV file in UTF-8 or GBK; save it as CSV first."), reason="not-csv"
    )


def read(text: str, *, preset: Preset, has_default_link: bool = False) -> Iterator[Line]:
    """Yield the lines of a file that are not empty; the totals of a platform's report are left out.

    Raises:
        InvalidInput: not these columns, not a CSV, or too many lines.
    """
    text = text.lstrip("\ufeff")
    dialect = "excel-tab" if "\t" in text.split("\n", 1)[0] else "excel"
    reader = csv.DictReader(io.StringIO(text), dialect=dialect, restkey="", strict=True)
    try:
        headers = [_plain(name) for name in reader.fieldnames or []]
        reader.fieldnames = headers
        _ensure_known(headers, preset, has_default_link=has_default_link)
        where = _where(headers, preset)
        count = 0
        for cells in reader:
            line = _line(reader.line_num, cells, where, preset)
            if preset.platform and _is_total(line, cells, headers):
                continue
            count += 1
            if count > MOST_ROWS:
                raise InvalidInput(
                    "/csv", _("At most %s lines at once.") % MOST_ROWS, reason="too-long"
                )
            yield line
    except csv.Error as error:
        raise InvalidInput("/csv", _("This is not a CSV file."), reason="not-csv") from error


def _line(
    number: int, cells: Mapping[str, str | None], where: Mapping[str, str], preset: Preset
) -> Line:
    def cell(header: str) -> str:
        text = (cells.get(header) or "").strip()
        return "" if preset.platform and text.lower() in NOTHING else text

    return Line(
        number=number,
        cells={name: cell(header) for name, header in where.items()},
        names=[cell(name) for name in preset.names if cell(name)],
        ad_ids=[cell(name).lstrip("'`") for name in preset.ids if cell(name)],
        has_too_many="" in cells,
    )


def _is_total(line: Line, cells: Mapping[str, str | None], headers: Sequence[str]) -> bool:
    first = _plain(cells.get(headers[0]) or "")
    day = _plain(line.cells.get("date", ""))
    return any(text.startswith(TOTALS) for text in (first, day))


def _ensure_known(headers: Sequence[str], preset: Preset, *, has_default_link: bool) -> None:
    has_twins = len(set(headers)) < len(headers)
    if not preset.platform:
        wanted = set(REQUIRED) - ({"link"} if has_default_link else set())
        if wanted - set(headers) or set(headers) - set(COLUMNS) or has_twins:
            raise InvalidInput(
                "/csv",
                _("The first line must name the columns: %s.") % ", ".join(COLUMNS),
                reason="columns",
            )
        return
    found = _where(headers, preset)
    names_the_ad = {"link"} & set(found) or {*preset.names, *preset.ids} & set(headers)
    missing = [name for name in ("date", "cost_cents") if name not in found]
    if missing or not (names_the_ad or has_default_link):
        wanted_names = " / ".join(
            "、".join(preset.columns[name][:3]) for name in ("date", "cost_cents")
        )
        raise InvalidInput(
            "/csv",
            _("The first line of this platform's report must have columns such as: %s.")
            % f"{wanted_names} / {'、'.join(preset.names[:3])}",
            reason="columns",
        )


def _where(headers: Sequence[str], preset: Preset) -> dict[str, str]:
    """Return for each of our columns the header of the file that holds it."""
    found = {}
    for name, aliases in preset.columns.items():
        header = next((alias for alias in aliases if alias in headers), None)
        if header is not None:
            found[name] = header
    return found


def _plain(header: str) -> str:
    """Return a header as it is compared: without width, case, blanks and unit.

    >>> _plain(" 消耗（元）"), _plain("广告ID")
    ('消耗', '广告id')
    """
    text = unicodedata.normalize("NFKC", header).strip().lower().replace(" ", "")
    return UNIT.sub("", text)
