# Verifies checksums, code and claims of every part against the working tree.
rule audit:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART_FILES],
        [f"experiments/{experiment}/claims.yaml" for experiment in SHOWN],
        SHOWING,
    output:
        f"{RECORD}/audit.txt",
    log:
        f"{RECORD}/logs/audit.log",
    conda:
        "../environment.yml"
    params:
        record=NAME,
        code=[code_hash(experiment) for experiment in SHOWN],
    shell:
        "python -m fgan audit --record {params.record} --log {log} > {output}"
