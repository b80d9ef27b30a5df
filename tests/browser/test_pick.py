"""The page on which indices are chosen: every picture, filtered by class and by right or wrong."""

import numpy as np
import pytest

from fervis.data.dataset import Dataset
from fervis.render import template_folders
from fervis.render.pick import write_pick_page
from fervis.text import Text

CLASSES = (Text({"en": "round", "zh-Hant": "圓"}), Text({"en": "<b>flat</b>", "zh-Hant": "平"}))


@pytest.fixture
def page(browser, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 24, 24, 1), np.uint8)
    dataset = Dataset(images, np.array([0, 0, 0, 1, 1, 1]), CLASSES, "test", "", False)
    right = np.array([0.9, 0.8, 0.3, 0.7, 0.4, 0.6], np.float32)  # two of six are wrong
    values = np.stack([np.r_[right[:3], 1 - right[3:]], np.r_[1 - right[:3], right[3:]]], 1)
    write_pick_page(dataset, values, tmp_path / "pick.html", language="en",
                    templates=template_folders())  # fmt: skip
    tab = browser.new_page()
    tab.complaints = []
    tab.on("console", lambda message: tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.goto((tmp_path / "pick.html").as_uri())
    yield tab
    tab.close()


def shown(tab):
    return [int(item.inner_text()) for item in tab.query_selector_all("li:not([hidden]) b")]


def test_every_picture_is_there_with_its_index(page):
    assert shown(page) == list(range(6))
    assert page.inner_text("#count") == "6"
    assert not page.complaints


def test_filters_join(page):
    page.select_option("#right", "wrong")
    assert shown(page) == [2, 4]
    page.select_option("#class", "1")
    assert shown(page) == [4]
    page.select_option("#right", "")
    page.select_option("#predicted", "0")
    assert shown(page) == [4]
    assert page.inner_text("#count") == "1"


def test_a_class_name_is_text_whatever_it_says(page):
    assert "<b>flat</b>" in page.inner_text("li:nth-child(4)")
