# Joins the shards of an experiment into its part of the record and adds ceilings, floors and exact optima.
rule gather:
    input:
        SCIENCE,
        shards,
        run="experiments/{experiment}/run.py",
        design="experiments/{experiment}/experiment.yaml",
    output:
        [f"{RECORD}/{{experiment}}/{name}" for name in PART],
        f"{RECORD}/{{experiment}}/checksums.txt",
    params:
        options=options("seeds", "max_steps", "data"),
    log:
        f"{RECORD}/logs/gather/{{experiment}}.log",
    conda:
        "../environment.yml"
    shell:
        "python -m fgan gather --record {NAME} --experiment {wildcards.experiment} --device {DEVICE} {params.options}"
        " > {log} 2>&1"
