"""``model:`` in report.yaml: which network, its weights, and what it wants as input."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_SIDE = 2048
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
"""Pixels; every picture of a split is brought to this size, so that a slip must not fill a disk."""

Output = Literal["logits", "probabilities", "log_probabilities"]


class ModelOptions(BaseModel):
    """The user's network with its preprocessing; paths are relative to report.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    kind: Literal["default"] | None = Field(
        None, description="`default`: the network that comes with fervis"
    )
    factory: str | None = Field(
        None, description="`path/to/file.py:Name` or `package.module:Name`, called to build it"
    )
    args: dict[str, Any] = Field(
        default_factory=dict, description="keyword arguments of the factory"
    )
    weights: Path | None = Field(
        None, description="a state dict: .pt, .pth (read with weights_only) or .safetensors"
    )
    scale: float = Field(255.0, gt=0, description="pixels are divided by this first")
    mean: float | list[float] = Field(0.0, description="subtracted then, per channel or for all")
    std: float | list[float] = Field(1.0, description="divided by last, per channel or for all")
    size: Side | tuple[Side, Side] = Field(48, description="height and width of the input")
    channels: Literal[1, 3] = Field(1, description="a gray picture is repeated for 3")
    preprocess: str | None = Field(
        None, description="`file.py:function` (N,H,W,C) uint8 array to a (N,C,H,W) float tensor"
    )
    output: Output | None = Field(
        None, description="what the network returns; guessed and checked where not given"
    )

    @model_validator(mode="after")
    def _one_network(self) -> Self:
        if self.kind and self.factory:
            raise ValueError("kind and factory name two networks; keep one of them")
        if self.kind or self.factory:
            return self
        lacking = "weights without their network" if self.weights else "no network named"
        raise ValueError(
            f"{lacking}; expected `kind: default` for the one that comes with fervis, or "
            "`factory: path/to/file.py:Name` for one of your own"
        )

    @property
    def height_width(self) -> tuple[int, int]:
        """Height and width of the input in pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size
