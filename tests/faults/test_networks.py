"""A network that fails for one picture costs the blocks of that picture and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from fervis import pipeline
from tests.faults.conftest import edit, files

BAD = {
    "NaN": "out = out + torch.where(bad, float('nan'), 0.0)[:, None]",
    "infinity": "out = out + torch.where(bad, float('inf'), 0.0)[:, None]",
    "wrong shape": "out = out[:, :2] if bad.any() else out",
    "raises": "if bad.any():\n            raise RuntimeError('cannot stand it')",
}


@pytest.mark.parametrize("how", BAD)
def test_a_picture_that_the_network_cannot_stand(project, how):
    code = project.parent / "hw3.py"
    edit(code, "from torch import nn\n", "import torch\nfrom torch import nn\n")
    edit(
        code,
        "        return self.head(self.features(x))",
        "        bad = ((x[:, 0, :4, :4] - 0.6).abs().flatten(1).amax(1) < 1e-4).detach()\n"
        f"        out = self.head(self.features(x))\n        {BAD[how]}\n        return out",
    )
    with np.load(project.parent / "pictures.npz") as stored:
        images, labels = stored["test_images"].copy(), stored["test_labels"]
    images[14, :4, :4] = 153
    np.savez(project.parent / "pictures.npz", test_images=images, test_labels=labels)
    before = files(project.parent / "site")
    outcome = pipeline.build(project, pdf=False)
    assert not outcome.published
    failed = {failure.split(":")[0] for failure in outcome.failures}
    assert failed >= {"saliency of picture 1", "gradcam of picture 1"}, outcome.failures
    assert not [failure for failure in failed if "picture 0" in failure or "picture 2" in failure]
    assert {"saliency of picture 0", "gradcam of picture 2"} <= set(outcome.computed)
    assert files(project.parent / "site") == before
    assert pipeline.build(project, pdf=False, keep_going=True).published
