"""A figure comes back from the store as it went in, its numbers as files."""

import io

import numpy as np

from fervis.draw.figure import ColourBar, Fact, Figure, Panel, Table
from fervis.engine.figures import from_entry, to_entry
from fervis.engine.store import Store
from fervis.text import Text, message


def test_a_figure_survives_the_store(tmp_path):
    figure = Figure(
        panels=(
            Panel(
                "map",
                "map",
                message("Map of {name}", name=Text({"en": "a", "zh-Hant": "難過"})),
                message("Strongest at row {row}", row=np.int64(3)),
                48,
                48,
                png=b"\x89PNG\x00",
                colour_bar=ColourBar(0.0, 0.25, "jet"),
                variants={"viridis": b"\x01\x02"},
            ),
        ),
        caption=message("nested {inner}", inner=message("{value:.2f}", value=0.5)),
        facts=(Fact(message("Layer"), "conv2.relu"),),
        tables=(Table(message("Table"), ("class", Text.same("p")), (("angry", 0.25, None),)),),
        remarks=(message("No positive evidence."),),
        data={"map": np.arange(4, dtype=np.float32).reshape(2, 2)},
    )
    store = Store(tmp_path)
    store.put("ab" * 20, to_entry(figure))
    entry = Store(tmp_path).get("ab" * 20)
    assert entry is not None
    again = from_entry(entry)
    table, arrays = again.numbers
    assert (table.kind, table.content) == ("CSV", b"0,1\r\n2,3\r\n")
    with np.load(io.BytesIO(arrays.content)) as stored:
        assert np.array_equal(stored["map"], figure.data["map"])
    assert again.panels == figure.panels
    assert (again.caption, again.facts, again.tables, again.remarks) == (
        figure.caption,
        figure.facts,
        figure.tables,
        figure.remarks,
    )
