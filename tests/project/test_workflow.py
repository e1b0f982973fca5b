"""The workflow end to end: the smoke record in clones of the repository, undisturbed, killed, edited and misused."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from clones import SMOKE, TEX, clone, content, environment, first_step, snakemake, twin

from fgan import design

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def jobs(text):
    """{rule: count} of a dry run; the rules of all experiments that train, or gather, count together."""
    rows = [line.split() for line in text.rpartition("Job stats:")[2].splitlines()]
    counted = Counter()
    for name, count in (row for row in rows if len(row) == 2 and row[1].isdigit() and row[0].islower()):
        counted[re.sub(r"^(train|gather)_.*", r"\1", name)] += int(count)
    return dict(counted)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A clone with a complete smoke record, and what the workflow said."""
    folder = clone(tmp_path_factory.mktemp("undisturbed"))
    done = snakemake(folder, *SMOKE)
    assert (done.returncode == 0) == TEX, done.text[-4000:]
    return folder, done.text


@pytest.fixture
def edited(finished):
    """The complete record, restored after the test changed a file."""
    folder = finished[0]
    yield folder
    subprocess.run(["git", "checkout", "-q", "--", "."], cwd=folder, check=True)


def test_the_smoke_record_is_complete(finished):
    folder, text = finished
    made = content(folder)
    for name in ("numbers.tex", "tables/claims.csv", "figures/ring_modes.pdf", "figures/theory_terms.pdf", "audit.txt"):
        assert name in made
    for name in ("paper.pdf", "supplement.pdf"):
        assert made[name].startswith(b"%PDF") if TEX else "no TeX here" in text
    assert "whole and current" in (folder / "results/smoke/audit.txt").read_text()
    assert "minutes here" in text, "the plan is printed before the first job"
    assert "of the cores' time" in text and "Select jobs" not in text and "Finished jobid" not in text
    assert "train ring/tanh-seed0-1" in (folder / "results/smoke/time.csv").read_text()


def test_a_second_execution_does_nothing(finished):
    done = snakemake(finished[0], *SMOKE)
    assert done.returncode == 0 and "Nothing to be done" in done.text


def test_two_executions_in_two_folders_are_the_same_bytes(finished, tmp_path):
    """The second is killed in the middle of training, with its jobs, and continued by the same command."""
    folder = twin(finished[0], tmp_path / "twin")
    env = environment(FGAN_CHECKPOINT_SECONDS="0")
    call = [sys.executable, "-m", "snakemake", "--cores", "2", *SMOKE]
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    process = subprocess.Popen(call, cwd=folder, env=env, **quiet)
    checkpoints = folder / "results/smoke"
    for _ in range(600):
        if list(checkpoints.glob("*/.checkpoints/*.pt")):
            break
        time.sleep(0.1)
    else:
        pytest.fail("no checkpoint appeared")
    os.killpg(process.pid, signal.SIGKILL)  # the workflow and its jobs at once, as when the machine goes down
    process.wait()
    done = snakemake(folder, *SMOKE, env=env)
    assert (done.returncode == 0) == TEX, done.text[-4000:]
    logs = [path.read_text().splitlines() for path in folder.glob("results/smoke/logs/train/*/*.log")]
    assert any(first_step(lines) > 0 for lines in logs), "a training continued from its checkpoint"
    undisturbed, continued = content(finished[0]), content(folder)
    assert sorted(undisturbed) == sorted(continued)
    assert [name for name in undisturbed if undisturbed[name] != continued[name]] == []


def test_editing_a_figure_draws_it_again_and_trains_nothing(edited):
    path = edited / "experiments/ring/figures.py"
    path.write_text(path.read_text().replace('ARM = "tanh"', 'ARM = "tanh"  # edited'))
    planned = jobs(snakemake(edited, "-n", *SMOKE).text)
    assert planned.get("draw_ring") and planned.get("pdf")
    assert not {"train", "gather"} & set(planned)


def test_editing_the_science_trains_again_unless_only_a_comment_changed(edited):
    path = edited / "src/fgan/engine/training.py"
    path.write_text(path.read_text() + "# edited\n")
    assert not {"train", "gather"} & set(jobs(snakemake(edited, "-n", *SMOKE).text))
    path.write_text(path.read_text().replace("ABSURD_VALUE = 1e4", "ABSURD_VALUE = 1e5"))
    planned = jobs(snakemake(edited, "-n", *SMOKE).text)
    assert planned["train"] == len(list(edited.glob("results/smoke/*/shards/*/card.json")))


def test_a_new_seed_trains_only_itself(finished):
    planned = jobs(snakemake(finished[0], "-n", "ring", *SMOKE, "seeds=3").text)
    assert planned["train"] == 1


def test_one_figure_by_name(edited):
    """It is drawn again, with those of its experiment, and nothing else happens."""
    (edited / "results/smoke/figures/ring_modes.pdf").unlink()
    planned = jobs(snakemake(edited, "-n", "figure_ring_modes", *SMOKE).text)
    assert planned.pop("total") == sum(planned.values())
    assert planned == {"draw_ring": 1, "figure_ring_modes": 1}
    alone = [sys.executable, "-m", "fgan", "figure", "--record", "smoke", "--name", "ring_modes"]
    subprocess.run(alone, cwd=edited, env=environment(PYTHONPATH=str(edited / "src")), check=True)
    assert (edited / "results/smoke/figures/ring_modes.pdf").exists()


def test_a_new_experiment_is_a_folder(edited):
    new = edited / "experiments/second_ring"
    shutil.copytree(edited / "experiments/ring", new)
    try:
        done = snakemake(edited, "-n", *SMOKE)
        assert done.returncode == 2 and "claim of experiments/ring/claims.yaml already" in done.text, "ids are unique"
        (new / "claims.yaml").unlink()  # an experiment may claim nothing
        planned = jobs(snakemake(edited, "-n", *SMOKE).text)
        assert planned["train"] == 1 and planned["draw_second_ring"] == 1
    finally:
        shutil.rmtree(new)


@pytest.mark.parametrize(
    "setting, sentence",
    [
        ("record=quik", "did you mean 'quick'?"),
        ("recrd=quick", "unknown key 'recrd' in the configuration; did you mean 'record'?"),
        ("seeds=0", "it must be at least 1"),
        ("seeds=many", "must be an integer"),
        ("device=gpu0", "valid names"),
        ("device=gpu", "a GPU is 'cuda'"),
        ("data=2024", "data=2024 is no folder that is there"),
    ],
)
def test_a_wrong_setting_gets_one_sentence(finished, setting, sentence):
    given = [setting] if setting.startswith("record") else ["record=smoke", setting]
    done = snakemake(finished[0], "-n", "--config", *given)
    assert done.returncode == 2 and sentence in done.text and "Traceback" not in done.text
    assert "WorkflowError" not in done.text and ".smk" not in done.text


def test_a_record_that_is_only_shown_has_no_seeds_to_change(finished):
    done = snakemake(finished[0], "-n", "--config", "record=reference", "seeds=7")
    assert done.returncode == 2 and "'seeds' changes nothing: omit it" in done.text


def test_a_misspelt_key_is_named_before_anything_runs(edited):
    path = edited / "experiments/ring/experiment.yaml"
    path.write_text(path.read_text().replace("batch: 128", "bacth: 128"))
    done = snakemake(edited, "-n", *SMOKE)
    assert done.returncode and "experiments/ring/experiment.yaml: unknown key 'bacth'" in done.text
    assert "did you mean 'batch'?" in done.text and "Traceback" not in done.text


def test_a_record_that_is_only_shown_needs_no_training_whatever_the_file_times(finished, tmp_path):
    folder = twin(finished[0], tmp_path / "twin")
    for name in design.find(folder / "experiments"):
        if not (finished[0] / "results/smoke" / name / "card.json").exists():
            continue  # natural images: no data
        part = folder / "results/reference" / name
        part.mkdir(parents=True)
        for path in (finished[0] / "results/smoke" / name).iterdir():
            if path.is_file():
                shutil.copy(path, part)
    for index, path in enumerate(sorted(folder.rglob("*"), reverse=True)):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (1_600_000_000 + index * 7919 % 1000,) * 2)
    planned = jobs(snakemake(folder, "-n", "--config", "record=reference").text)
    assert planned["pdf"] == 1 and not {"train", "gather", "fetch"} & set(planned)


def test_the_workflow_adopts_what_was_trained_without_it_and_trains_the_rest(finished, tmp_path):
    """`train-all` made one of two seeds; its archive comes from another machine, without checkpoints and metadata."""
    folder = twin(finished[0], tmp_path / "twin")
    call = [sys.executable, "-m", "fgan", "train-all", "--record", "smoke", "--only", "ring", "--seeds", "1"]
    env = environment(PYTHONPATH=str(folder / "src"))
    done = subprocess.run([*call, "--device", "cpu"], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0 and "1 of 1 shards are in results/smoke/archive" in done.stderr, done.stderr
    shutil.rmtree(folder / "results/smoke/ring")
    done = snakemake(folder, "ring", *SMOKE)
    assert done.returncode == 0 and jobs(done.text)["train"] == 1, done.text[-4000:]
    log = (folder / "results/smoke/logs/train/ring/tanh-seed0-1.log").read_text()
    assert "ring/tanh-seed0-1: taken from shards that were trained before" in log
    assert "tanh-seed0:" not in log and "tanh-seed1: 24 runs, step 200/200" in log
    mine, theirs = content(folder), content(finished[0])
    made = [name for name in mine if name.startswith(("ring/", "figures/ring_", "tables/ring_"))]
    assert len(made) > 15 and all(mine[name] == theirs[name] for name in made)


def test_an_orphan_of_a_killed_workflow_is_waited_for_and_its_work_is_kept(finished, tmp_path):
    """SIGKILL of snakemake alone: its jobs live on; the same command waits for them and trains nothing twice."""
    folder = twin(finished[0], tmp_path / "twin")
    call = [sys.executable, "-m", "snakemake", "--cores", "2", "ring", *SMOKE]
    process = subprocess.Popen(
        call, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    locks = folder / "results/smoke/ring/.checkpoints"
    while not list(locks.glob("*.lock")):
        assert process.poll() is None, "the workflow ended before its training began"
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = snakemake(folder, "ring", *SMOKE)
    assert done.returncode == 0, done.text[-4000:]
    part = "ring/measurements.parquet"
    assert content(folder)[part] == content(finished[0])[part]


def test_what_is_complete_is_kept_whatever_snakemake_has_lost(finished, tmp_path):
    """A record in a younger clone, without Snakemake's notes: nothing trains again, and a new seed is still noticed."""
    folder = twin(finished[0], tmp_path / "twin")
    shutil.copytree(finished[0] / "results/smoke/ring", folder / "results/smoke/ring")
    assert "train" not in jobs(snakemake(folder, "-n", "ring", *SMOKE).text)
    assert jobs(snakemake(folder, "-n", "ring", *SMOKE, "seeds=3").text)["train"] == 1
    done = snakemake(folder, "ring", "--forcerun", "train_ring", *SMOKE)
    assert done.returncode == 0, done.text[-4000:]
    assert "complete already" in (folder / "results/smoke/logs/train/ring/tanh-seed0-1.log").read_text()
    part = "ring/shards/tanh-seed0-1/card.json"
    assert content(folder)[part] == content(finished[0])[part]


def test_ctrl_c_says_in_one_line_what_is_safe_and_how_to_go_on(finished, tmp_path):
    folder = twin(finished[0], tmp_path / "twin")
    path = folder / "experiments/ring/experiment.yaml"
    path.write_text(path.read_text().replace("steps: 200,", "steps: 2000,"))
    call = [sys.executable, "-m", "snakemake", "--cores", "2", "ring", *SMOKE]
    options = dict(cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests in the background ignore it
    with subprocess.Popen(call, env=environment(FGAN_CHECKPOINT_SECONDS="0"), **options) as process:
        while not list(folder.glob("results/smoke/ring/.checkpoints/*.pt")):
            assert process.poll() is None, "the workflow ended before its first checkpoint"
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        said = process.communicate()[0]
    assert process.returncode and "Traceback" not in said and "Error" not in said, said
    last = said.rpartition("stopped: ")[2].splitlines()
    assert last[0].endswith("with: snakemake --cores 2 ring --config record=smoke device=cpu") and len(last) == 2, said


def test_a_second_workflow_on_the_same_record_is_refused(edited):
    path = edited / "experiments/ring/figures.py"
    path.write_text(path.read_text() + "# edited\n")
    with open(edited / "results/smoke/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = snakemake(edited, *SMOKE)
    assert done.returncode and "error: another process is making results/smoke" in done.text
    assert "Traceback" not in done.text and ".smk" not in done.text


@pytest.mark.skipif(not TEX, reason="there is no TeX to hide")
def test_without_tex_everything_but_the_pdf_is_made(edited, tmp_path):
    """A PATH without TeX: the sentence says what to install."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "sh", "git", "env", "cat", "rm", "mkdir", "which"):
        (tools / tool).symlink_to(shutil.which(tool))
    (tools / "python").symlink_to(sys.executable)
    pdf = edited / "results/smoke/paper.pdf"
    before = pdf.read_bytes()
    pdf.unlink()
    env = environment(PATH=f"{tools}")
    # The interpreter's own folder is not on the PATH, so that no TeX beside it is found.
    (tools / "python").unlink()
    (tools / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tools / "python").chmod(0o755)
    done = snakemake(edited, *SMOKE, env=env)
    pdf.write_bytes(before)
    assert done.returncode and "no TeX here" in done.text and "apt-get install" in done.text
