"""Published figures on the same rows, for the report, in 0..1."""

from typing import Final

#: Pairs of system and figure, by benchmark and metric.
PUBLISHED: Final[dict[tuple[str, str], tuple[tuple[str, float], ...]]] = {
    # Hu et al., ACL 2024 (PLOVER relation classification), tables of the paper.
    ("PLV test", "binary_f1"): (("ConfliBERT", 0.984), ("ZSP", 0.964), ("GPT-4", 0.934)),
    ("PLV test", "quad_f1"): (("ConfliBERT", 0.963), ("ZSP", 0.896), ("GPT-4", 0.767)),
    ("PLV test", "root_f1"): (("ConfliBERT", 0.867), ("ZSP", 0.824), ("GPT-4", 0.615)),
    # Park et al., ACL Findings 2021 (directed sentiment), roberta-base with consistency.
    ("DSE test", "micro_f1"): (("RoBERTa + consistency", 0.852),),
    ("DSE test", "macro_f1"): (("RoBERTa + consistency", 0.725),),
    # Hamborg and Donnay, EACL 2021.
    ("NewsMTSC test-mt", "f1m"): (("GRU-TSC", 0.825),),
    ("NewsMTSC test-rw", "f1m"): (("GRU-TSC", 0.831),),
}
