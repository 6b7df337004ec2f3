#!/usr/bin/env bash
# ml_dtypes 0.6.0: converting float64 to bfloat16 goes through float32 and rounds twice. A number just above the
# middle of two bfloat16 values goes down to the even one, where the nearest is above. NumPy's float16
# rounds once.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0

cat >run.py <<'END'
import ml_dtypes
import numpy as np

for dtype, half in ((ml_dtypes.bfloat16, 2**-8), (np.float16, 2**-11)):
    x = np.array([1 + half + 2**-40], np.float64)
    print(np.dtype(dtype).name, float(x.astype(dtype)[0]), "nearest", 1 + 2 * half)
END

seen=$(venv/bin/python -W ignore run.py)
expected='bfloat16 1.0 nearest 1.0078125
float16 1.0009765625 nearest 1.0009765625'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
