# Trains and measures one shard (some seeds of one arm, all divergences and objectives), from its checkpoint if any.
for experiment in DESIGNS:

    rule:
        name:
            f"train_{experiment}"
        input:
            data=data_set(experiment),
        output:
            # Kept when the job starts: a shard that is complete by its card is not trained again.
            [update(f"{RECORD}/{experiment}/shards/{{shard}}/{name}") for name in SHARD_FILES],
        log:
            f"{RECORD}/logs/train/{experiment}/{{shard}}.log",
        priority: PRIORITY[experiment]
        conda:
            ENVIRONMENT
        resources:
            gpu=1 if DEVICE == "cuda" else 0,
            mem_mb=partial(requested, experiment, 0),
            runtime=partial(requested, experiment, 1),
        params:
            code=code_hash(experiment),
            settings=partial(settings, experiment),
            record=NAME,
            experiment=experiment,
            device=DEVICE,
            options=options("max_steps"),
        shell:
            "python -m fgan train --record {params.record} --experiment {params.experiment} --shard {wildcards.shard}"
            " --device {params.device} {params.options} --log {log}"


# Finds a data set by checksum in the local folder or downloads it, once; training itself never downloads.
rule fetch:
    output:
        touch("results/.data/{data_set}"),
    log:
        "results/.data/{data_set}.log",
    conda:
        ENVIRONMENT
    shell:
        "python -m fgan fetch {wildcards.data_set} --log {log}"
