# Writes every number and sentence of the paper as a macro with its source, and the supplement's list of experiments.
rule numbers:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART_FILES],
        [f"experiments/{experiment}/experiment.yaml" for experiment in SHOWN],
        f"{RECORD}/tables/claims.csv",
        "src/fgan/divergences.py",
        SECTIONS,
        TOLD,
        SHOWING,
    output:
        f"{RECORD}/numbers.tex",
        f"{RECORD}/numbers.csv",
        f"{RECORD}/experiments.tex",
        f"{RECORD}/tables/divergences.tex",
        f"{RECORD}/tables/compute.tex",
    log:
        f"{RECORD}/logs/numbers.log",
    priority: 1
    conda:
        ENVIRONMENT
    params:
        record=NAME,
    shell:
        "python -m fgan numbers --record {params.record} --log {log}"


# Compiles the paper and its supplement.
rule pdf:
    input:
        rules.numbers.output,
        FIGURES.values(),
        TABLES.values(),
        THEORY,
        [f"{RECORD}/tables/claims.tex", f"{RECORD}/tables/main.tex", f"{RECORD}/figures/claims.pdf"],
        SECTIONS,
        ["paper/main.tex", "paper/supplement.tex", "paper/fgan.sty", "paper/references.bib"],
        SHOWING,
    output:
        report(f"{RECORD}/paper.pdf", caption="captions/paper.rst", category="Pages"),
        report(f"{RECORD}/supplement.pdf", caption="captions/supplement.rst", category="Pages"),
    log:
        f"{RECORD}/logs/pdf.log",
    conda:
        ENVIRONMENT
    params:
        record=NAME,
    shell:
        "python -m fgan paper --record {params.record} --log {log}"
