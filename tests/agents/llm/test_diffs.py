from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.errors import PatchFailed
from agents.llm.desk import Desk
from agents.llm.diffs import with_diff

PATH = "workload/run.py"
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "-- x\n", "é\n", "\tq\r\n"]), max_size=14)
Few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def desk(**texts: str) -> Desk:
    return Desk({f"workload/{name}.py": text for name, text in texts.items()}, ("workload/*.py",))


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run git in a folder of its own that holds the file as told; no setting of this machine counts."""
    (tmp_path / "workload").mkdir()

    def run(*words: str, text: str | None = None, given: str = "") -> subprocess.CompletedProcess[bytes]:
        if text is not None:
            (tmp_path / PATH).write_bytes(text.encode())
        env = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
        env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
        return subprocess.run(["git", *words], cwd=tmp_path, env=env, input=given.encode(), capture_output=True)

    run("init", "-q")
    return run


def diff_of(git: Callable[..., subprocess.CompletedProcess[bytes]], before: str, after: str, context: int) -> str:
    git("rm", "--cached", "-q", "-f", "--ignore-unmatch", PATH, text=before)
    git("add", PATH)
    return git("diff", f"-U{context}", "--no-color", text=after).stdout.decode()


def applied_by_git(
    git: Callable[..., subprocess.CompletedProcess[bytes]], text: str, diff: str, cwd: Path
) -> str | None:
    done = git("apply", "--whitespace=nowarn", "-", text=text, given=diff)
    return (cwd / PATH).read_bytes().decode() if done.returncode == 0 else None


def applied_here(text: str, diff: str) -> str | None:
    try:
        return with_diff(desk(run=text), diff).files[PATH]
    except PatchFailed:
        return None


@Few
@given(before=LINES, after=LINES, cut=st.tuples(st.booleans(), st.booleans()), context=st.integers(1, 4))
def test_what_git_wrote_gives_what_git_had(
    git: Callable[..., subprocess.CompletedProcess[bytes]],
    before: list[str],
    after: list[str],
    cut: tuple[bool, bool],
    context: int,
) -> None:
    old, new = ("".join(lines)[: -1 if end else None] for lines, end in zip((before, after), cut, strict=True))
    diff = diff_of(git, old, new, context)
    if old != new:
        assert applied_here(old, diff) == new


@Few
@given(
    before=st.lists(st.sampled_from("ab"), min_size=6, max_size=16),
    changed=st.dictionaries(st.integers(0, 15), st.sampled_from(["", "a", "b", "aX", "ba"]), min_size=1, max_size=4),
    added=st.lists(st.sampled_from("ab"), max_size=6),
    place=st.integers(0, 16),
    context=st.integers(0, 3),
)
def test_on_another_text_it_does_what_git_does(
    git: Callable[..., subprocess.CompletedProcess[bytes]],
    tmp_path: Path,
    before: list[str],
    changed: dict[int, str],
    added: list[str],
    place: int,
    context: int,
) -> None:
    """Whether and where a hunk is found whose lines moved, are gone, or are there more than once."""
    old, target = text_of(before), text_of([*before[:place], *added, *before[place:]])
    new = text_of([letter for k, line in enumerate(before) for letter in changed.get(k, line)])
    diff = diff_of(git, old, new, context)
    if old != new:
        assert applied_here(target, diff) == applied_by_git(git, target, diff, tmp_path)


def text_of(letters: list[str]) -> str:
    return "".join(f"{letter}\n" for letter in letters)


def hunk_at(line: int) -> str:
    return f"@@ -{line},3 +{line},3 @@\n a\n-b\n+X\n c\n"


def test_of_two_places_as_near_the_later_is_taken_as_git_does(
    git: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    target, diff = text_of(list("qqabcqabcqq")), f"--- a/{PATH}\n+++ b/{PATH}\n{hunk_at(5)}"
    assert applied_here(target, diff) == applied_by_git(git, target, diff, tmp_path) == text_of(list("qqabcqaXcqq"))


def test_no_hunk_touches_what_another_wrote_as_git_does_not(
    git: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    again = "@@ -5,3 +5,3 @@\n a\n-X\n+Y\n c\n"
    target, diff = text_of(list("qqabcqq")), f"--- a/{PATH}\n+++ b/{PATH}\n{hunk_at(3)}{again}"
    assert applied_here(target, diff) is None
    assert applied_by_git(git, target, diff, tmp_path) is None


def test_several_files_prose_around_and_new_files_are_taken() -> None:
    diff = """I change two files:
```diff
diff --git a/workload/run.py b/workload/run.py
index 111..222 100644
--- a/workload/run.py
+++ b/workload/run.py
@@ -1 +1 @@ def f():
-a
+b
diff --git a/workload/new.py b/workload/new.py
new file mode 100644
--- /dev/null
+++ b/workload/new.py
@@ -0,0 +1,2 @@
+x = 1
+y = 2
diff --git a/workload/empty.py b/workload/empty.py
new file mode 100644
index 0000000..e69de29
```
- so it is done
"""
    files = with_diff(desk(run="a\n"), diff).files
    assert files == {PATH: "b\n", "workload/new.py": "x = 1\ny = 2\n", "workload/empty.py": ""}


def test_a_plain_diff_with_times_and_without_prefixes_is_taken() -> None:
    diff = f"--- {PATH}\t2020-01-01 00:00:00\n+++ {PATH}\t2020-01-01 00:00:01\n@@ -1 +1 @@\n-a\n+b\n"
    assert with_diff(desk(run="a\n"), diff).files[PATH] == "b\n"


def header(old: str, new: str, more: str = "") -> str:
    return f"diff --git a/{old} b/{new}\n{more}--- a/{old}\n+++ b/{new}\n"


HUNK = "@@ -1 +1 @@\n-a\n+b\n"
REFUSED = {
    "another file": (header("evaluator/evaluate.py", "evaluator/evaluate.py") + HUNK, "no editable file"),
    "a way out": (header("workload/../evaluator/e.py", "workload/../evaluator/e.py") + HUNK, "no editable file"),
    "a new file elsewhere": ("--- /dev/null\n+++ b/evaluator/x.py\n@@ -0,0 +1 @@\n+b\n", "is not editable"),
    "a new file above": ("--- /dev/null\n+++ b/../x.py\n@@ -0,0 +1 @@\n+b\n", "is not editable"),
    "an absolute path": ("--- /dev/null\n+++ /etc/cron.d/x\n@@ -0,0 +1 @@\n+b\n", "is not editable"),
    "a quoted way out": ('--- /dev/null\n+++ "b/workload/\\056\\056/x.py"\n@@ -0,0 +1 @@\n+b\n', "is not editable"),
    "a file that is there": (f"--- /dev/null\n+++ b/{PATH}\n@@ -0,0 +1 @@\n+b\n", "there already"),
    "removal": (header(PATH, PATH, "deleted file mode 100644\n") + HUNK, "removed"),
    "removal without a mode": (f"--- a/{PATH}\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "removed"),
    "renaming": (header(PATH, "workload/b.py", f"rename from {PATH}\nrename to workload/b.py\n") + HUNK, "renamed"),
    "renaming in silence": (f"--- a/{PATH}\n+++ b/workload/b.py\n{HUNK}", "renamed"),
    "a copy": (header(PATH, "workload/b.py", f"copy from {PATH}\ncopy to workload/b.py\n"), "copied"),
    "a mode": (f"diff --git a/{PATH} b/{PATH}\nold mode 100644\nnew mode 100755\n", "mode"),
    "a link": (f"diff --git a/workload/l.py b/workload/l.py\nnew file mode 120000\n{HUNK}", "plain"),
    "a program": (f"diff --git a/workload/l.py b/workload/l.py\nnew file mode 100755\n{HUNK}", "plain"),
    "bytes": (f"diff --git a/{PATH} b/{PATH}\nindex 1..2\nGIT binary patch\nliteral 3\nKcmZQzWB>qQ00000\n", "binary"),
    "bytes unseen": (f"diff --git a/{PATH} b/{PATH}\nBinary files a/{PATH} and b/{PATH} differ\n", "binary"),
    "too few lines": (f"--- a/{PATH}\n+++ b/{PATH}\n@@ -1,3 +1,3 @@\n-a\n+b\n", "header counts"),
    "too many lines": (f"--- a/{PATH}\n+++ b/{PATH}\n{HUNK}+c\n", "more lines"),
    "no header of a hunk": (f"--- a/{PATH}\n+++ b/{PATH}\n@@ -1 @@\n-a\n+b\n", "hunk header"),
    "no hunk": (f"--- a/{PATH}\n+++ b/{PATH}\n", "no hunk"),
    "no file": (HUNK, "no file is named"),
    "prose": ("Set a to b.\n", "no change"),
    "nothing": ("", "no change"),
    "lines that are not there": (f"--- a/{PATH}\n+++ b/{PATH}\n@@ -1 +1 @@\n-z\n+b\n", "does not fit"),
}


@pytest.mark.parametrize(("diff", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_candidate_can_hold_is_refused_in_words(diff: str, why: str) -> None:
    with pytest.raises(PatchFailed, match=why):
        with_diff(desk(run="a\n"), diff)


def test_a_diff_applies_whole_or_not_at_all() -> None:
    before = desk(run="a\n", other="q\n")
    diff = f"--- a/{PATH}\n+++ b/{PATH}\n{HUNK}--- a/workload/other.py\n+++ b/workload/other.py\n{HUNK}"
    with pytest.raises(PatchFailed, match="other.py"):
        with_diff(before, diff)
    assert before.files[PATH] == "a\n"
