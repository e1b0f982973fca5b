"""The explorer: what is in its data, that it needs no network, and that a browser shows what is asked for."""

import base64
import io
import json
import math
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from records import part, rows

from fgan.files import RecordError, write_json
from fgan.record import write
from fgan.report import explorer, runs
from fgan.report.part import Part

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here; on Debian: apt-get install chromium")
CLAIMS = [  # experiment, claim, kind, statement, source, verdict, estimate, low, high, allowed_low, allowed_high
    (
        "ring",
        "ring-first",
        "published",
        'It ends </script> with "this".',
        "a paper",
        "replicated",
        3,
        2,
        4,
        1,
        math.inf,
    ),
    ("ring", "ring-second", "exercise", "It fails.", "exercise", "not replicated", 0.5, 0.3, 0.7, 1.1, math.inf),
    ("grid", "grid-third", "derived", "Nobody knows.", "here", "not run", *(math.nan,) * 5),
]


@pytest.fixture
def record(tmp_path, root):
    """A small record with one part, of 75 runs of one divergence, and three claims."""
    folder = part(tmp_path / "quick/ring", seeds=75, frame=rows(75, steps=range(1, 201)), last={"tanh": 200})
    target = {"kind": "ring", "modes": 8, "radius": 2.0, "sd": 0.1}
    arm = {"steps": 200, "target": target, "remedies": [{"kind": "spectral_norm"}, {"kind": "packing"}]}
    design = json.loads((folder / "design.json").read_text())
    write_json(folder / "design.json", design | {"title": "The ring", "question": "How many?", "arms": {"tanh": arm}})
    samples = {"samples/tanh/kl/saddle/0": np.full((400, 2), 0.5), "real": np.zeros((4, 2))}
    write.write_samples(folder / "samples.npz", samples)
    shard = {"commit": "abc+changes", "device": "cpu", "fingerprint": 0, "settings_hash": "s"}
    shards = {"tanh-seed0-1": shard} | {f"tanh-seed{seed}": shard | {"commit": "def"} for seed in range(2, 75)}
    card = {"command": "snakemake ring", "versions": {"torch": "2.0"}, "fingerprints": [{"cpu": "a chip"}]}
    write_json(folder / "card.json", card | {"shards": shards})
    columns = ["experiment", "claim", "kind", "statement", "source", "verdict"]
    numbers = ["estimate", "low", "high", "allowed_low", "allowed_high"]
    frame = pd.DataFrame(CLAIMS, columns=columns + numbers).assign(
        why="because", example="modes", missing="not trained", p_holm=math.nan
    )
    (tmp_path / "quick/tables").mkdir()
    frame.to_csv(tmp_path / "quick/tables/claims.csv", index=False)
    return tmp_path / "quick"


def test_every_run_is_there_once_with_its_values_curves_samples_and_shard(record):
    found = runs.runs(Part(record / "ring"))
    assert found["runs"]["seed"] == list(range(75))
    assert found["metrics"]["F"] == list(range(75)) and found["metrics"]["modes"] == [8] * 75
    assert sorted(found["curves"]) == [0, 1, 2, 3, 4], "a part keeps the histories of the first seeds"
    steps, values = found["curves"][3]["F"]
    assert steps[0] == 1 and steps[-1] == 200 and len(steps) == runs.CURVE and set(values) == {3}
    assert list(found["samples"]) == [0]
    (cloud,) = found["samples"][0]
    assert len(cloud["x"]) == runs.POINTS and set(cloud["y"]) == {0.5} and len(cloud["modes"]) == 8
    shards = [found["card"]["shards"][number]["shard"] for number in found["runs"]["shard"]]
    assert shards[:4] == ["tanh-seed0-1", "tanh-seed0-1", "tanh-seed2", "tanh-seed3"]
    assert found["remedies"] == ["spectral norm + packing"]
    assert found["meanings"]["modes"][0] == "modes"
    fewer = runs.runs(Part(record / "ring"), detail=0.1)
    assert len(fewer["curves"][3]["F"][0]) == 6 and len(fewer["samples"][0][0]["x"]) == 25


def test_values_are_short_and_what_is_not_finite_is_none():
    assert runs.column([1.23456789, 8.0, math.nan, math.inf, 1e30, -1e-9]) == [1.235, 8, None, None, 1e30, -1e-9]


def shades(one):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(one["png"]))))


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_images_are_a_sheet_in_rows_of_eight_with_the_channels_of_a_stack_side_by_side(low):
    images = np.random.default_rng(0).uniform(low, 1, (12, 2 * 8 * 8))
    one = runs.picture(images, {"kind": "digits", "stack": 2}, 1)
    assert one["number"] == 12 and shades(one).shape == (2 * 9, 8 * 17)
    wanted = np.floor((images[9].reshape(2, 8, 8) - low) / (1 - low) * 255).astype(np.uint8)
    np.testing.assert_array_equal(shades(one)[9:17, 17:33], np.hstack(list(wanted)))


def test_three_channels_of_no_stack_are_colours_and_a_film_shows_its_last_picture():
    image = np.zeros((1, 3 * 32 * 32))
    image[0, : 32 * 32] = 1.0
    one = runs.picture(image, {"kind": "cifar10"}, 1)
    assert shades(one).shape == (33, 8 * 33, 3) and shades(one)[0, 0].tolist() == [255, 0, 0]
    film = np.stack([np.zeros((5, 2)), np.ones((5, 2))])
    assert runs.picture(film, {}, 1) == {"kind": "points", "x": [1] * 5, "y": [1] * 5, "modes": []}
    assert runs.picture(np.arange(3.0), {}, 1) == {"kind": "line", "x": [0, 1, 2], "y": [0, 1, 2]}
    assert runs.picture(np.zeros((64, 64)), {}, 1) is None, "a map is no sheet of images"


@pytest.mark.parametrize(
    ("estimate", "low", "high", "allowed", "standing"),
    [
        (3, 2, 4, (1, math.inf), (2, 1, 3)),  # right of 0: the interval lies within the range
        (0.5, 0.4, 0.6, (-math.inf, 0.3), (-2, -3, -1)),  # left of 0: outside
        (1.0, 0.0, 2.0, (0.5, 4.0), (0.5, -0.5, 1.5)),  # across 0, from the nearest end
        (5.0, 4.9, 5.1, (0, 100), (6, 6, 6)),  # cut off at the edge
        (2.0, 2.0, 2.0, (3, 4), (-6, -6, -6)),  # exact
        (0.0, -math.inf, math.inf, (0, 1), (0, -6, 6)),  # a run failed
        (math.nan, math.nan, math.nan, (0, 1), (None, None, None)),
    ],
)
def test_the_standing_of_a_claim(estimate, low, high, allowed, standing):
    row = SimpleNamespace(
        estimate=estimate, low=low, high=high, allowed_low=float(allowed[0]), allowed_high=float(allowed[1])
    )
    assert explorer.standing(row) == pytest.approx(standing) if standing[0] is not None else True
    assert explorer.standing(row)[0] is not None or math.isnan(estimate)


def test_the_page_is_the_same_bytes_twice_and_names_no_address_that_a_browser_would_fetch(record):
    explorer.write(record)
    first = (record / "explorer.html").read_bytes()
    explorer.write(record)
    assert (record / "explorer.html").read_bytes() == first
    page = first.decode()
    own = page.replace(page[page.index("<script>") : page.index('<script type="module">')], "")
    assert "default-src 'none'" in own and str(record) not in page
    own = re.sub(r'"\$schema":"[^"]*"', "", own)  # names the language of a figure; nobody loads it
    assert not re.findall(r"""(?:src|href)=["'](?!#)|@import|url\(|fetch\(|https?:""", own)
    assert own.count("</script>") == 2, "a text of a claim ends no script"


def test_a_page_that_would_be_too_large_is_thinned_and_else_refused(record, monkeypatch):
    explorer.write(record)
    size = (record / "explorer.html").stat().st_size
    monkeypatch.setattr(explorer, "LIMIT", size - 1000)
    explorer.write(record)
    assert (record / "explorer.html").stat().st_size <= size - 1000
    monkeypatch.setattr(explorer, "LIMIT", 1000)
    with pytest.raises(RecordError, match="would take 1 MB"):
        explorer.write(record)
    (record / "tables/claims.csv").unlink()
    with pytest.raises(RecordError, match="python -m fgan claims --record quick"):
        explorer.write(record)


def seen(record, folder, address="", script=""):
    """The page as Chromium builds it from the file system, and the page's errors; `script` is executed at its end."""
    page, end, rest = (record / "explorer.html").read_text().rpartition("</body>")
    copy = folder / "copy.html"
    copy.write_text(f"{page}<script type=module>{WAIT}{script}</script>{end}{rest}")
    call = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    call += [f"--user-data-dir={folder / 'profile'}", "--window-size=1200,1600", "--virtual-time-budget=20000"]
    call += ["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([*call, f"{copy.as_uri()}#{address}"], capture_output=True, text=True, timeout=120)
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line and "WARN" not in line]
    return done.stdout, errors


WAIT = "while (!document.body.dataset.ready) await new Promise(then => setTimeout(then, 20));"
TELL = "document.body.dataset.told = JSON.stringify(%s);"


def told(dom):
    return json.loads(re.search(r'data-told="([^"]*)"', dom)[1].replace("&quot;", '"'))


@browser
@pytest.mark.slow
def test_a_browser_shows_runs_and_claims_as_the_address_asks(record, tmp_path):
    explorer.write(record)
    dom, errors = seen(record, tmp_path, "metric=F&group=seed&run=ring/1&verdict=not+replicated")
    assert errors == [] and 'data-ready="yes"' in dom
    assert ">75 runs.</p>" in dom and ">1 of 3 claims: 1 not replicated.</p>" in dom
    assert "It fails. (exercise; ring-second)" in dom and "✗ not replicated" in dom
    assert "ring: tanh, KL, saddle objective, seed 1" in dom
    assert "git checkout abc\npython -m fgan retrain ring/tanh/kl/saddle/1 --record quick\nsnakemake ring" in dom
    assert "The record keeps no samples of this run." in dom and "a chip" in dom
    assert dom.count("<svg") >= 3, "runs, curves and claims are drawn"


@browser
@pytest.mark.slow
def test_a_click_on_a_point_and_the_keyboard_open_a_run_and_go_to_a_claim(record, tmp_path):
    explorer.write(record)
    click = "document.querySelector('%s .mark-symbol path').dispatchEvent(new MouseEvent('click', {bubbles: true}));"
    tick = "await new Promise(then => setTimeout(then, 1500));"
    here = "document.activeElement.id"
    point, title = click % "#runs-chart", "document.getElementById('run-title').textContent"
    steps = f"{point}{tick} const first = {title};"
    # A button is what Enter and the space bar press.
    steps += f"const button = document.querySelectorAll('#runs-rows button')[4]; button.focus(); button.click(); {tick}"
    steps += f"const after = [{title}, {here}, location.hash];"
    steps += "const select = document.getElementById('divergence'); select.value = 'KL';"
    steps += f"select.dispatchEvent(new Event('change', {{bubbles: true}})); {tick}"
    steps += f"{click % '#claims-chart'}{tick}" + TELL % f"[first, after, {here}, location.hash]"
    dom, errors = seen(record, tmp_path, script=steps)
    first, (title, focus, address), claim, filtered = told(dom)
    assert errors == [] and first.startswith("ring: tanh, KL, saddle objective, seed ")
    assert (title, focus) == ("ring: tanh, KL, saddle objective, seed 4", "run-title")
    assert "run=ring%2F4" in address and claim == "claim-ring-first" and "divergence=KL" in filtered


@browser
@pytest.mark.slow
def test_what_a_screen_reader_needs_is_there(record, tmp_path):
    """Every control has a name, every table its caption and headings, every figure its description."""
    explorer.write(record)
    controls = "[...document.querySelectorAll('select, input, button')]"
    names = f"{controls}.map(c => (c.labels?.[0]?.textContent || c.ariaLabel || c.textContent).trim())"
    tables = "[...document.querySelectorAll('section > table, .scroll table')].map(t => [!!t.caption, t.tHead.rows[0]"
    tables += ".cells.length, t.tHead.querySelectorAll('th[scope=col]').length])"
    figures = "[...document.querySelectorAll('[role=graphics-document]')].map(f => f.getAttribute('aria-label'))"
    levels = "[...document.querySelectorAll('h1, h2, h3, h4')].map(heading => heading.tagName).join(' ')"
    dom, _ = seen(record, tmp_path, "run=ring/0", TELL % f"[{names}, {tables}, {figures}, {levels}]")
    names, tables, figures, levels = told(dom)
    assert all(names) and "Open ring, tanh, KL, saddle, seed 0" in names
    assert tables == [[True, 8, 8], [True, 5, 5]]
    assert len(figures) == 4 and all("." in text for text in figures)
    assert levels == "H1 H2 H3 H4 H4 H4 H4 H2", "no level is left out"
    assert '<html lang="en">' in dom and dom.count('role="status"') == 2
