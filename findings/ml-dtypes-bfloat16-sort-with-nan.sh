#!/usr/bin/env bash
# ml_dtypes 0.6.0 with NumPy 2.4.6: an array of bfloat16 that holds NaN is not sorted: numbers before and after
# NaN stay out of order. For float16, NumPy sorts the numbers and puts NaN last.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0

cat >run.py <<'END'
import ml_dtypes
import numpy as np

for dtype in (ml_dtypes.bfloat16, np.float16):
    x = np.array([3, np.nan, 1, 2], dtype)
    print(np.dtype(dtype).name, np.sort(x).astype(np.float32))
END

seen=$(venv/bin/python -W ignore run.py)
expected='bfloat16 [ 3. nan  1.  2.]
float16 [ 1.  2.  3. nan]'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
