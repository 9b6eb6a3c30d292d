from __future__ import annotations

import pytest

from sandboxes import Capabilities, Hold, Limits, Promise, SandboxLacks
from sandboxes.requirements import lacking, require

OFFERED = Capabilities(
    backend="weak",
    isolates=False,
    holds={Promise.WALL: Hold.ENFORCED, Promise.MEMORY: Hold.WATCHED},
    gpus=("0",),
)


def test_what_is_enforced_is_enough() -> None:
    assert lacking((Promise.WALL,), Limits(gpus=1), OFFERED) == []


def test_what_is_only_watched_is_not() -> None:
    assert lacking((Promise.MEMORY,), Limits(), OFFERED) == ["it requires that memory is enforced, which is watched"]


def test_what_is_not_named_is_not_held() -> None:
    assert lacking((Promise.NETWORK,), Limits(), OFFERED) == ["it requires that network is enforced, which is absent"]


def test_the_refusal_names_who_and_everything_that_is_missing() -> None:
    with pytest.raises(SandboxLacks, match="Template 'x' cannot run in the weak sandbox here") as refused:
        require("Template 'x'", (Promise.NETWORK, Promise.MEMORY), Limits(gpus=2), OFFERED)
    assert len(refused.value.lacking) == 3
    assert "asks for 2 GPU, and 1 can be handed out" in str(refused.value)
