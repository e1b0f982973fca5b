# f-GAN and mode collapse, replicated. The bare `snakemake --cores all` is the full replication;
# `--config record=quick` makes a laptop's record in minutes. Functions are in rules/common.smk.


include: "rules/common.smk"


localrules:
    everything,
    figures,
    tables,
    paper,


# The measurements, figures, tables, claims and both PDFs of one record.
rule everything:
    default_target: True
    input:
        [f"{RECORD}/{name}" for name in ("paper.pdf", "supplement.pdf", "explorer.html")],
        f"{RECORD}/audit.txt",
        FIGURES.values(),


# All figures.
rule figures:
    input:
        FIGURES.values(),


# All tables, including the verdicts on the claims.
rule tables:
    input:
        TABLES.values(),
        f"{RECORD}/tables/claims.tex",


# The paper and its supplement.
rule paper:
    input:
        [f"{RECORD}/paper.pdf", f"{RECORD}/supplement.pdf"],


# A record that is only shown has no training rule in its graph, so no file time of a clone can start a training.
if TRAINED:

    include: "rules/train.smk"
    include: "rules/measure.smk"


include: "rules/show.smk"
include: "rules/paper.smk"
include: "rules/audit.smk"
include: "rules/share.smk"
include: "rules/start.smk"
