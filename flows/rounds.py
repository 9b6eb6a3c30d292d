"""One round: propose, screen, confirm, challenge, learn. Every step first asks the journal whether it was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from agents.errors import AnswerInvalid, ModelBudgetSpent, ModelRefused, PatchFailed
from agents.records import Candidate, Execution, Idea, Patch, Stage
from flows.confirming import confirm
from flows.errors import BudgetSpent
from flows.evidence import next_heat, screened
from flows.executions import ExecutionRequest, prepare_data, wanted
from flows.ledger import due
from flows.ledger.errors import EditRefused
from flows.ledger.state import tried
from flows.opened import OpenCampaign
from flows.people import ask
from flows.search.strategy import replay
from flows.tasks import run_all


def run_rounds(campaign: OpenCampaign, one: Callable[[int], None]) -> str:
    """Carry out every round by `one`, as far as the budget allows, and return why there are no more."""
    budget = campaign.spec.budget
    # What came after a draft would be missing from it.
    if campaign.state.draft is None:
        try:
            for number in range(1, budget.rounds + 1):
                one(number)
        except (BudgetSpent, ModelBudgetSpent) as spent:
            campaign.append_once({"text": str(spent)})
    return "every round is done" if budget.rounds in campaign.state.learned else "budget spent"


def run_round(campaign: OpenCampaign, number: int) -> None:
    """Carry out round `number`, or what is left of it after an interruption."""
    if number not in campaign.state.rounds:
        campaign.append("round", {"round": number})
    _propose(campaign, number)
    ask(campaign, "ideas", number)
    ideas = [idea for idea in campaign.state.ideas.values() if idea.round == number]
    _put_into_code(campaign, ideas)
    _screen(campaign, ideas)
    confirm(campaign, number)
    _learn(campaign, number)


def _propose(campaign: OpenCampaign, number: int) -> None:
    state = campaign.state
    if number in state.proposed:
        return
    history = tried(state)
    rng = campaign.rng("propose", number)
    searching, requests = campaign.strategy.ask(
        replay(campaign.strategy, history), campaign.spec.budget.ideas_per_round, rng
    )
    made = campaign.team.propose(campaign.template, history, state.lessons, requests, rng)
    first = len(state.ideas) + 1
    numbered = [idea.model_copy(update={"id": f"i{first + k}", "round": number}) for k, idea in enumerate(made.ideas)]
    told = made.model_copy(update={"ideas": tuple(numbered)}).model_dump(mode="json", exclude_defaults=True)
    campaign.append("ideas", {"round": number, "ideas": [], **told})


def _put_into_code(campaign: OpenCampaign, ideas: Sequence[Idea]) -> None:
    """Have every idea that has no candidate yet put into code, several at a time; commit them in order."""
    state = campaign.state
    coded = {candidate.idea for candidate in state.candidates.values()} | set(state.discarded)
    todo = [idea for idea in ideas if idea.id not in coded]
    with ThreadPoolExecutor(campaign.spec.thoughts if campaign.team.model_written else 1) as pool:
        patches = [pool.submit(campaign.team.patch, campaign.template, i, _base(campaign, i)) for i in todo]
    for idea, patch in zip(todo, patches, strict=True):
        try:
            add_candidate(campaign, idea, patch.result())
        except (PatchFailed, EditRefused, AnswerInvalid, ModelRefused) as error:
            campaign.append("discard", {"idea": idea.id, "why": str(error)})


def _base(campaign: OpenCampaign, idea: Idea) -> Mapping[str, str]:
    """Return what an idea is put into: free text goes into its first parent, factors go into the baseline."""
    if idea.parents and not idea.factors:
        return campaign.workspace.sources(campaign.state.candidate_of(idea.parents[0]).commit)
    return campaign.template.sources()


def add_candidate(campaign: OpenCampaign, idea: Idea, patch: Patch, repaired: bool = False) -> Candidate:
    """Commit a patch on the idea's branch and journal it as the next candidate."""
    state = campaign.state
    parent = state.candidate_of(idea.parents[0]).commit if idea.parents else campaign.baseline
    if repaired:
        parent = state.candidate_of(idea.id).commit
    number = len(state.candidates)
    branch = f"idea/{idea.id}"
    commit = campaign.workspace.commit_candidate(
        patch,
        parent,
        branch,
        {"Idea": idea.id, "Candidate": f"c{number}", "Title": idea.title},
        at=campaign.time_of(state.seqs[idea.id]),
    )
    candidate = Candidate(
        id=f"c{number}",
        idea=idea.id,
        commit=commit,
        parent=parent,
        branch=branch,
        factors=patch.factors or idea.factors,
        summary=patch.summary,
        repaired=repaired,
    )
    campaign.append("candidate", candidate)
    return candidate


def _screen(campaign: OpenCampaign, ideas: list[Idea]) -> None:
    """Race the new candidates on the search seeds; repair once what crashed; journal what was seen."""
    state = campaign.state
    open_ideas = [i for i in ideas if i.id not in state.screened and i.id not in state.discarded]
    if not open_ideas:
        return
    policy = campaign.template.manifest.seeds
    race = due.race_of(campaign.template.manifest)
    least = {idea.id: idea.least_effect for idea in open_ideas}
    seen: dict[str, Sequence[float] | None] = {idea.id: () for idea in open_ideas}
    while not (heat := next_heat(race, seen, least)).over:
        racing = [idea for idea in open_ideas if idea.id in heat.goes_on]
        _run_heat(campaign, racing, range(policy.search_from, policy.search_from + heat.seeds))
        seen |= {idea.id: _differences(campaign, idea) or None for idea in racing}
    for idea in open_ideas:
        differences = _differences(campaign, idea)
        effect, spread, _ = screened(differences, idea.least_effect)
        campaign.append(
            "screened",
            {
                "idea": idea.id,
                "candidate": campaign.state.candidate_of(idea.id).id,
                "n": len(differences),
                "effect": effect,
                "spread": spread,
                "passed": idea.id in heat.passed,
            },
        )


def _run_heat(campaign: OpenCampaign, racing: list[Idea], seeds: range) -> None:
    prepare_data(campaign, Stage.SCREEN, seeds)
    baseline = wanted(campaign, campaign.state.candidates["c0"], Stage.BASELINE, seeds)
    run_all(campaign, baseline + [r for i in racing for r in _requests(campaign, i, seeds)])
    while True:
        mended = [idea for idea in racing if _repaired(campaign, idea)]
        run_all(campaign, [r for i in racing for r in _requests(campaign, i, seeds)])
        if not mended:
            return


def _differences(campaign: OpenCampaign, idea: Idea) -> tuple[float, ...]:
    """Return the paired differences of an idea's candidate on the seeds that it ran; none when it crashed."""
    return due.screen_differences(campaign.state, idea, campaign.template.manifest)


def _requests(campaign: OpenCampaign, idea: Idea, seeds: range) -> list[ExecutionRequest]:
    return wanted(campaign, campaign.state.candidate_of(idea.id), Stage.SCREEN, seeds)


def _failed(campaign: OpenCampaign, candidate: Candidate) -> Execution | None:
    """Return the crash that is to be mended: of the lowest seed, for which of several ends first is chance."""
    failed = (e for e in campaign.state.executions_of(candidate.id, Stage.SCREEN) if e.outcome != "ok")
    return min(failed, key=lambda each: each.seed, default=None)


def _repaired(campaign: OpenCampaign, idea: Idea) -> bool:
    """Give a candidate that crashed one more chance, with its log in hand; say whether anything was done."""
    candidate = campaign.state.candidate_of(idea.id)
    failed = _failed(campaign, candidate)
    before = sum(c.idea == idea.id and c.repaired for c in campaign.state.candidates.values())
    if failed is None or before >= campaign.team.repairs:
        return False
    log = campaign.log_of(failed.key)
    sources = campaign.workspace.sources(candidate.commit)
    try:
        patch = campaign.team.repair(campaign.template, idea, sources, failed, log)
        if patch is not None:
            add_candidate(campaign, idea, patch, repaired=True)
    except (PatchFailed, EditRefused, AnswerInvalid, ModelRefused) as error:
        campaign.append_once({"text": f"Candidate {candidate.id} stays as it crashed: {error}"})
        return False
    return patch is not None


def _learn(campaign: OpenCampaign, number: int) -> None:
    if number in campaign.state.learned:
        return
    # What a person rejected never ran, so nothing is to be learned from it.
    seen = [each for each in tried(campaign.state) if each.outcome != "rejected"]
    lessons = campaign.team.interpret(campaign.template, number, seen, campaign.state.lessons)
    first = len(campaign.state.lessons) + 1
    numbered = [lesson.model_copy(update={"id": f"l{first + k}"}) for k, lesson in enumerate(lessons)]
    campaign.append("lessons", {"round": number, "lessons": [lesson.model_dump(mode="json") for lesson in numbered]})
