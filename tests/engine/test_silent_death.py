"""Runs that died without a NaN: each sign is flagged with its first step, and a healthy run is not."""

import copy
import math

import pytest
import torch

from fgan.engine.training import silent_death

HEALTHY = {"F": [0.1] * 40, "gradient_V": [0.5] * 40}
SIGNS = {
    "absurd": ("F", 1e16),
    "absurd below": ("F", -1e16),
    "below a constant V": ("F", -1.5),
    "vanished": ("gradient_V", 1e-20),
}


def death(metric=None, value=None, where=(), lower=0.0):
    columns = copy.deepcopy(HEALTHY)
    for index in where:
        columns[metric][index] = value
    history = {name: torch.tensor([HEALTHY[name], column]).T for name, column in columns.items()}
    alone, found = silent_death(list(range(5, 205, 5)), history, torch.tensor([0.0, lower])).tolist()
    assert math.isnan(alone)
    return found


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign_of_silent_death_is_flagged_with_its_first_step(sign):
    assert death(*SIGNS[sign], where=range(20, 40)) == 105
    assert death(*SIGNS[sign], where=range(40)) == 5
    assert death(*SIGNS[sign], where=[3, 4, *range(36, 40)]) == 185


@pytest.mark.parametrize("sign", SIGNS)
def test_a_run_that_recovers_or_falters_for_a_moment_is_alive(sign):
    assert math.isnan(death(*SIGNS[sign], where=range(39)))
    assert math.isnan(death(*SIGNS[sign], where=[39]))


def test_a_healthy_run_is_alive():
    assert math.isnan(death())


def test_below_is_measured_from_the_value_of_a_constant_v():
    """GAN's F starts at -log 4, where a constant V stands: 1.5 is not too low for it."""
    assert math.isnan(death("F", -1.5, range(40), lower=-math.log(4)))


def test_an_alternation_of_signs_is_a_death_too():
    columns = copy.deepcopy(HEALTHY)
    columns["F"][20::2], columns["gradient_V"][21::2] = [1e16] * 10, [0.0] * 10
    history = {name: torch.tensor([column]).T for name, column in columns.items()}
    assert silent_death(list(range(5, 205, 5)), history, torch.zeros(1)).tolist() == [105]


def test_a_training_shorter_than_ten_entries_is_judged_by_its_last():
    history = {"F": torch.tensor([[0.1], [0.1], [1e9]]), "gradient_V": torch.ones(3, 1)}
    assert silent_death([5, 10, 15], history, torch.zeros(1)).tolist() == [15]
