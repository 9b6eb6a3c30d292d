"""The other ways of a container's output: over the engine's archive, and on the host's disk under a watchdog."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from sandboxes import DockerOptions, DockerSandbox, Hold, Outcome, Promise, SandboxError
from sandboxes.outbox import SHELF_MB
from tests.sandboxes.contract_suite import RealSandboxContract
from tests.sandboxes.lab import Lab, names
from tests.sandboxes.test_docker import left_behind

if TYPE_CHECKING:
    from docker import DockerClient

OWNER = f"test-outputs-{os.getpid()}"


@pytest.mark.docker
class TestArchive(RealSandboxContract):
    """An engine elsewhere, or one whose volumes this process may not read: output comes as a tar stream."""

    @pytest.fixture
    def sandbox(self, engine: DockerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerSandbox]:
        monkeypatch.setattr("sandboxes.outbox.can_read", lambda _: False)
        sandbox = DockerSandbox(OWNER)
        yield sandbox
        sandbox.close()
        assert left_behind(engine, OWNER) == []

    @pytest.fixture
    def image(self, lab_image: str) -> str:
        return lab_image

    def test_a_flood_of_sparse_files_does_not_hide_the_expected(self, lab: Lab) -> None:
        program = """
            import os, sys
            os.chdir(sys.argv[1])
            for number in range(40):
                with open(f"a{number}", "wb") as file:
                    file.truncate(30 << 20)
            open("z.json", "w").write("{}")
        """
        result = lab.run(program, expect=("z.json", "absent.json"), out_mb=4)
        assert "z.json" in names(result)
        assert sum(artifact.size for artifact in result.artifacts) <= 4 << 20


@pytest.mark.docker
class TestBind(RealSandboxContract):
    """Output on the host's disk: what does not fit into memory."""

    @pytest.fixture
    def sandbox(self, engine: DockerClient) -> Iterator[DockerSandbox]:
        sandbox = DockerSandbox(OWNER, DockerOptions(output="bind"))
        yield sandbox
        sandbox.close()
        assert left_behind(engine, OWNER) == []

    @pytest.fixture
    def image(self, lab_image: str) -> str:
        return lab_image

    def test_it_says_what_it_only_watches(self, sandbox: DockerSandbox) -> None:
        said = sandbox.capabilities()
        assert [said.hold(p) for p in (Promise.OUT_BYTES, Promise.OUT_FILES)] == [Hold.WATCHED] * 2
        assert said.hold(Promise.MEMORY) is Hold.ENFORCED

    @pytest.mark.parametrize(
        ("program", "limits", "met"),
        [
            ("for n in range(10**6): open(f'{out}/{n}', 'w').close()", {"out_files": 50}, Promise.OUT_FILES),
            (
                "for n in range(400): open(f'{out}/{n}', 'wb').write(bytes(1 << 20)); time.sleep(0.01)",
                {"out_mb": 8, "out_files": 500},
                Promise.OUT_BYTES,
            ),
        ],
    )
    def test_the_watchdog_ends_a_program_that_never_would(
        self, lab: Lab, program: str, limits: dict[str, int], met: Promise
    ) -> None:
        result = lab.run(f"import sys, time; out = sys.argv[1]\n{program}\ntime.sleep(600)", wall_s=60, **limits)
        assert (result.outcome, result.limit) == (Outcome.OUTPUT_LIMIT, met)
        assert result.exit_code is None

    def test_files_beyond_the_quota_are_not_collected(self, lab: Lab) -> None:
        result = lab.run(
            "import sys\nfor n in range(16): open(f'{sys.argv[1]}/{n}', 'wb').write(bytes(1 << 20))", out_mb=4
        )
        assert sum(artifact.size for artifact in result.artifacts) <= 4 << 20


@pytest.mark.docker
def test_output_that_does_not_fit_into_memory_goes_to_the_disk(
    engine: DockerClient, lab_image: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sandbox = DockerSandbox(OWNER)
    lab = Lab(sandbox, lab_image, tmp_path_factory.mktemp("large"))
    program = "import sys, os; print(os.statvfs(sys.argv[1]).f_blocks * os.statvfs(sys.argv[1]).f_frsize >> 20)"
    small, large = lab.run(program, out_mb=16), lab.run(program, out_mb=SHELF_MB + 1, memory_mb=128)
    sandbox.close()
    assert int(small.log_head) == 16
    assert int(large.log_head) > SHELF_MB
    assert large.outcome is Outcome.OK


@pytest.mark.docker
@pytest.mark.parametrize(("failures", "survives"), [(1, True), (2, False)])
def test_a_holder_that_the_engine_cannot_start_is_tried_once_more(
    in_memory: Lab, monkeypatch: pytest.MonkeyPatch, failures: int, survives: bool
) -> None:
    from docker.errors import APIError
    from docker.models.containers import Container
    from requests import Response

    starting, left = Container.start, [failures]

    def start(container: Container, **options: object) -> None:
        if container.name.startswith("hypoloop-holder") and left[0]:
            left[0] -= 1
            response = Response()
            response.status_code = 500
            raise APIError("500", response=response, explanation="cannot start a stopped process")
        starting(container, **options)

    monkeypatch.setattr(Container, "start", start)
    if survives:
        assert in_memory.run("print('ran')").log_head == "ran\n"
    else:
        with pytest.raises(SandboxError, match="cannot start a stopped process"):
            in_memory.run("print('ran')")
    assert left == [0]


@pytest.fixture
def in_memory(engine: DockerClient, lab_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    sandbox = DockerSandbox(OWNER)
    yield Lab(sandbox, lab_image, tmp_path_factory.mktemp("holders"))
    sandbox.close()
    assert left_behind(engine, OWNER) == []
