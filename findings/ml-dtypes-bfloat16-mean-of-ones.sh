#!/usr/bin/env bash
# ml_dtypes 0.6.0 with NumPy 2.4.6: the mean of 1,000 ones in bfloat16 is 0.2559, as the sum stops growing at
# 256. NumPy adds float16 in pairs and in single precision, so that its mean of 1,000 ones is 1; for an added
# dtype it adds one after the other in that dtype.
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
    ones = np.ones(1000, dtype)
    print(np.dtype(dtype).name, float(ones.sum()), float(ones.mean()))
END

seen=$(venv/bin/python -W ignore run.py)
expected='bfloat16 256.0 0.255859375
float16 1000.0 1.0'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
