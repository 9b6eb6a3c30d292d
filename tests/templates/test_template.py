from __future__ import annotations

import importlib
import sys
from importlib import metadata
from pathlib import Path

import pytest

from templates.errors import ManifestInvalid, TemplateNotFound
from templates.template import Template, digest, list_templates, load_template
from tests.templates.making import MANIFEST, line, make


def test_a_good_folder_loads(tmp_path: Path) -> None:
    template = Template(make(tmp_path))
    assert template.name == "coin"
    assert template.manifest.metric.direction == "maximize"
    assert list(template.sources()) == ["workload/run.py"]
    assert template.factor("heavier").value == "2.0"
    assert template.brief.startswith("A coin")
    with pytest.raises(KeyError):
        template.factor("lighter")


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ('title = "A coin"', "title = ", 'title = "A coin"', "no valid TOML"),
        ('direction = "maximize"', 'direction = "up"', "direction", "'minimize' or 'maximize'"),
        ("least_effect = 0.5", "least_effect = -1", "least_effect", "greater than 0"),
        ('title = "Height"', 'title = "Height"\ncolour = 1', None, "not known"),
        ('domain = "toys"\n', "", None, "domain: this key is missing"),
        ('kind = "knob"', 'kind = "screw"', "kind", "'knob' or 'intervention'"),
        ('symbol = "WEIGHT"\n', "", "[[factors]]", "needs symbol"),
        ('value = "2.0"', 'value = "open(1)"', "[[factors]]", "no Python literal"),
        ('name = "spin"', 'name = "heavier"', None, "named twice: heavier"),
        ('secondary = ["tosses"]', 'secondary = ["height"]', None, "named twice: height"),
        ('outputs = ["number.txt"]', 'outputs = ["../number.txt"]', None, "stay inside"),
        ('editable = ["workload/*.py"]', 'editable = ["evaluator/*.py"]', "editable", "workload/ and nothing else"),
        ('editable = ["workload/*.py"]', 'editable = ["**/*.py"]', "editable", "workload/ and nothing else"),
        ('editable = ["workload/*.py"]', 'editable = ["workload/*.c"]', "editable", "workload/ and nothing else"),
        ("interventions/spin.py", "interventions/gone.py", "source = ", "no file 'interventions/gone.py'"),
        ('source = ["doe1950coins"]', 'source = ["roe"]', "source", "no entry 'roe'"),
        ("[seeds]", "[seeds]\nconfirm_from = 50", "[seeds]", "100 apart"),
        ("wall_s = 10", "wall_s = nan", "wall_s", "wall_s"),
    ],
)
def test_a_fault_is_named_with_its_file_and_line(tmp_path: Path, old: str, new: str, at: str | None, says: str) -> None:
    assert old in MANIFEST
    folder = make(tmp_path, manifest=MANIFEST.replace(old, new, 1))
    with pytest.raises(ManifestInvalid) as caught:
        Template(folder)
    assert says in str(caught.value)
    assert "template.toml" in str(caught.value)
    if at is not None:
        nth = 2 if at == "source = " else 1
        assert f"line {line(MANIFEST, at, nth)}" in str(caught.value)


def test_the_fault_of_the_second_factor_is_found_at_the_second_factor(tmp_path: Path) -> None:
    manifest = MANIFEST.replace('kind = "intervention"', 'kind = "wedge"')
    with pytest.raises(ManifestInvalid, match=f"line {line(MANIFEST, 'kind', 2)}: factors.2.kind"):
        Template(make(tmp_path, manifest=manifest))


def test_a_manifest_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match="cannot be read"):
        Template(tmp_path)


@pytest.mark.parametrize("name", ["README.md", "workload/run.py", "evaluator/evaluate.py"])
def test_every_template_needs_its_files(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ManifestInvalid, match=name):
        Template(folder)


def test_the_digest_sees_content_and_names_but_no_caches(tmp_path: Path) -> None:
    folder = make(tmp_path)
    before = digest(folder)
    (folder / "evaluator" / "__pycache__").mkdir()
    (folder / "evaluator" / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert digest(folder) == before
    (folder / "evaluator" / "evaluate.py").write_text("pass")
    changed = digest(folder)
    (folder / "evaluator" / "evaluate.py").rename(folder / "evaluator" / "other.py")
    assert len({before, changed, digest(folder)}) == 3


def test_a_link_in_a_template_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder / "evaluator" / "labels.txt").symlink_to("/etc/hostname")
    with pytest.raises(ManifestInvalid, match=r"labels\.txt is no plain file"):
        Template(folder)


def test_the_shipped_templates_load_by_name() -> None:
    for name in ("boltzmann-sampling", "offline-rl", "symbolic-pattern"):
        assert name in list_templates()
        assert load_template(name).name == name


def test_a_users_folder_comes_first_and_a_path_loads_too(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert "coin" in list_templates((tmp_path,))
    assert load_template("coin", (tmp_path,)).root == folder.resolve()
    assert load_template(folder).name == "coin"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(TemplateNotFound, match="boltzmann-sampling"):
        load_template("dice")


def test_a_folder_called_otherwise_than_its_template_is_refused(tmp_path: Path) -> None:
    make(tmp_path).rename(tmp_path / "token")
    with pytest.raises(ManifestInvalid, match="'token'"):
        load_template("token", (tmp_path,))


def _announce(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = metadata.EntryPoint("coin", value, "hypoloop.templates")
    monkeypatch.setattr(metadata, "entry_points", lambda group: [entry] if group == "hypoloop.templates" else [])


def test_an_installed_package_brings_a_template_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    _announce(monkeypatch, "coin")
    assert load_template("coin").root == folder.resolve()
    assert "coin" not in sys.modules


def test_a_package_that_announces_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _announce(monkeypatch, "no_such_package_anywhere")
    with pytest.raises(ManifestInvalid, match="no_such_package_anywhere"):
        list_templates()
