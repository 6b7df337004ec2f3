set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
find_program(PLX_QEMU NAMES qemu-aarch64 qemu-aarch64-static)
set(CMAKE_CROSSCOMPILING_EMULATOR ${PLX_QEMU} -L /usr/aarch64-linux-gnu)
# GCC 12 hits an internal error when it vectorises a reduction by fmax. Kernels use vectors anyway.
set(CMAKE_C_FLAGS_INIT -fno-tree-vectorize)
