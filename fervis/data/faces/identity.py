"""People who do not exist: what makes one face differ from the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fervis.data.faces import assets
from fervis.data.faces.assets import Floats

AGE_GROUPS = ("child", "young adult", "middle-aged", "older")
GENDERS = ("female", "male")
SKIN_TONES = ("light", "medium", "dark")
HAIR_STYLES = ("short", "crop", "curly", "bald", "tied", "long", "bob")

# feature → (shapes for a negative weight, shapes for a positive one); "?" stands for both sides
FEATURES: Mapping[str, tuple[str, str]] = {
    "head width": ("head/head-scale-horiz-decr", "head/head-scale-horiz-incr"),
    "head height": ("head/head-scale-vert-decr", "head/head-scale-vert-incr"),
    "oval": ("", "head/head-oval"),
    "round": ("", "head/head-round"),
    "square": ("", "head/head-square"),
    "rectangular": ("", "head/head-rectangular"),
    "triangle": ("head/head-triangular", "head/head-invertedtriangular"),
    "fat": ("head/head-fat-decr", "head/head-fat-incr"),
    "forehead depth": ("forehead/forehead-trans-backward", "forehead/forehead-trans-forward"),
    "forehead height": ("forehead/forehead-scale-vert-decr", "forehead/forehead-scale-vert-incr"),
    "brow height": ("eyebrows/eyebrows-trans-down", "eyebrows/eyebrows-trans-up"),
    "brow angle": ("eyebrows/eyebrows-angle-down", "eyebrows/eyebrows-angle-up"),
    "nose width": ("nose/nose-scale-horiz-decr", "nose/nose-scale-horiz-incr"),
    "nose depth": ("nose/nose-scale-depth-decr", "nose/nose-scale-depth-incr"),
    "nose height": ("nose/nose-scale-vert-decr", "nose/nose-scale-vert-incr"),
    "nose tip": ("nose/nose-point-down", "nose/nose-point-up"),
    "nose hump": ("nose/nose-hump-decr", "nose/nose-hump-incr"),
    "nose volume": ("nose/nose-volume-decr", "nose/nose-volume-incr"),
    "nose curve": ("nose/nose-curve-concave", "nose/nose-curve-convex"),
    "mouth width": ("mouth/mouth-scale-horiz-decr", "mouth/mouth-scale-horiz-incr"),
    "upper lip": ("mouth/mouth-upperlip-height-decr", "mouth/mouth-upperlip-height-incr"),
    "lower lip": ("mouth/mouth-lowerlip-height-decr", "mouth/mouth-lowerlip-height-incr"),
    "mouth place": ("mouth/mouth-trans-down", "mouth/mouth-trans-up"),
    "chin width": ("chin/chin-width-decr", "chin/chin-width-incr"),
    "chin height": ("chin/chin-height-decr", "chin/chin-height-incr"),
    "chin depth": ("chin/chin-prominent-decr", "chin/chin-prominent-incr"),
    "chin bones": ("chin/chin-bones-decr", "chin/chin-bones-incr"),
    "cheekbones": ("cheek/?-cheek-bones-decr", "cheek/?-cheek-bones-incr"),
    "cheek volume": ("cheek/?-cheek-volume-decr", "cheek/?-cheek-volume-incr"),
    "eye size": ("eyes/?-eye-scale-decr", "eyes/?-eye-scale-incr"),
    "eye distance": ("eyes/?-eye-trans-in", "eyes/?-eye-trans-out"),
    "eye place": ("eyes/?-eye-trans-down", "eyes/?-eye-trans-up"),
    "eye corner": ("eyes/?-eye-corner1-down", "eyes/?-eye-corner1-up"),
    "eye bag": ("eyes/?-eye-bag-decr", "eyes/?-eye-bag-incr"),
    "eye opening": ("eyes/?-eye-height2-decr", "eyes/?-eye-height2-incr"),
    "ear size": ("ears/?-ear-scale-decr", "ears/?-ear-scale-incr"),
    "ear wing": ("ears/?-ear-wing-decr", "ears/?-ear-wing-incr"),
}
HEAD_OUTLINES = ("oval", "round", "square", "rectangular")


@dataclass(frozen=True)
class Identity:
    """One invented person. Shares are 0 … 1, tones are albedo (0 black … 1 white)."""

    seed: int
    female: float
    child: float
    old: float
    ancestry: tuple[
        float, float, float
    ]  # shares of the assets' caucasian, asian and african shapes
    weight: float  # -1 thin … 1 heavy
    features: Mapping[str, float]
    skin: float
    hair: str
    hair_tone: float
    hairline: float
    fringe: float
    iris: float
    brow_width: float
    brow_dark: float
    beard: float
    moustache: float
    lips: float
    lashes: float
    clothes: float

    @property
    def gender(self) -> str:
        """One of GENDERS, as rendered."""
        return "female" if self.female > 0.5 else "male"

    @property
    def age_group(self) -> str:
        """One of AGE_GROUPS, as rendered."""
        if self.child > 0:
            return "child"
        return "young adult" if self.old < 0.2 else "middle-aged" if self.old < 0.55 else "older"

    @property
    def skin_tone(self) -> str:
        """One of SKIN_TONES, by albedo."""
        return "dark" if self.skin < 0.34 else "medium" if self.skin < 0.53 else "light"


def invent(rng: np.random.Generator) -> Identity:
    """Draw one person; children are never bald, beards are men's, grey hair comes with age."""
    seed = int(rng.integers(1 << 30))
    woman = bool(rng.random() < 0.5)
    mix = float(rng.uniform(0.78, 1.0))
    stage = rng.choice(4, p=[0.14, 0.42, 0.2, 0.24])
    child = float(rng.uniform(0.25, 0.5)) if stage == 0 else 0.0
    years = (0.0, rng.uniform(0, 0.15), rng.uniform(0.22, 0.5), rng.uniform(0.6, 0.95))
    old = float(years[int(stage)])
    ancestry = rng.dirichlet([0.55, 0.55, 0.55])
    features = {name: float(np.clip(rng.normal(0, 0.24), -0.5, 0.5)) for name in FEATURES}
    for name in HEAD_OUTLINES:
        features[name] = max(0.0, features[name]) * 0.8
    features["brow height"] = min(0.6, features["brow height"] + 0.15)
    features["brow angle"] *= 0.45
    for name in ("upper lip", "lower lip"):  # thin lips would part over the teeth
        features[name] = max(-0.15, features[name])
    features["eye size"] = float(np.clip(features["eye size"] * 0.7 + 0.18, -0.15, 0.45))
    tan = 0.10 * ancestry[1] * rng.random() + 0.44 * ancestry[2]
    skin = float(np.clip(0.67 - tan + rng.normal(0, 0.045), 0.2, 0.74))
    tones = [0.05, 0.08, 0.14, 0.26, 0.42]
    hair_tone = float(rng.choice(tones, p=[0.34, 0.28, 0.18, 0.12, 0.08]))
    if ancestry[1] + ancestry[2] > 0.6:
        hair_tone = min(hair_tone, 0.08)
    if stage == 3:
        hair_tone = float(rng.choice([0.3, 0.45, 0.6]))
    elif stage == 2 and rng.random() < 0.3:
        hair_tone = max(hair_tone, 0.22)
    if woman:
        styles = ["long", "bob", "tied", "short", "curly"]
        hair = str(rng.choice(styles, p=[0.34, 0.22, 0.24, 0.12, 0.08]))
    elif stage == 0:
        hair = str(rng.choice(["short", "crop", "curly"], p=[0.6, 0.2, 0.2]))
    else:
        bald = (0.0, 0.04, 0.15, 0.3)[int(stage)]
        styles = ["short", "crop", "curly", "bald"]
        hair = str(rng.choice(styles, p=[0.62 - bald, 0.26, 0.12, bald]))
    if ancestry[2] > 0.6 and hair == "short":
        hair = str(rng.choice(["crop", "curly"]))
    shaven = woman or stage == 0
    beard = 0.0 if shaven else float(rng.choice([0, 0.12, 0.3, 0.75], p=[0.5, 0.22, 0.14, 0.14]))
    moustache = 0.0 if shaven else float(rng.choice([0, 0.7], p=[0.85, 0.15]))
    return Identity(
        seed=seed,
        female=mix if woman else 1 - mix,
        child=child,
        old=old,
        ancestry=(float(ancestry[0]), float(ancestry[1]), float(ancestry[2])),
        weight=float(np.clip(rng.normal(0, 0.35), -0.8, 0.8)),
        features=features,
        skin=skin,
        hair=hair,
        hair_tone=hair_tone,
        hairline=float(rng.normal(0.02, 0.05) + (0.06 * old if not woman else 0)),
        fringe=float(rng.random() < (0.35 if woman or stage == 0 else 0.2))
        if hair in ("short", "long", "bob")
        else 0.0,
        iris=float(rng.uniform(0.04, 0.17)) * (0.45 if ancestry[1] + ancestry[2] > 0.55 else 1),
        brow_width=float(rng.uniform(0.8, 1.15))
        * (0.75 if woman else 1.0)
        * (0.85 if stage == 0 else 1.0),
        brow_dark=float(rng.uniform(0.72, 0.92) if woman else rng.uniform(0.8, 0.97)),
        beard=beard,
        moustache=max(moustache, beard * 0.9 if beard > 0.2 else beard),
        lips=float(rng.uniform(0.64, 0.84)) - (0.1 if woman and stage else 0.0),
        lashes=(0.9 if woman else 0.5) * float(rng.uniform(0.8, 1.0)),
        clothes=float(rng.choice([0.06, 0.15, 0.3, 0.5, 0.8])),
    )


def shape(person: Identity) -> Floats:
    """The person's neutral head, vertices (V, 3)."""
    pack = assets.load()
    vertices = pack.rest.copy()
    ages = {"child": person.child, "young": 1 - person.child - person.old, "old": person.old}
    weights = {"min": max(0.0, -person.weight), "max": max(0.0, person.weight)}
    weights["average"] = 1 - sum(weights.values())
    for gender, by_gender in (("female", person.female), ("male", 1 - person.female)):
        for age, by_age in ages.items():
            share = by_gender * by_age
            if share < 0.01:
                continue
            for name, part in zip(("caucasian", "asian", "african"), person.ancestry, strict=True):
                pack.apply(vertices, f"macro/{name}-{gender}-{age}", share * part)
            for name, part in weights.items():
                pack.apply(vertices, f"macro/{gender}-{age}-{name}weight", share * part)
    for feature, weight in person.features.items():
        name = FEATURES[feature][weight > 0]
        for one in (name.replace("?", "l"), name.replace("?", "r")) if "?" in name else (name,):
            if one:
                pack.apply(vertices, one, abs(weight))
    return vertices
