# Picks the compiler before project() looks for one: clang 19 made the fastest kernels of those
# measured. CC, -DCMAKE_C_COMPILER and a toolchain file take precedence.
if(NOT CMAKE_C_COMPILER AND NOT CMAKE_TOOLCHAIN_FILE AND NOT DEFINED ENV{CC} AND NOT APPLE)
    find_program(PLX_CLANG NAMES clang-19 clang-24 clang-23 clang-22 clang-21 clang-20 clang-18
        clang-17)
    if(PLX_CLANG)
        set(CMAKE_C_COMPILER "${PLX_CLANG}")
    endif()
endif()

# Uses ccache if it is installed; another launcher takes precedence.
if(NOT DEFINED CMAKE_C_COMPILER_LAUNCHER AND NOT DEFINED ENV{CMAKE_C_COMPILER_LAUNCHER})
    find_program(PLX_CCACHE ccache)
    if(PLX_CCACHE)
        set(CMAKE_C_COMPILER_LAUNCHER "${PLX_CCACHE}")
    endif()
endif()
