from common import bracket


def metric(old):
    new = {"first steps": "single precision", "first steps, double": "double precision"}
    name, rule = bracket(old)
    return (name, new[rule]) if name == "difference of F" else (name, rule)
