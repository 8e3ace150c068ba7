"""The English words that the checks know. What is not here is compared as it is written."""

from fractions import Fraction


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


UP = _words(
    "up rise rises rose risen rising grow grows grew grown growing growth increase increases increased increasing gain "
    "gains gained gaining climb climbs climbed climbing jump jumps jumped surge surges surged soar soared improve "
    "improved improves expand expanded expands higher more greater larger bigger added advanced advance rally rallied "
    "doubled tripled quadrupled accelerated strengthened faster longer above exceeded exceeds outperformed upturn "
    "raise raised raises"
)
DOWN = _words(
    "down fall falls fell fallen falling drop drops dropped dropping decline declines declined declining decrease "
    "decreases decreased decreasing lose loses lost losing shrink shrinks shrank shrunk sink sinks sank slip slips "
    "slipped slid plunge plunged plummet plummeted reduce reduced reduces lower less fewer smaller cut cuts halved "
    "contracted contract worsened weakened slowed slower shorter below underperformed downturn dip dipped tumbled "
    "lowered lowers"
)
COMPARATIVES = _words(
    "more greater higher larger bigger longer faster less fewer lower smaller shorter slower above below up down"
)
NEGATIONS = _words(
    "not no never none neither nor without cannot nothing nobody hardly unable lacks lacked lacking "
    "isn't aren't wasn't weren't don't doesn't didn't won't can't couldn't shouldn't hasn't haven't hadn't"
)
OPPOSITES = {
    word: (number, sign)
    for number, (one, other) in enumerate(
        (
            ("enabled enable enables", "disabled disable disables"),
            (
                "allowed allow allows permitted permit permits",
                "denied deny denies forbidden forbid forbids blocked prohibited",
            ),
            ("open opened opens", "closed close closes shut"),
            ("accepted accept accepts approved approve approves", "rejected reject rejects refused refuse refuses"),
            (
                "succeeded succeed succeeds success successful successfully passed pass passes",
                "failed fail fails failure unsuccessful unsuccessfully",
            ),
            ("before earlier", "after later"),
            ("included include includes including", "excluded exclude excludes excluding"),
            ("won win wins", "lost lose loses"),
            ("bought buy buys acquired acquire acquires", "sold sell sells"),
            ("online", "offline"),
            ("beat beats beating exceeded exceeds topped", "missed misses miss missing"),
            ("changed change changes", "unchanged"),
            ("active", "inactive"),
            ("present", "absent"),
            ("true", "false"),
            ("valid", "invalid"),
            ("known", "unknown"),
            ("public", "private"),
            ("internal", "external"),
            ("profit profits profitable", "loss losses unprofitable"),
            ("import imports imported", "export exports exported"),
            ("maximum max highest most largest", "minimum min lowest least smallest"),
            ("started start starts began begin begins", "stopped stop stops ended end ends finished"),
            ("hired hire hires", "fired dismissed"),
            ("joined join joins", "left leave leaves"),
            ("supported support supports", "unsupported opposed oppose opposes"),
            ("required mandatory", "optional"),
            ("encrypted", "unencrypted plaintext"),
            ("installed install", "uninstalled removed uninstall remove removes"),
        )
    )
    for words, sign in ((one, 1), (other, -1))
    for word in words.split()
}  # fmt: skip

_ALIKE = (
    "revenue revenues turnover sales",
    "profit profits earnings income",
    "employee employees staff workers people",
    "customer customers client clients",
    "company firm business",
    "purchase purchased bought buy acquired acquire",
    "price prices cost costs",
    "login logins",
    "car cars vehicle vehicles",
    "error errors failure failures",
    "country countries nation nations",
    "city cities town towns",
    "begin began started start",
    "shut closed close",
    "quick fast rapid",
    "big large",
    "host hosts server servers machine machines",
    "address addresses ip",
    "user users account accounts",
    "year years annual annually yearly",
    "month months monthly",
)
SYNONYMS = {word: number for number, words in enumerate(_ALIKE) for word in words.split()}

STOP = _words(
    "a an the this that these those it its they them their he she his her we our you your i my of in on at by for to "
    "from with as and or but if than then so such into onto over under about between among through during per via is "
    "are was were be been being has have had having do does did will would can could may might must shall should there "
    "here which who whom whose what when where why how all any each every both some most other another same very also "
    "only just still yet already again further once while whereas although because since until after before against "
    "out off now total altogether together overall average mean sum difference compared approximately roughly around "
    "nearly almost exactly least according said says reported reports respectively percent percentage points point one "
    "first second third last"
)

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL = {word: number for number, word in enumerate([*_UNITS.split(), "eighteen", "nineteen"])} | {
    word: 20 + 10 * number for number, word in enumerate(_TENS.split())
}
SCALES = {
    "hundred": 10**2, "thousand": 10**3, "thousands": 10**3, "million": 10**6, "millions": 10**6, "mn": 10**6,
    "mio": 10**6, "billion": 10**9, "billions": 10**9, "bn": 10**9, "trillion": 10**12, "tn": 10**12, "dozen": 12,
}  # fmt: skip
PARTS = {
    "half": Fraction(1, 2), "third": Fraction(1, 3), "quarter": Fraction(1, 4), "thirds": Fraction(1, 3),
    "quarters": Fraction(1, 4), "fifth": Fraction(1, 5), "fifths": Fraction(1, 5), "tenth": Fraction(1, 10),
}  # fmt: skip

_MONTHS = "january february march april may june july august september october november december"
MONTHS = {
    short: number
    for number, name in enumerate(_MONTHS.split(), start=1)
    for short in (name, name[:3], *(["sept"] if name == "september" else []))
}

ABOUT = ("about", "around", "roughly", "approximately", "nearly", "almost", "some", "circa", "ca", "approx", "~", "≈")
ABOVE = (
    "more than",
    "over",
    "above",
    "at least",
    "exceeding",
    "exceeds",
    "exceeded",
    "upwards of",
    "greater than",
    ">",
)
BELOW = ("less than", "under", "below", "at most", "fewer than", "up to", "no more than", "lower than", "<")

UNITS: dict[str, tuple[str, Fraction]] = {
    word: (kind, Fraction(factor))
    for kind, table in {
        "time": {"ns": "1e-9", "µs": "1e-6", "us": "1e-6", "ms millisecond milliseconds": "0.001",
                 "s sec secs second seconds": "1", "min mins minute minutes": "60", "h hr hrs hour hours": "3600",
                 "d day days": "86400", "week weeks": "604800"},
        "span": {"month months": "1", "quarter": "3", "year years yr yrs": "12", "decade decades": "120"},
        "length": {"mm": "0.001", "cm": "0.01", "m metre metres meter meters": "1", "mi mile miles": "1609.344",
                   "km kilometre kilometres kilometer kilometers": "1000", "ft foot feet": "0.3048",
                   "inch inches": "0.0254"},
        "mass": {"mg": "0.000001", "g gram grams gramme grammes": "0.001", "kg kilogram kilograms kilo kilos": "1",
                 "t tonne tonnes": "1000", "lb lbs pound pounds": "0.45359237", "ton tons": "1000"},
        "data": {"byte bytes": "1", "KB kB": "1e3", "MB": "1e6", "GB": "1e9", "TB": "1e12", "PB": "1e15",
                 "KiB": "1024", "MiB": "1048576", "GiB": "1073741824", "TiB": "1099511627776"},
        "volume": {"ml": "0.001", "l L litre litres liter liters": "1", "gallon gallons": "3.785411784"},
        "energy": {"Wh": "1", "kWh": "1e3", "MWh": "1e6", "GWh": "1e9", "TWh": "1e12"},
        "power": {"W watt watts": "1", "kW kilowatts": "1e3", "MW megawatts": "1e6", "GW gigawatts": "1e9"},
        "celsius": {"°C degC": "1"}, "fahrenheit": {"°F degF": "1"}, "speed": {"km/h kph": "1", "mph": "1.609344"},
        "frequency": {"Hz": "1", "kHz": "1e3", "MHz": "1e6", "GHz": "1e9"},
    }.items()
    for words, factor in table.items()
    for word in words.split()
}  # fmt: skip
CURRENCY_WORDS = {
    "dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "yen": "JPY", "francs": "CHF", "rupees": "INR",
    "yuan": "CNY", "cents": "cents",
}  # fmt: skip
