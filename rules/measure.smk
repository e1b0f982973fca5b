# Joins the shards of an experiment into its part of the record and adds reference samplers and exact optima.
for experiment in DESIGNS:

    rule:
        name:
            f"gather_{experiment}"
        input:
            shards(experiment),
            data=data_set(experiment),
            design=f"experiments/{experiment}/experiment.yaml",
        output:
            [f"{RECORD}/{experiment}/{name}" for name in PART_FILES],
            f"{RECORD}/{experiment}/checksums.txt",
        log:
            f"{RECORD}/logs/gather/{experiment}.log",
        priority: PRIORITY[experiment]
        conda:
            ENVIRONMENT
        params:
            code=code_hash(experiment),
            record=NAME,
            experiment=experiment,
            device=DEVICE,
            options=options("seeds", "max_steps"),
        shell:
            "python -m fgan gather --record {params.record} --experiment {params.experiment} --device {params.device}"
            " {params.options} --log {log}"
