"""Kill anything, in any order: whatever happens to a record, the same commands end in the bytes of an undisturbed one.

Ten sequences are among the tests. `make torture` tries FGAN_TORTURE of them, two hundred, and others each time.
"""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from torture import CONSTANTS, World

from fgan.record import audit as audits

SEQUENCES = int(os.environ.get("FGAN_TORTURE", 10))
# A command ends by itself, dies when it touches files for the n-th time, or dies after some seconds.
KILLS = st.one_of(st.none(), st.integers(0, 60), st.floats(0.01, 2.0))
UNDISTURBED = {}  # bytes of a record that nothing happened to, by seeds and constant


def undisturbed(seeds, constant):
    """The bytes of a record that was made in one go."""
    if (seeds, constant) not in UNDISTURBED:
        with tempfile.TemporaryDirectory() as folder:
            world = World(folder)
            world.seeds, world.constant = seeds, constant
            world.edit()
            for status, said in (world.train(), world.command("gather")):
                assert status == 0, said
            UNDISTURBED[seeds, constant] = world.content()
    return UNDISTURBED[seeds, constant]


class Mistreated(RuleBasedStateMachine):
    """A record whose commands are killed, and whose design, seeds, machine and files change in between."""

    def __init__(self):
        super().__init__()
        self.world = World(tempfile.mkdtemp())
        self.published = None  # the extent and bytes of the committed part, once a command has ended that made it

    def ended(self, outcome, kill, *allowed):
        """Whether a command did its work; it may else have been killed, or have said one of the allowed sentences."""
        status, said = outcome
        assert "Traceback" not in said and (status == 0 or kill is not None or any(a in said for a in allowed)), said
        return status == 0

    @rule(kill=KILLS)
    def train(self, kill):
        self.ended(self.world.train(kill), kill)

    @rule(kill=KILLS)
    def train_and_pack(self, kill):
        self.ended(self.world.command("train-all", kill=kill), kill)

    @rule(kill=KILLS)
    def gather(self, kill):
        self.ended(self.world.command("gather", kill=kill), kill, "make it with: snakemake --cores all ring")

    @rule(kill=KILLS)
    def publish(self, kill):
        if self.ended(self.world.command("publish", kill=kill), kill, "cannot be published", "more than"):
            self.published = self.world.content(self.world.reference / "ring")
        elif kill is not None:
            self.published = None  # killed half-way: the next one ends it

    @rule()
    def audit(self):
        # What this record shows was never made, and cannot be from two divergences.
        self.ended(self.world.command("audit"), None, "ring: ", "cannot be made again")

    @rule(seeds=st.integers(1, 3))
    def change_seeds(self, seeds):
        self.world.seeds = seeds

    @rule(constant=st.sampled_from(range(len(CONSTANTS))))
    def change_a_constant(self, constant):
        self.world.constant = constant
        self.world.edit()

    @rule()
    def change_a_comment(self):
        self.world.comments += 1
        self.world.edit()

    @precondition(lambda self: self.world.record.exists())
    @rule()
    def go_on_elsewhere(self):
        """Another machine gets the archive and the committed record, and nothing else."""
        shutil.rmtree(self.world.record / "ring", ignore_errors=True)
        shutil.rmtree(self.world.folder / "results/.data", ignore_errors=True)

    @rule(kind=st.sampled_from(("state", "shard", "part")), which=st.integers(0, 9), share=st.floats(0, 0.99))
    def cut_a_file(self, kind, which, share):
        """As a machine that goes down may leave it."""
        if files := self.world.files(kind):
            path = files[which % len(files)]
            path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    @rule(which=st.integers(0, 9), place=st.floats(0, 0.99))
    def change_a_byte_of_a_state(self, which, place):
        if files := self.world.files("state"):
            content = bytearray(files[which % len(files)].read_bytes() or b"0")
            content[int(place * len(content))] ^= 255
            files[which % len(files)].write_bytes(content)

    @invariant()
    def what_is_committed_stays(self):
        part = self.world.reference / "ring"
        assert self.published is None or self.published == self.world.content(part)

    def teardown(self):
        """The same commands, now left alone, end in the bytes of an undisturbed record; a comment trains nothing."""
        try:
            wanted = undisturbed(self.world.seeds, self.world.constant)
            assert self.ended(self.world.train(), None)
            assert self.ended(self.world.command("gather"), None)
            found = self.world.content()
            assert [name for name in wanted if found.get(name) != wanted[name]] == [] and found.keys() == wanted.keys()
            sound = lambda: int(bool(audits.check(Path("results/smoke"), ["ring"])))  # nothing was drawn, so no more
            assert self.ended(self.world.process(sound, None), None)
            if self.ended(self.world.command("publish"), None, "more than"):
                assert audits.damaged(self.world.reference / "ring") == []
            self.change_a_comment()
            status, said = self.world.train()
            assert status == 0 and said.count("complete already") == len(said.splitlines()), said
        finally:
            shutil.rmtree(self.world.folder)


@pytest.mark.slow
def test_whatever_happens_to_a_record_it_ends_as_if_nothing_had():
    settings = hypothesis.settings(
        max_examples=SEQUENCES, stateful_step_count=8, deadline=None, derandomize=SEQUENCES == 10, database=None,
        suppress_health_check=list(hypothesis.HealthCheck), print_blob=True,
    )  # fmt: skip
    hypothesis.stateful.run_state_machine_as_test(Mistreated, settings=settings)
