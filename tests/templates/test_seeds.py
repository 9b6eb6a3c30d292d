from __future__ import annotations

from templates.seeds import drawn_seed


def test_without_a_salt_the_registered_seed_is_given() -> None:
    assert drawn_seed("", "workload", "search", 7) == 7


def test_roles_splits_seeds_and_salts_get_numbers_of_their_own() -> None:
    told = {
        drawn_seed(salt, role, split, seed)
        for salt in ("a", "b")
        for role in ("workload", "protected")
        for split in ("search", "confirm")
        for seed in range(50)
    }
    assert len(told) == 2 * 2 * 2 * 50
    assert all(0 <= number < 2**31 for number in told)


def test_the_same_seed_gives_the_same_number_for_ever() -> None:
    assert drawn_seed("salt", "protected", "confirm", 1001) == drawn_seed("salt", "protected", "confirm", 1001)
