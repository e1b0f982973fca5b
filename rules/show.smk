# Draws one figure of the record.
rule figure:
    input:
        own_parts("figure"),
        PUBLISHED,
        showing("show", "figures", "statistics"),
    output:
        f"{RECORD}/figures/{{name}}.pdf",
        f"{RECORD}/figures/{{name}}.png",
    log:
        f"{RECORD}/logs/figure/{{name}}.log",
    wildcard_constraints:
        name="|".join(FIGURES),
    conda:
        "../environment.yml"
    params:
        record=NAME,
    shell:
        "python -m fgan figure --record {params.record} --name {wildcards.name} --log {log}"


# Writes one table of the record.
rule table:
    input:
        own_parts("table"),
        PUBLISHED,
        showing("show", "tables", "statistics"),
    output:
        f"{RECORD}/tables/{{name}}.tex",
        f"{RECORD}/tables/{{name}}.csv",
    log:
        f"{RECORD}/logs/table/{{name}}.log",
    wildcard_constraints:
        name="|".join(TABLES),
    conda:
        "../environment.yml"
    params:
        record=NAME,
    shell:
        "python -m fgan table --record {params.record} --name {wildcards.name} --log {log}"


# Draws and checks the table of divergences.
rule theory:
    input:
        "src/fgan/divergences.py",
        showing("show", "figures", "tables", "theory/figures", "theory/tables"),
    output:
        THEORY,
    log:
        f"{RECORD}/logs/theory.log",
    conda:
        "../environment.yml"
    params:
        record=NAME,
    shell:
        "python -m fgan theory --record {params.record} --log {log}"


# Judges every claim on the record.
rule claims:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART],
        [f"experiments/{experiment}/claims.yaml" for experiment in SHOWN],
        showing("show", "claims", "statistics", "tables", "tex"),
    output:
        f"{RECORD}/tables/claims.tex",
        f"{RECORD}/tables/claims.csv",
    log:
        f"{RECORD}/logs/claims.log",
    conda:
        "../environment.yml"
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
            [file for name, file in FIGURES.items() if CAPTIONED["figure"][name][0] == experiment],
            [file for name, file in TABLES.items() if CAPTIONED["table"][name][0] == experiment],
        localrule: True
