"""UTM parameters: by which other people's analytics tell our links apart. Pure.

A template is the parameters as they will stand in the address, with places to fill in braces:
``utm_source={channel}&utm_medium={medium}&utm_campaign={campaign}``.
"""

from collections.abc import Mapping
from string import Formatter
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

FIELDS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
PLACES = ("channel", "kind", "medium", "campaign", "phase", "placement", "store", "link")
STANDARD = (
    "utm_source={channel}&utm_medium={medium}&utm_campaign={campaign}"
    "&utm_content={placement}&utm_term={link}"
)
MEDIUMS = {
    "ad_feed": "paid_social",
    "ad_search": "cpc",
    "kol": "influencer",
    "flyer": "print",
    "offline": "offline",
    "fission": "referral",
    "cobrand": "partner",
    "swap": "partner",
    "content": "social",
    "community": "community",
    "referral": "referral",
    "organic": "organic",
}
"""What each kind of channel is called where media are compared."""


def is_template(text: str) -> bool:
    """Tell whether a text has only UTM parameters, each once, and only places that can be filled.

    >>> is_template(STANDARD), is_template("utm_source={channel}&utm_id=1"), is_template("{me}")
    (True, False, False)
    """
    try:
        pairs = parse_qsl(text, strict_parsing=True)
        parts = [part for _name, value in pairs for part in Formatter().parse(value)]
    except ValueError:
        return False
    names = [name for name, _value in pairs]
    return (
        set(names) <= set(FIELDS)
        and len(names) == len(set(names))
        and all(
            place is None or (place in PLACES and not spec and not conversion)
            for _text, place, spec, conversion in parts
        )
    )


def add(url: str, template: str, *, values: Mapping[str, str]) -> str:
    """Return an address with the template's parameters; those that it has already stay.

    A parameter with nothing in it is left out.

    >>> add("/menu?utm_source=x", "utm_source={channel}&utm_medium={medium}&utm_term={link}",
    ...     values={"channel": "flyer", "medium": "print"})
    '/menu?utm_source=x&utm_medium=print'
    """
    if not template:
        return url
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    given = {name for name, _value in query}
    everything = dict.fromkeys(PLACES, "") | dict(values)
    filled = [(name, value.format_map(everything)) for name, value in parse_qsl(template)]
    query += [(name, value) for name, value in filled if value and name not in given]
    return urlunsplit(parts._replace(query=urlencode(query)))
