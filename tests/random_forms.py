"""What random programs are made of: forms of expressions with holes, and the names that are in scope."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

FLOATS, VECTORS, MATRICES = "abcdest", "uvwz", "AB"
SAFE = ("{m}.sin({0})", "{m}.cos({0})", "{m}.tanh({0})", "{m}.exp(-{0} * {0})", "{m}.sqrt(1.5 + {0} * {0})",
        "{m}.log(1.2 + {0} * {0})", "{0} / (1.0 + {0} * {0})", "-{0}", "{0} ** 2", "(1.3 + {0} * {0}) ** 0.7",
        "2.0 ** (0.5 * {0})", "0.7 * {0}", "{0} ** 3 * 0.2", "1.0 / (1.1 + {0} ** 2)")
PAIRS = ("{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} * {1}", "{0} / (1.4 + {1} * {1})", "0.5 * {0} - {1}")
SQUASHED = ("{m}.sin({0})", "{m}.tanh({0})", "{0} / (1.0 + {0} * {0})", "0.4 * {0}")
REDUCED = ("np.sum({0})", "np.mean({0})", "{0} @ {1}", "np.dot({0}, {1})", "np.sum({0} * {1})", "{0}.sum()",
           "np.max({0})", "np.sum({0}[1:] * {1}[:-1])", "np.sum({0}[::2])", "np.prod({0})",
           "np.sum({0}[[0, 2, 0]] * {1})", "np.sum({0}[{0} > 0.2])", "np.sum({0}[::-1] * {1})",
           "np.sum(np.outer({0}, {1}))", "min({0}[0], {1}[2])")
FROM_VECTORS = ("{0}[::-1] * {1}", "np.where({0} > {1}, {0}, 0.5 * {1})", "np.maximum({0}, {1})",
                "{0}[[2, 0, 0]] + {1}", "np.cumsum({0}) * 0.5", "np.concatenate([{0}[1:], {1}[:1]])",
                "np.abs({0}) + {1}", "np.roll({0}, 1) * {1}", "({0} > 0.1) * {1}")
FROM_MATRICES = ("{0} @ {2} * 0.5", "{0}.T @ {2} * 0.3", "np.sum({0}, axis=0)", "{0}[1] * {2}", "{0}[:, 0] - {2}",
                 "np.sum({0} * {1}, axis=1)", "{0}[:, 1] * {1}[2]", "{0}.max(axis=1)", "{2} @ {0}", "np.diag({0})")
OF_MATRICES = ("{0} @ {1} * 0.4", "{0}.T * {1}", "{0} * {2}", "{0} + {1}", "np.outer({2}, {2}) + {0}",
               "{0}[::-1] - {1}", "np.sin({0}) * {2}", "{0} * {2}[:, None]", "np.tanh({0} @ {1})")


@dataclass
class Scope:
    """What is defined here: names by kind, integers that are good as indices, helpers that may be called."""

    floats: list[str] = field(default_factory=list)
    vectors: list[str] = field(default_factory=list)
    matrices: list[str] = field(default_factory=list)
    indices: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)  # expressions: floats within containers
    sequences: list[str] = field(default_factory=list)  # tuples and lists of three floats
    loops: int = 0
    depth: int = 0
    exits: bool = False

    def inner(self, **changes: object) -> Scope:
        """A copy for a block inside."""
        lists = {k: list(v) for k, v in vars(self).items() if isinstance(v, list)}
        return replace(self, **lists, **changes)
