"""The workflow on a cluster: a Slurm of one node, a job cancelled and restarted, the bytes those of a local record."""

import importlib.util
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from clones import SMOKE, clone, content, environment, first_step, snakemake, twin
from packaging.requirements import Requirement
from small import ROOT

from fgan import design
from fgan.files import RecordError
from fgan.jobs import plan
from fgan.jobs.train import choose_device

NEEDED = ("sbatch", "slurmctld", "slurmd", "munged")
PROFILE = ROOT / "profiles/slurm"
SLURM = (
    sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm",
    # This Slurm keeps no accounts, and its jobs take seconds.
    "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2",
)  # fmt: skip
slurm = pytest.mark.skipif(
    not (all(shutil.which(name, path=environment()["PATH"] + ":/usr/sbin") for name in NEEDED)
         and importlib.util.find_spec("snakemake_executor_plugin_slurm")),
    reason="needs Slurm (Debian: slurm-wlm, munge) and pip install --requirement profiles/slurm/requirements.lock",
)  # fmt: skip


# Cancels the training once it has a checkpoint, as a cluster does that wants its node back.
CANCEL = """
(until ls results/smoke/ring/.checkpoints/*.pt; do sleep 0.1; done; scancel --user="$(id -u)") >/dev/null 2>&1 &
"$@"
"""


def longer(folder):
    """The clone, with a training of some seconds, so that it can be cancelled in its middle."""
    path = folder / "experiments/ring/experiment.yaml"
    path.write_text(path.read_text().replace("steps: 200,", "steps: 600,"))
    return folder


@slurm
@pytest.mark.slow
@pytest.mark.workflow
def test_a_cluster_that_cancels_a_job_makes_the_bytes_of_a_local_record(tmp_path):
    """The part is trained, gathered and drawn in jobs of Slurm, and the cancelled one goes on from its checkpoint."""
    local = longer(clone(tmp_path / "local"))
    done = snakemake(local, "ring", *SMOKE)
    assert done.returncode == 0, done.text[-4000:]
    cluster, env = longer(twin(local, tmp_path / "cluster")), environment(FGAN_CHECKPOINT_SECONDS="0")
    call = ["tests/with_slurm.sh", "bash", "-c", CANCEL, "bash", *SLURM, "ring", *SMOKE]
    done = subprocess.run(call, cwd=cluster, env=env, capture_output=True, text=True, timeout=900)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert said.count("submitted with SLURM jobid") == 4 and said.count("Trying to restart job") == 1
    assert first_step((cluster / "results/smoke/logs/train/ring/tanh-seed0-1.log").read_text().splitlines()) > 0
    mine, theirs = content(local), content(cluster)
    assert mine == theirs and {"ring/measurements.parquet", "figures/ring_modes.pdf"} <= set(mine)


@slurm
@pytest.mark.slow
@pytest.mark.workflow
def test_on_a_cluster_the_device_is_named(tmp_path):
    folder = clone(tmp_path)
    call = ["tests/with_slurm.sh", *SLURM, "ring", "--config", "record=smoke"]
    done = subprocess.run(call, cwd=folder, env=environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 2 and "set device=cpu or device=cuda" in done.stderr, done.stderr[-4000:]
    assert "submitted" not in done.stdout + done.stderr and not (folder / "results/smoke/ring").exists()


@pytest.mark.slow
@pytest.mark.workflow
def test_a_job_requests_what_the_plan_says_of_its_shard(tmp_path):
    """On a machine without the GPU as well: a dry run shows what each job would request of a cluster that has one."""
    plain = environment(CUDA_VISIBLE_DEVICES="")
    call = ["-n", "--quiet", "host", "--config", "record=smoke", "device=cuda", "--", "results/smoke/ring/card.json"]
    said = snakemake(clone(tmp_path), *call, env=plain).text
    chosen = design.load("ring", "smoke", ROOT / "experiments")
    memory, minutes = plan.needs(chosen, chosen.shard("tanh-seed0-1"), "cuda")
    requests = next(line for line in said.splitlines() if "resources:" in line and "gpu=1" in line)
    assert f"mem_mb={memory / 1e6:.0f}" in requests and f"runtime={minutes}" in requests, said


def test_what_only_cuts_for_a_gpu_needs_none(monkeypatch):
    """A submitting machine plans and gathers for nodes that have one."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_device("cuda", used=False) == "cuda" and choose_device("auto", used=False) == "cpu"
    with pytest.raises(RecordError, match="torch sees no GPU"):
        choose_device("cuda")


def test_the_profile_of_a_cluster_keeps_what_holds_everywhere():
    """It replaces the default profile, so it repeats all of it but the limits of one machine."""
    default, cluster = (
        yaml.safe_load((path / "profile.yaml").read_text()) for path in (PROFILE.parent / "default", PROFILE)
    )
    kept = {key: value for key, value in default.items() if key not in ("resources", "cores")}
    assert kept and kept.items() <= cluster.items() and cluster["executor"] == "slurm"


def test_the_lock_of_a_cluster_pins_its_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = (PROFILE / "requirements.lock").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    wanted = [Requirement(one) for one in extras["slurm"]]
    assert wanted and all(one.specifier.contains(pins[one.name]) for one in wanted)
