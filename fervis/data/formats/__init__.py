"""One file per kind of data set; its name is the ``kind:`` in report.yaml."""
