"""Which sentences of notes are read as statements on a market, and which are left alone."""

from collections.abc import Callable, Iterator

import pytest

from tests.examples.workshop import loaded_tables, market_agents

Reader = Callable[[str], tuple[str, str] | None]


@pytest.fixture(scope="module")
def read() -> Iterator[Reader]:
    """Read one sentence against the tables of the example: the figure meant and what it is said to be."""
    with market_agents() as agents:
        market = agents.tables.market_of(loaded_tables())

        def one(text: str) -> tuple[str, str] | None:
            found = agents.statements._read(market, text)
            return None if found is None else (found[0].text, found[1])

        yield one


@pytest.mark.parametrize(
    ("text", "figure", "stated"),
    [
        ("Tovaro sold 9,445 units in 2025.", "Units of Tovaro in 2025", "9,445"),
        (
            "In Q3 2025, Tovaro shipped about 900 units in the Isles.",
            "Units of Tovaro in Isles in 2025-Q3",
            "about 900",
        ),
        ("Revenue of Brennick rose to EUR 33.1 million in 2025.", "Revenue of Brennick in 2025", "EUR 33.1 million"),
        ("More than 30,000 units were sold in 2024.", "Units in 2024", "more than 30,000"),
        ("The market shrank by 3 % in 2024.", "Revenue, change from 2023 to 2024", "-3 %"),
        ("Unit volumes of Quillon grew 4 % in 2025.", "Units of Quillon, change from 2024 to 2025", "4 %"),
        (
            "From 2023 to 2025 revenue grew by 14 percent per year.",
            "Revenue from 2023 to 2025, growth per year",
            "14 percent",
        ),
        (
            "Sales of Larkwheel fell by 2 % year on year in the first quarter of 2025.",
            "Revenue of Larkwheel, change from 2024-Q1 to 2025-Q1",
            "-2 %",
        ),
        ("Southvale accounted for 34.5 % of revenue in 2025.", "Revenue in Southvale in 2025, share of all", "34.5 %"),
        ("61 % of the owners of Brennick recommend it in 2025.", "Respondents of Brennick recommend in 2025", "61 %"),
        ("The list price of Quillon was 3,800 euros in 2025-Q4.", "List price of Quillon in 2025-Q4", "3,800 euros"),
    ],
)
def test_a_sentence_is_read_for_the_figure_it_means(read: Reader, text: str, figure: str, stated: str) -> None:
    assert read(text) == (figure, stated)


@pytest.mark.parametrize(
    "text",
    [
        "Tovaro expects to sell 9,000 units in 2025.",
        "Tovaro did not sell 9,000 units in 2025.",
        "Tovaro sold 500 more units in 2025.",
        "Tovaro sold 200 units more than Quillon in 2025.",
        "In the first half of 2025 Tovaro sold 5,000 units.",
        "In May 2025 Tovaro sold 700 units.",
        "Tovaro sold 700 units online in 2025.",
        "Revenue of Tovaro rose by 12 million EUR in 2025.",
        "Revenue of Tovaro rose from 37.5 to 50.4 million EUR in 2025.",
        "Since 2023 revenue of Tovaro grew by 76 %.",
        "Revenue of Tovaro came to 50 million USD in 2025.",
        "Tovaro and Quillon sold 13,754 units in 2025.",
        "Tovaro has sold 30,000 units so far.",
        "The share of Tovaro rose by 5 % in 2025.",
        "Prices of Tovaro went up by 2 % in 2025.",
        "Tovaro sold 9,445 units in 2031.",
    ],
)
def test_a_sentence_that_may_mean_something_else_is_left_alone(read: Reader, text: str) -> None:
    assert read(text) is None
