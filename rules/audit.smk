# Verifies checksums, code and claims of every part against the working tree.
rule audit:
    input:
        [f"{RECORD}/{experiment}/{name}" for experiment in SHOWN for name in PART_FILES],
        [f"experiments/{experiment}/claims.yaml" for experiment in SHOWN],
        [ancient(path) for experiment in SHOWN for path in science_files(experiment)],
        SHOWING,
    output:
        f"{RECORD}/audit.txt",
    log:
        f"{RECORD}/logs/audit.log",
    conda:
        "../environment.yml"
    params:
        record=NAME,
    shell:
        "python -m fgan audit --record {params.record} --log {log} > {output}"
