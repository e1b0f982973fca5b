# Trains and measures one shard (some seeds of one arm, all divergences and objectives), from its checkpoint if any.
rule train:
    input:
        data=data_set,
    output:
        measurements=f"{RECORD}/{{experiment}}/shards/{{shard}}/measurements.parquet",
        samples=f"{RECORD}/{{experiment}}/shards/{{shard}}/samples.npz",
        card=f"{RECORD}/{{experiment}}/shards/{{shard}}/card.json",
    log:
        f"{RECORD}/logs/train/{{experiment}}/{{shard}}.log",
    priority: 1  # the longest chain (train, gather, claims, numbers, PDF) goes first; figures fill the free cores
    conda:
        "../environment.yml"
    resources:
        gpu=1 if DEVICE == "cuda" else 0,
    params:
        code=code,
        settings=settings,
        record=NAME,
        device=DEVICE,
        options=options("max_steps"),
    shell:
        "python -m fgan train --record {params.record} --experiment {wildcards.experiment} --shard {wildcards.shard}"
        " --device {params.device} {params.options} --log {log}"


# Finds a data set by checksum in the local folder or downloads it, once; training itself never downloads.
rule fetch:
    output:
        touch("results/.data/{data_set}"),
    log:
        "results/.data/{data_set}.log",
    conda:
        "../environment.yml"
    shell:
        "python -m fgan fetch {wildcards.data_set} --log {log}"
