"""A clone whose path, user, clock or environment is none that anybody thought of makes the same bytes as any other.

Among the tests are all of these at once, in three places. `FGAN_PLACES=each` tries every one alone, in minutes.
"""

import os
import shutil
import subprocess
import time

import places
import pytest

from fgan.files import now_at_latest
from fgan.jobs import times

TEX = pytest.mark.skipif(shutil.which("latexmk") is None, reason="needs TeX")
EACH = pytest.mark.skipif(os.environ.get("FGAN_PLACES") != "each", reason="tried alone with FGAN_PLACES=each")
pytestmark = [pytest.mark.slow, TEX]
# Snakemake, a shell, make, TeX, kpathsea, latexmk, Python and patterns of files read each of these in their own way.
PATHS = [
    "two wörds", "a$b", "a;b", "a:b", 'a"b', "{a}", "a'b", "100%", "a_b", "#a", "~", "a&b", "[a]*?", "a\\input{b}",
    "$(false)`false`", "a\nb", "-n", "/".join(["a" * 200, "b" * 200]),
]  # fmt: skip
ALL = "all: wörds\n$b;\"{c}'%_#~&[d]*?\\input{e}$(false)`false`"
NOBODY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
UMASK = ["sh", "-c", 'umask 077; exec "$@"', "sh"]
CIRCUMSTANCES = {
    "C locale": {"LC_ALL": "C"},
    "ASCII": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "no home": {"HOME": None},
    "a home that is not there": {"HOME": "/nowhere/at/all", "TMPDIR": "/nowhere/at/all"},
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A repository outside of git, as unpacked from a zip."""
    return places.repository(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def plain(source, tmp_path_factory):
    """The record's bytes where nothing is odd."""
    folder = shutil.copytree(source, tmp_path_factory.mktemp("plain") / "clone")
    same(places.make(folder), folder, {})
    found = places.content(folder)
    assert found["paper.pdf"].startswith(b"%PDF") and found["supplement.pdf"].startswith(b"%PDF")
    return found


def same(outcome, folder, wanted):
    """The record was made, and its bytes are the wanted ones."""
    status, said = outcome
    assert status == 0 and "Traceback" not in said and "error" not in said.lower(), said
    found = places.content(folder)
    assert [name for name in wanted if found.get(name) != wanted[name]] == []


def closed(folder):
    """A folder that its owner cannot write; root can, so this needs another user."""
    folder.mkdir(mode=0o500)
    return str(folder)


def nobody():
    """Words that make a command that of another user than root; skips where there are none."""
    if os.getuid() != 0:
        return []
    if shutil.which("unshare") is None or subprocess.run([*NOBODY, "true"], capture_output=True).returncode:
        pytest.skip("this machine gives root no namespace of another user")
    return NOBODY


@pytest.mark.parametrize("path", [ALL, *(pytest.param(path, marks=EACH) for path in PATHS)])
def test_the_path_of_a_clone_may_have_any_character(path, source, plain, tmp_path):
    folder = shutil.copytree(source, tmp_path / path)
    same(places.make(folder, env={"LC_ALL": "C"}), folder, plain)


def test_a_poor_user_makes_the_same_bytes(source, plain, tmp_path):
    """Not root, who lets nobody else read, has no git, and can write neither at home nor where others put files."""
    folder = shutil.copytree(source, tmp_path / "clone")
    away = closed(tmp_path / "closed")
    env = {"HOME": away, "TMPDIR": away, "PATH": places.without(tmp_path / "bin", "git")}
    same(places.make(folder, env=env, before=[*nobody(), *UMASK]), folder, plain)
    modes = {path.stat().st_mode & 0o77 for path in (folder / "results/smoke/toy").iterdir() if path.is_file()}
    assert modes == {0}, "umask 077"


@EACH
@pytest.mark.parametrize("name", CIRCUMSTANCES)
def test_an_odd_environment_makes_the_same_bytes(name, source, plain, tmp_path):
    folder = shutil.copytree(source, tmp_path / "wörds")
    same(places.make(folder, env=CIRCUMSTANCES[name]), folder, plain)


@EACH
def test_a_shallow_clone_from_the_future_is_made_once(source, plain, tmp_path):
    """Its files, and later those of its record, are a day old before they are made: the clock went back."""
    origin, folder = shutil.copytree(source, tmp_path / "origin"), tmp_path / "clone"
    places.shallow(origin, folder)
    tomorrow(folder)
    # The commit is in the card and in whatever shows it.
    measured = {name: data for name, data in plain.items() if name.endswith((".parquet", ".npz", "_modes.pdf"))}
    assert len(measured) >= 5
    same(places.make(folder), folder, measured)
    made = places.content(folder)
    tomorrow(folder)
    (folder / "results/smoke/figures/toy_modes.pdf").unlink()
    (folder / "results/smoke/paper.pdf").unlink()
    status, said = places.make(folder)
    assert status == 0 and "draw_toy" in said and "gather_toy" not in said and "train_toy" not in said, said
    assert places.content(folder) == made
    assert "Nothing to be done" in places.make(folder)[1]


def tomorrow(folder):
    """Gives all files but git's the time of tomorrow."""
    when = time.time() + 24 * 3600
    for path in folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (when, when))


def test_python_makes_no_environment_beside_a_colon_and_make_says_so(source, tmp_path):
    folder = tmp_path / "a:b"
    folder.mkdir()
    for name in ("Makefile", "requirements.lock", "requirements.hashes", "pyproject.toml"):
        shutil.copy(source / name, folder)
    done = subprocess.run(["make", "--no-print-directory", "setup"], cwd=folder, capture_output=True, text=True)
    assert done.returncode and done.stdout.count("\n") == 1 and "':' in its path: rename it" in done.stdout
    assert not (folder / ".venv").exists()


def test_only_files_from_the_future_get_another_time(tmp_path):
    now = time.time()
    for name, when in {"old": now - 100, "new": now + 100}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (when, when))
    (tmp_path / "link").symlink_to("nothing")
    now_at_latest(tmp_path, tmp_path / "nothing")
    assert (tmp_path / "old").stat().st_mtime == pytest.approx(now - 100)
    assert now - 1 < (tmp_path / "new").stat().st_mtime < now + 50


def test_a_clock_that_went_back_is_no_time_below_zero(tmp_path):
    assert "the clock went back" in times.summary(tmp_path, time.time() + 100, cores=2)
