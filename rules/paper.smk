# Writes every number of the paper as a macro with its source, and the paper's list of experiments.
rule numbers:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART_FILES],
        [f"experiments/{experiment}/experiment.yaml" for experiment in SHOWN],
        f"{RECORD}/tables/claims.csv",
        "src/fgan/divergences.py",
        SECTIONS,
        SHOWING,
    output:
        f"{RECORD}/numbers.tex",
        f"{RECORD}/numbers.csv",
        f"{RECORD}/experiments.tex",
        f"{RECORD}/tables/divergences.tex",
    log:
        f"{RECORD}/logs/numbers.log",
    priority: 1
    conda:
        "../environment.yml"
    params:
        record=NAME,
    shell:
        "python -m fgan numbers --record {params.record} --log {log}"


# Compiles the PDF.
rule pdf:
    input:
        rules.numbers.output,
        FIGURES.values(),
        TABLES.values(),
        THEORY,
        f"{RECORD}/tables/claims.tex",
        SECTIONS,
        ["paper/main.tex", "paper/fgan.sty", "paper/references.bib"],
        SHOWING,
    output:
        report(f"{RECORD}/paper.pdf", caption="captions/paper.rst", category="Pages"),
    log:
        f"{RECORD}/logs/pdf.log",
    conda:
        "../environment.yml"
    params:
        record=NAME,
    shell:
        "python -m fgan paper --record {params.record} --log {log}"
