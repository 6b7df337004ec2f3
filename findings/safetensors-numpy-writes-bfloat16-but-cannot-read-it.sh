#!/usr/bin/env bash
# safetensors 0.8.0 with ml_dtypes 0.6.0: safetensors.numpy saves an array of bfloat16 as BF16, and its own load of
# these bytes fails with a KeyError.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0 safetensors==0.8.0

cat >run.py <<'END'
import ml_dtypes
import numpy as np
from safetensors import numpy as safetensors

data = safetensors.save({"a": np.array([1.5], ml_dtypes.bfloat16)})
print("saved", b"BF16" in data)
try:
    print("loaded", safetensors.load(data))
except KeyError as error:
    print("KeyError", *error.args)
END

seen=$(venv/bin/python -W ignore run.py)
expected='saved True
KeyError BF16'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
