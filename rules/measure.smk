# Joins the shards of an experiment into its part of the record and adds reference samplers and exact optima.
rule gather:
    input:
        shards,
        data=data_set,
        design="experiments/{experiment}/experiment.yaml",
    output:
        [f"{RECORD}/{{experiment}}/{name}" for name in PART_FILES],
        f"{RECORD}/{{experiment}}/checksums.txt",
    log:
        f"{RECORD}/logs/gather/{{experiment}}.log",
    priority: 1
    conda:
        "../environment.yml"
    params:
        code=code,
        record=NAME,
        device=DEVICE,
        options=options("seeds", "max_steps"),
    shell:
        "python -m fgan gather --record {params.record} --experiment {wildcards.experiment} --device {params.device} {params.options}"
        " --log {log}"
