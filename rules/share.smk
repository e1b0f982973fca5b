# What goes to others beside the paper. The report of Snakemake is made by `snakemake --report FILE.html`.
report: "captions/report.rst"


# Writes one page with every run and every claim, which needs no network.
rule explorer:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART_FILES],
        [str(path) for path in Path("experiments").glob("*/schema.yaml")],
        f"{RECORD}/tables/claims.csv",
        "src/fgan/report/explorer.html",
        "src/fgan/metrics/metrics.yaml",
        SHOWING,
    output:
        report(f"{RECORD}/explorer.html", caption="captions/explorer.rst", category="Pages"),
    log:
        f"{RECORD}/logs/explorer.log",
    conda:
        ENVIRONMENT
    params:
        record=NAME,
    shell:
        "python -m fgan explorer --record {params.record} --log {log}"


# Packs the complete record with its code, for an archive that gives a DOI; made only when asked for by name.
rule bundle:
    input:
        rules.everything.input,
    output:
        f"{RECORD}/bundle.zip",
    log:
        f"{RECORD}/logs/bundle.log",
    conda:
        ENVIRONMENT
    params:
        record=NAME,
    shell:
        "python -m fgan bundle --record {params.record} > {log}"
