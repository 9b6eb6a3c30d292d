"""Frauds in the prose: what a team writes, what is changed in the files, and what is changed in the journal's draft."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial

from agents.records import Claim, Draft
from agents.team import Dossier
from tests.frauds import editing, urns
from tests.frauds.cases import Ground, Kind, Left, Rng, said
from tests.frauds.editing import Told, of_kind, replaced
from tests.frauds.playing import Campaign
from tests.frauds.team import Rewrite, ScriptedTeam, code

Made = list[tuple[str, Callable[[Ground], Left]]]
GAIN = "{claim:k1.estimate}"
OTHER = "{claim:k2.estimate}"


def bound(words: str, claims: Iterable[Claim]) -> str:
    """Return the words with `claim:k1` for the claim about idea i1, whichever number it has, and so on."""
    ids = {claim.idea.replace("i", "k"): claim.id for claim in claims}
    return re.sub(r"\bclaim:(k\d+)", lambda match: f"claim:{ids.get(match[1], match[1])}", words)


def adding(words: str, section: str = "results") -> Rewrite:
    """Return a rewriting that adds a paragraph to one section, or sets the title or the abstract."""

    def rewrite(draft: Draft, dossier: Dossier) -> Draft:
        text = bound(words, dossier.claims)
        if section in ("title", "abstract"):
            return draft.model_copy(update={section: text})
        sections = tuple(
            each.model_copy(update={"body": f"{each.body}\n\n{text}"}) if each.key == section else each
            for each in draft.sections
        )
        return draft.model_copy(update={"sections": sections})

    return rewrite


def written(text: str, section: str = "results", of: str = "open") -> Callable[[Ground], Left]:
    """Let a team write this into the paper of a campaign."""

    def playing(ground: Ground) -> Left:
        base: Campaign = getattr(ground, of)
        team = ScriptedTeam(base.team.rounds, rewrite=adding(text, section))
        return Left(
            ground.copied(base, team=team).end().home,
            lambda state, folder: said(bound(text, state.claims.values()))(state, folder),
        )

    return playing


def in_draft(change: Callable[[str], str]) -> Callable[[Ground], Left]:
    """Change the text of the results in the journal's last draft, and chain the journal anew."""

    def changing(told: Told) -> None:
        for section in of_kind(told, "draft")[-1]["sections"]:
            section["body"] = change(section["body"])

    return editing.forgery(changing)


def in_file(
    name: str, pattern: str, other: Callable[[str], str], which: int = 0, of: str = "closed"
) -> Callable[[Ground], Left]:
    """Change one match of a pattern in a published file."""

    def changing(campaign: Campaign) -> None:
        path = campaign.folder / "paper" / name
        text = path.read_text(encoding="utf-8")
        match = list(re.finditer(pattern, text))[which]
        new = other(match.group())
        if new == match.group():
            raise ValueError(f"{name} is not changed")
        path.write_text(text[: match.start()] + new + text[match.end() :], encoding="utf-8")

    return editing.edit(changing, of=of)


def _numbers(rng: Rng) -> Made:
    def digit(text: str) -> str:
        at = max(k for k, each in enumerate(text) if each.isdigit())
        return text[:at] + str((int(text[at]) + int(rng.integers(1, 10))) % 10) + text[at + 1 :]

    typed = [f"{rng.uniform(0.2, 0.4):.2f}", f"{rng.integers(20, 90)} percent", "½ of the errors", "٣ in ten", "1e-3"]
    made: Made = [(f"types {text}", written(f"The difference is {text}.")) for text in typed]
    printed = r'#(?:num|cell|printed)\("claim[^"]+", "[^"]*\d[^"]*"\);'
    for which in (0, 3, -1):
        made.append((f"a bound number of the source, {which}", in_file("paper.typ", printed, digit, which)))
    for which in (5, -5):
        made.append((f"a number of the report, {which}", in_file("report.html", r">[^<]*\d\.\d+[^<]*<", digit, which)))
    made.append(("a value of the bindings", in_file("bindings.json", r"0\.\d{4,}", digit)))
    made.append(("data of a figure", in_file("figures/differences.json", r"0\.\d{3,}", digit)))
    made.append(("typed into the journal's draft", in_draft(lambda body: body.replace(GAIN, "0.31"))))
    return made


def _signs(rng: Rng) -> Made:
    made: Made = [
        (f"the draft: {text}", written(text, of=of))
        for text, of in (
            ("{idea:i1.title} shows a gain of {claim:k1.estimate}.", "failed"),
            ("The improvement was {claim:k1.estimate}.", "failed"),
            ("It did better than the baseline by {claim:k1.estimate}.", "failed"),
            ("An advantage of {claim:k1.estimate} was seen.", "failed"),
            ("{idea:i1.title} means a loss of {claim:k1.estimate}.", "open"),
            ("It did worse by {claim:k1.estimate}.", "open"),
            ("A deterioration of {claim:k1.estimate} was seen.", "open"),
        )
    ]
    made.append(("a minus typed before a number", written("The baseline loses \N{MINUS SIGN}" + GAIN + ".")))
    minus = partial(re.sub, "\N{MINUS SIGN}", "")
    made.append(("minus signs out of the source", in_file("paper.typ", "\N{MINUS SIGN}[0-9.]+", minus, of="fallen")))
    made.append(("minus signs out of the report", in_file("report.html", "\N{MINUS SIGN}[0-9.]+", minus, of="fallen")))
    made.append(("a minus into the source",
                 in_file("paper.typ", r'"claim:k1.estimate", "', lambda m: m + "\N{MINUS SIGN}")))  # fmt: skip

    def turned(told: Told) -> None:
        for claim in of_kind(told, "claim"):
            claim["estimate"] = -claim["estimate"]

    made.append(("the estimates of the journal turned", editing.forgery(turned, of="fallen")))
    return made


def _units(rng: Rng) -> Made:
    units = ["percent", "%", "points", "per cent", "dB", "seconds", "times", "fold", "standard deviations", "bits"]
    chosen = [units[k] for k in rng.permutation(len(units))[:8]]
    made: Made = [(f"gains in {unit}", written(f"The difference was {GAIN} {unit}.")) for unit in chosen]
    made.append(("the price in hours", written("All of it took {attempts:executions} hours.")))
    made.append(("pairs as a percentage", written("It was there in {claim:k1.n} % of the cases.")))
    made.append(
        ("a unit into the source", in_file("paper.typ", r'"claim:k1.estimate", "[^"]*"\);', lambda m: m + " %"))
    )
    made.append(("a unit into the journal's draft", in_draft(lambda body: body.replace(GAIN, GAIN + " percent"))))
    return made


def _directions(rng: Rng) -> Made:
    told = [
        "“{idea:i1.title}” lowers the accuracy by {claim:k1.estimate}.",
        "With “{idea:i2.title}” the accuracy dropped.",
        "It reduced the accuracy by {claim:k2.estimate}.",
        "The accuracy decreased by {claim:k1.estimate}.",
        "Accuracy shrinks by {claim:k1.estimate} with it.",
        "The mean went from {claim:k1.candidate_mean} to {claim:k1.comparator_mean}.",
        "The accuracy was {claim:k1.candidate_mean} for the baseline.",
        "The accuracy was {claim:k1.comparator_mean} for the candidate.",
    ]
    made: Made = [(text, written(text)) for text in told]
    made.append(("raises, of a claim that fell", written("“{idea:i1.title}” raises the accuracy.", of="failed")))
    for name in ("paper.typ", "report.html"):
        made.append((f"raises to lowers in {name}", in_file(name, r"\braises?\b", lambda m: "lowers")))
    made.append(
        ("higher is better to lower is better", in_file("paper.typ", "higher is better", lambda m: "lower is better"))
    )
    made.append(("in the journal's draft", in_draft(lambda body: f"{body}\n\n{told[int(rng.integers(4))]}")))
    return made


def _other_runs(rng: Rng) -> Made:
    told = [
        f"“{{idea:i2.title}}” raises the accuracy by {GAIN}.",
        f"“{{idea:i1.title}}” raises the accuracy by {OTHER}.",
        "“{idea:i1.title}” was seen on {claim:k2.n} pairs.",
        "“{idea:i2.title}” holds with an interval of {claim:k1.interval}.",
        "“{idea:i3.title}” was worth {claim:k1.estimate}.",
        "{idea:i1.statement} Its e-value is {claim:k1.estimate}.",
        "It rests on {claim:k1.n} ideas.",
        "It rests on {attempts:executions} ideas.",
        "Of all hypotheses, {count:supported} were refuted.",
        "It was seen on {attempts:looks} seeds.",
    ]
    made: Made = [(text, written(text)) for text in told]
    made.append(("exchanged in the source", editing.edit(partial(_exchanged, "paper.typ"))))
    made.append(("exchanged in the journal's draft", in_draft(partial(re.sub, r"k[12]\.", _crossed))))
    return made


def _crossed(match: re.Match[str]) -> str:
    return "k2." if match.group() == "k1." else "k1."


def _exchanged(name: str, campaign: Campaign) -> None:
    path = campaign.folder / "paper" / name
    text = path.read_text(encoding="utf-8")
    one, other = (re.search(rf'"claim:{k}.estimate", "([^"]*)"', text) for k in ("k1", "k2"))
    if one is None or other is None or one[1] == other[1]:
        raise ValueError("there are no two values to exchange")
    replaced(path, one[0], f'"claim:k1.estimate", "{other[1]}"')


def _citations(rng: Rng) -> Made:
    keys = [f"{name}{rng.integers(1990, 2026)}{word}" for name, word in
            (("smith", "urns"), ("lee", "rules"), ("kim", "points"), ("doe", "noise2"))]  # fmt: skip
    made: Made = [(f"cites {key}", written(f"This was seen before [@{key}].")) for key in keys]
    made.append(("cites in the abstract", written("{campaign:question} See [@roe1955].", "abstract")))
    made.append(("cites with another spelling", written("This was seen before [@Doe1950noise].")))
    made.append(("cites a retracted work", written("This was seen before [@poe1970luck].")))

    def inspired(ground: Ground, key: str) -> Left:
        idea = code("A second coordinate", urns.edited(urns.BETTER), inspirations=(key,))
        return Left(ground.campaign(idea).play().home, lambda state, folder: True)

    for key in ("smith2020urns", "poe1970luck"):
        made.append((f"an idea that rests on {key}", partial(inspired, key=key)))
    entry = "@article{smith2020urns, author = {Smith}, title = {Urns}, journal = {Urns}, year = {2020}}\n"
    made.append(("an entry added to the list", editing.edit(partial(_appended, entry))))
    made.append(("an entry of the list renamed", in_file("references.bib", "doe1950noise", lambda m: "roe1950noise")))
    made.append(
        ("a retraction taken out of the list", in_file("references.bib", r", note = \{Retracted\}", lambda m: ""))
    )
    made.append(("in the journal's draft", in_draft(lambda body: f"{body}\n\nSee [@{keys[0]}].")))
    return made


def _appended(entry: str, campaign: Campaign) -> None:
    path = campaign.folder / "paper" / "references.bib"
    path.write_text(path.read_text(encoding="utf-8") + entry, encoding="utf-8")


def _boasts(rng: Rng) -> Made:
    told: list[tuple[str, str]] = [
        ("Our method outperforms everything.", "open"),
        ("“{idea:i3.title}” is better than the baseline.", "open"),
        ("“{idea:i1.title}” improves the accuracy.", "failed"),
        ("The gain of “{idea:i1.title}” is significant.", "failed"),
        ("It beats the baseline without doubt.", "failed"),
        ("“{idea:i1.title}” proves effective.", "failed"),
        ("A superior rule was found.", "failed"),
        ("Not only does “{idea:i1.title}” help, it wins.", "failed"),
        ("This demonstrates the advantage of the second coordinate.", "failed"),
        ("The e-value shows a p-value below the level.", "open"),
    ]
    made: Made = [(f"{text} ({of})", written(text, of=of)) for text, of in told]
    made.append(("in the title", written("A superior rule for two urns", "title", of="failed")))
    made.append(
        (
            "in the abstract",
            written("{campaign:question} Yes: our rule outperforms the baseline.", "abstract", of="failed"),
        )
    )
    made.append(("in the journal's draft", in_draft(lambda body: f"{body}\n\n{told[0][0]}")))
    return made


KINDS = [
    Kind("number changed in the text", _numbers),
    Kind("sign changed in the text", _signs),
    Kind("unit changed in the text", _units),
    Kind("direction changed in the text", _directions),
    Kind("number right, but from another run", _other_runs),
    Kind("citation invented", _citations),
    Kind("comparison without a verdict", _boasts),
]
