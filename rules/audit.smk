# Verifies every part against the working tree, and makes tables, verdicts and numbers again to compare them.
rule audit:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART_FILES],
        CLAIMS,
        [str(path) for experiment in SHOWN for path in Path("experiments", experiment).glob("*.py")],
        TABLES.values(),
        THEORY,
        rules.claims.output,
        rules.numbers.output,
        SHOWING,
    output:
        f"{RECORD}/audit.txt",
    log:
        f"{RECORD}/logs/audit.log",
    conda:
        ENVIRONMENT
    params:
        record=NAME,
        code=[code_hash(experiment) for experiment in SHOWN],
    shell:
        # What it finds is written down and ends no workflow; only an error does, which writes nothing.
        "python -m fgan audit --record {params.record} --without-pdf --log {log} > {output} || [ -s {output} ]"
