#!/usr/bin/env bash
# NumPy 2.4.6 with ml_dtypes 0.6.0: np.save of bfloat16 (or int4) writes the dtype <V2 (<V1), raw bytes; np.load gives
# an array of void without an error. The reader must know the dtype and use view().
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0

cat >run.py <<'END'
import io

import ml_dtypes
import numpy as np

for dtype in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.int4):
    file = io.BytesIO()
    np.save(file, np.array([1, 2], dtype))
    file.seek(0)
    back = np.load(file)
    print(np.dtype(dtype).name, back.dtype, back.view(dtype).astype(np.float32))
END

seen=$(venv/bin/python -W ignore run.py)
expected='bfloat16 |V2 [1. 2.]
float8_e4m3fn |V1 [1. 2.]
int4 |V1 [1. 2.]'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
