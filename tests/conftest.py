"""What all tests share: one thread, as in every training job, and hypothesis examples that repeat."""

import re
import shutil

import hypothesis
import pytest
import torch
from small import ROOT, forget

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")


# Tests that take longest while their siblings try the same: slow, as are those that are marked where they stand.
SLOW = re.compile("|".join((
    r"is_counted_without_its_data\[full-",
    r"compute_the_same_on_a_cpu\[(full|extended)/",
    r"test_figures_\w*\[arms[1-9]",
    r"test_figures_tables_and_statistics_of_a_part\[(quick|full)-",
    r"test_twenty_steps_\w*\[(full|DCGAN small)\]",
    r"test_bits_\w*\[digits\]",
    r"test_the_order_of_the_runs_does_not_matter",
    r"is_the_same_in_every_arm\[remedies\]",
    r"with_the_remedies_that_change_it\[kinds[01]\]",
    r"do_not_depend_on_the_runs_beside_it\[gradient_penalty\+fake",
    r"test_bits_of_a_lone_run_are_those_among_others\[ring\]",
    r"test_the_generated_pages_are_current",
    r"test_the_score_function_has_no_bias",
    r"test_a_continued_training_has_the_bits_of_an_undisturbed_one\[20-k_step\]",
    r"test_training_needs_little_but_torch\[univariate",
    r"test_a_harmed_process_is_replaced\[raise",
)))  # fmt: skip


def pytest_collection_modifyitems(items):
    """The workflow, which takes longest, goes first: one worker takes it while the others take all else."""
    items.sort(key=lambda item: not item.get_closest_marker("workflow"))
    for item in items:
        if SLOW.search(item.nodeid):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    # logsigmoid wakes every thread for any size: on a busy machine that costs milliseconds a call.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def denormals():
    """What trains flushes them to zero for its whole process; hypothesis needs them."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def root(monkeypatch):
    """The test runs in the root of the repository, as every command does."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def away(tmp_path, monkeypatch):
    """The test runs in an empty folder, which it returns; what is known of the code of another one is forgotten."""
    monkeypatch.chdir(tmp_path)
    forget()
    yield tmp_path
    forget()


@pytest.fixture(scope="session")
def shown_once(tmp_path_factory):
    """A repository with one small experiment and its whole record."""
    import shown

    folder = tmp_path_factory.mktemp("shown")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        forget()
        shown.experiment(folder)
        shown.record()
    forget()
    return folder


@pytest.fixture
def shown_here(shown_once, away):
    """The working folder of a test that may change every file of that repository, without git."""
    shutil.copytree(shown_once, away, dirs_exist_ok=True)
    return away
