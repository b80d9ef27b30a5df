"""Whatever is wrong, in the file or with what it names, is said in one go."""

import pytest

from fervis import pipeline
from fervis.errors import ReportError
from tests.project import REPORT, write_project


def test_faults_of_the_file_the_data_and_the_network_are_told_together(tmp_path):
    faulty = REPORT.replace("    points: 1.5", "    pionts: 1.5")
    faulty = faulty.replace("  1: 14", "  1: 99")
    faulty = faulty.replace("layer: conv2.relu", "layer: conv7.relu")
    file = write_project(tmp_path, faulty)
    with pytest.raises(ReportError) as caught:
        pipeline.build(file)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "images[1]",
        "questions[1].pionts",
        "questions[3].answer[0].gradcam.layer",
    ]
    assert "did you mean points" in lines[1]
    assert "did you mean conv3.relu" in lines[2] or "did you mean conv" in lines[2]
    assert all(line.startswith("report.yaml:") for line in lines)


def test_a_part_whose_options_are_wrong_is_not_asked_about_its_layer(tmp_path):
    faulty = REPORT.replace("{layer: conv2.relu,", "{layer: conv2.relu, colour: 3,")
    file = write_project(tmp_path, faulty)
    with pytest.raises(ReportError) as caught:
        pipeline.build(file)
    assert len(caught.value.complaints) == 1
