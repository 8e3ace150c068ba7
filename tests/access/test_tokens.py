"""Tokens are known by what is kept of them, and by nothing less than the whole."""

import hmac
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.access import tokens
from stretto.access.tokens import (
    UNKNOWN,
    Kind,
    csrf_token,
    is_csrf_token,
    is_sealed,
    new_token,
    read_token,
    seal,
)

KINDS: st.SearchStrategy[Kind] = st.sampled_from(["stretto", "session"])
LETTERS = st.sampled_from(string.printable)


@given(KINDS)
def test_a_token_is_read_as_it_was_written_and_known_by_its_seal(kind: Kind) -> None:
    token = new_token(kind)
    assert read_token(kind, token.text) == token
    assert is_sealed(token, seal(token))


@given(KINDS, st.integers(min_value=0), LETTERS)
def test_a_token_with_one_letter_changed_opens_nothing(kind: Kind, place: int, letter: str) -> None:
    token = new_token(kind)
    at = place % len(token.text)
    changed = f"{token.text[:at]}{letter}{token.text[at + 1 :]}"
    found = read_token(kind, changed)
    assert changed == token.text or found is None or not is_sealed(found, seal(token))


@given(KINDS, KINDS)
def test_a_token_of_one_kind_is_none_of_the_other(one: Kind, other: Kind) -> None:
    assert (read_token(other, new_token(one).text) is not None) is (one == other)


@pytest.mark.parametrize("text", ["", "stretto", "stretto__", " ", "x" * 10_000_000, "stretto_\u0661_2", "\ud800"])
def test_what_is_no_token_is_told_from_one(text: str) -> None:
    assert read_token("stretto", text) is None


def test_a_secret_has_256_random_bits_and_no_two_are_alike() -> None:
    made = {new_token("stretto").secret for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(bytes.fromhex(secret)) == 32 for secret in made)


def test_the_same_token_is_kept_otherwise_each_time() -> None:
    token = new_token("stretto")
    assert seal(token).hash != seal(token).hash


def test_nothing_is_the_unknown_seal() -> None:
    assert not is_sealed(new_token("stretto"), UNKNOWN)


def test_a_token_shows_its_secret_only_when_asked_for_its_text() -> None:
    token = new_token("stretto")
    assert token.secret not in f"{token} {token!r}"
    assert token.secret in token.text


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Any] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    class Watched:
        compare_digest = staticmethod(compare)
        new = staticmethod(hmac.new)

    monkeypatch.setattr(tokens, "hmac", Watched)
    token, session = new_token("stretto"), new_token("session").text
    kept = seal(token)
    assert is_sealed(token, kept)
    assert is_csrf_token(session, csrf_token(session))
    assert len(compared) == 2
    assert compared[0][1] == kept.hash


def test_a_csrf_token_is_good_for_its_session_alone_and_another_each_time() -> None:
    mine, other = new_token("session").text, new_token("session").text
    one, two = csrf_token(mine), csrf_token(mine)
    assert one != two
    assert is_csrf_token(mine, one)
    assert is_csrf_token(mine, two)
    assert not is_csrf_token(other, one)


@given(st.integers(min_value=0), LETTERS)
def test_a_csrf_token_with_one_letter_changed_is_none(place: int, letter: str) -> None:
    session = new_token("session").text
    token = csrf_token(session)
    at = place % len(token)
    changed = f"{token[:at]}{letter}{token[at + 1 :]}"
    assert is_csrf_token(session, changed) is (changed == token)


@pytest.mark.parametrize("given", ["", "0" * 96, "é" * 96, "\ud800", "0" * 1_000_000])
def test_what_is_no_csrf_token_is_refused(given: str) -> None:
    assert not is_csrf_token(new_token("session").text, given)
