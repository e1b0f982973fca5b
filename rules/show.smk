# Draws the figures and writes the tables of an experiment in one job: starting a job takes longer than most figures.
for experiment in SHOWN:

    rule:
        name:
            f"draw_{experiment}"
        input:
            [f"{RECORD}/{experiment}/{name}" for name in PART_FILES],
            f"experiments/{experiment}/experiment.yaml",
            [str(path) for path in Path("experiments", experiment).glob("*.py")],
            "src/fgan/divergences.py",
            PUBLISHED,
            SHOWING,
        output:
            [f"{RECORD}/figures/{name}.pdf" for name in own("figure", experiment)],
            [reported("figure", name, "figures", "png") for name in own("figure", experiment)],
            [f"{RECORD}/tables/{name}.{end}" for name in own("table", experiment) for end in ("tex", "csv")],
            [reported("table", name, "tables", "html") for name in own("table", experiment)],
            [f"{RECORD}/captions/{kind}_{name}.rst" for kind in CAPTIONED for name in own(kind, experiment)],
        log:
            f"{RECORD}/logs/draw/{experiment}.log",
        priority: PRIORITY.get(experiment, 0)
        conda:
            ENVIRONMENT
        params:
            record=NAME,
            experiment=experiment,
        shell:
            "python -m fgan draw --record {params.record} --experiment {params.experiment} --log {log}"


# Draws the animation in the README. The paper does not need it, so it is made only when asked for by name.
rule animation_mode_dynamics_ring:
    input:
        [f"{RECORD}/mode_dynamics/{name}" for name in PART_FILES],
        "experiments/mode_dynamics/figures.py",
        SHOWING,
    output:
        f"{RECORD}/figures/mode_dynamics_ring.gif",
    log:
        f"{RECORD}/logs/animation.log",
    conda:
        ENVIRONMENT
    params:
        record=NAME,
    shell:
        "python -m fgan animate --record {params.record} --name mode_dynamics_ring --log {log}"


# Draws and checks the table of divergences, and writes those of published settings and values.
rule theory:
    input:
        "src/fgan/divergences.py",
        PUBLISHED,
        SHOWING,
    output:
        [report(file, caption="captions/theory.rst", category="Theory") for file in THEORY if "theory_" in file],
        [report(file, caption="captions/published.rst", category="Theory") for file in THEORY if "theory_" not in file],
    log:
        f"{RECORD}/logs/theory.log",
    conda:
        ENVIRONMENT
    params:
        record=NAME,
    shell:
        "python -m fgan theory --record {params.record} --log {log}"


# Judges every claim on the record, and writes the main table and the figure of all claims.
rule claims:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART_FILES],
        CLAIMS,
        [str(path) for experiment in SHOWN for path in Path("experiments", experiment).glob("*.py")],
        TOLD,
        SHOWING,
    output:
        [f"{RECORD}/tables/{name}" for name in ("claims.tex", "main.tex")],
        [f"{RECORD}/figures/claims.{end}" for end in ("pdf", "png")],
        report(f"{RECORD}/tables/claims.csv", caption="captions/claims.rst", category="Pages"),
        f"{RECORD}/claims.json",
    log:
        f"{RECORD}/logs/claims.log",
    priority: 1
    conda:
        ENVIRONMENT
    params:
        record=NAME,
    shell:
        "python -m fgan claims --record {params.record} --log {log}"


# Targets by name: figure_ring_modes, table_ring_modes, and each experiment with all of its figures and tables.
for target, file in [(f"figure_{n}", f) for n, f in FIGURES.items()] + [(f"table_{n}", f) for n, f in TABLES.items()]:

    rule:
        name:
            target
        input:
            file,
        localrule: True


for experiment in SHOWN:

    rule:
        name:
            experiment
        input:
            [FIGURES[name] for name in own("figure", experiment)],
            [TABLES[name] for name in own("table", experiment)],
        localrule: True
