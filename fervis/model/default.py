"""The default network: seven convolutions on 48×48 gray, close to what the homework builds."""

from __future__ import annotations

from torch import Tensor, nn


def _conv(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


class ExpressionNet(nn.Module):
    """Seven convolutions, global average pooling and one linear layer; 1.42 M parameters.

    ``conv1`` and ``conv2`` keep the full resolution with 64 filters each, as in the homework, so
    that their filters and outputs can be looked at. Input (N, 1, 48, 48) normalised; output
    (N, classes) logits. Any input of at least 8×8 works, because the head averages over space.
    """

    def __init__(self, classes: int = 7, dropout: float = 0.3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_conv(1, 64),
            *_conv(64, 64),
            nn.MaxPool2d(2),
            *_conv(64, 96),
            nn.MaxPool2d(2),
            *_conv(96, 160),
            *_conv(160, 160),
            nn.MaxPool2d(2),
            *_conv(160, 256),
            *_conv(256, 256),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(256, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes) of normalised images (N, 1, H, W)."""
        logits: Tensor = self.head(self.features(images))
        return logits
