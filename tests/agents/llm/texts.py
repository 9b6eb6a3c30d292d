"""Ideas in prose: different ones, the same in other words, and the same in words of another kind altogether."""

from __future__ import annotations

DIFFERENT = (
    "Average the weights of the last quarter of updates. Returning the mean of the late weight vectors instead of the "
    "final one raises the return. Bootstrapped updates keep the network circling around a solution; the mean lies "
    "nearer to its centre and its greedy actions flip less often between similar states.",
    "Mirror every transition. Adding each step of the log with all four numbers negated and the action swapped raises "
    "the return. The dynamics of cart and pole are symmetric about the centre, so mirrored transitions are true ones "
    "and double the data without any new assumption.",
    "Take the smaller of two value networks. Using the minimum over two networks trained with different first weights "
    "as the target raises the return. The minimum counters the optimism that the maximum over noisy values brings in "
    "and is strongest where the log has few samples.",
    "Bootstrap over several steps. Summing the rewards of five logged steps before bootstrapping raises the return. "
    "A fall then reaches the states before it in a fifth of the sweeps, while the log's actions are near enough to the "
    "greedy ones for the bias to stay small.",
    "Begin from a clone of the controller. Pre-training the network to predict the logged action before the first "
    "Bellman update raises the return. Values that start with the controller's ranking need to be corrected only where "
    "it errs, and unseen actions begin at the bottom.",
    "Weight transitions by their rarity. Sampling steps in inverse proportion to how crowded their neighbourhood in "
    "state space is raises the return. Recoveries from large angles are rare in the log, yet decide how long an "
    "episode lasts.",
    "Clip targets to what an episode can pay. Cutting every target at the discounted sum of a full episode raises the "
    "return. Values beyond that sum are impossible, so the bound stops runaway bootstrapping without any penalty.",
    "Fit a model of the dynamics and plan with it. Regressing the next observation on the present one and the action, "
    "and adding made-up transitions near the log, raises the return. The motion is nearly linear at small angles, so a "
    "least-squares model is accurate where it matters.",
    "Shape the reward by the pole's angle. Paying less the further the pole leans raises the return. Every logged step "
    "pays the same, so that only falls carry information; a graded reward tells good states apart at once.",
    "Drop the units of the hidden layer at random. Dropout with a small rate during learning raises the return. It "
    "keeps the two layers from fitting single logged steps, of which there are few for so many weights.",
)

REWORDED = (
    "Averaging of late weights. The mean of the weight vectors over the last quarter of the updates, in place of the "
    "final weights, raises the return, because bootstrapped updates circle around a solution and the mean is nearer "
    "its centre.",
    "Mirrored transitions. Each logged step is added once more with its four numbers negated and its action swapped. "
    "Cart and pole are symmetric about the centre, so the mirrored transitions are true and the data double.",
    "Minimum of two networks. Targets from the smaller value of two networks with different first weights raise the "
    "return: the minimum counters the optimism of the maximum over noisy values.",
    "Bootstrapping after several steps. Five rewards of logged steps are summed before the bootstrap, so that a fall "
    "reaches earlier states in a fifth of the sweeps.",
    "Starting from a cloned controller. The network is pre-trained to predict logged actions before any Bellman "
    "update; values then start with the controller's ranking and are corrected only where it errs.",
    "Rare transitions weighted more. Steps are sampled in inverse proportion to the crowding of their neighbourhood in "
    "state space, as recoveries from large angles are rare in the log.",
    "Clipped targets. Every target is cut at the discounted sum that a full episode can pay, since values beyond that "
    "are impossible; this bounds runaway bootstrapping.",
    "A dynamics model to plan with. The next observation is regressed on the present observation and action, and "
    "made-up transitions near the log are added; at small angles the motion is nearly linear.",
    "Reward shaped by the angle. The further the pole leans, the less a step pays. A graded reward tells good states "
    "apart where every logged step pays the same.",
    "Dropout in hidden layers. Units are dropped at random with a small rate during learning, which keeps the layers "
    "from fitting single logged steps.",
)

OTHERWISE_SAID = (
    "Polyak smoothing of parameters. Return an exponential average over recent iterates rather than the latest one.",
    "Data augmentation through reflection. Exploit left-right invariance of the physics.",
    "Clipped double estimators. Pessimism across an ensemble limits overvaluation.",
)
"""The first three ideas again, in words that share next to nothing with them: beyond what counting words can see."""
