# The core library, in as many variants as the build needs. A kernel target is one translation unit,
# compiled once for each instruction set.
set(PLX_FLAGS_scalar "")
# A loop that crosses a line of the cache of decoded instructions takes up to a third longer on Zen 4.
set(plx_x86 -falign-loops=32)
set(PLX_FLAGS_sse2 -msse2 ${plx_x86})
set(PLX_FLAGS_avx128 -mavx ${plx_x86})
set(PLX_FLAGS_avx2 -mavx2 -mfma ${plx_x86})
set(PLX_FLAGS_avx512 ${plx_x86} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
set(PLX_FLAGS_neon128 "")
set(PLX_FLAGS_neon "")
# Kernels specify their own unrolling and vectors; more of either makes modules larger but no faster.
set(plx_wasm -fno-lto -fno-unroll-loops -fno-vectorize -fno-slp-vectorize -O2 -fno-inline-functions)
set(PLX_FLAGS_wasm128 -msimd128 ${plx_wasm})
set(PLX_FLAGS_wasmrelaxed -msimd128 -mrelaxed-simd ${plx_wasm})

file(GLOB PLX_CORE_SOURCES CONFIGURE_DEPENDS
    src/base/*.c src/kernels/*.c src/blocks/*.c src/ops/*.c src/graph/*.c src/plan/*.c src/nn/*.c
    src/models/*.c src/learn/*.c src/onnx/*.c src/io/*.c)
# The bodies that kernels_target.c includes, and kernels_target.c itself, which plx_core compiles per target.
list(FILTER PLX_CORE_SOURCES EXCLUDE REGEX "(\\.inc|/kernels_target)\\.c$")

# plx_core(NAME TARGETS isa... [DEFINES ...] [OPTIONS ...]): adds the static library NAME with these
# kernel targets, whose objects NAME_KERNELS lists; users inherit DEFINES.
function(plx_core name)
    cmake_parse_arguments(core "" "" "TARGETS;DEFINES;OPTIONS" ${ARGN})
    set(objects "")
    if(EXISTS ${CMAKE_SOURCE_DIR}/src/kernels/kernels_target.c)
        foreach(isa ${core_TARGETS})
            add_library(${name}_${isa} OBJECT ${CMAKE_SOURCE_DIR}/src/kernels/kernels_target.c)
            target_include_directories(${name}_${isa} PRIVATE ${CMAKE_SOURCE_DIR}/src)
            target_compile_definitions(${name}_${isa} PRIVATE PLX_TARGET=${isa} ${core_DEFINES})
            # Vectors wider than a register change how functions are called, but all functions that
            # take them are inlined.
            target_compile_options(${name}_${isa} PRIVATE ${core_OPTIONS} ${PLX_FLAGS_${isa}} -Wno-psabi)
            list(APPEND objects $<TARGET_OBJECTS:${name}_${isa}>)
        endforeach()
    endif()
    set(${name}_KERNELS ${objects} PARENT_SCOPE)
    add_library(${name} STATIC ${PLX_CORE_SOURCES} ${objects})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
    target_compile_definitions(${name} PUBLIC ${core_DEFINES})
    target_compile_options(${name} PRIVATE ${core_OPTIONS})
    foreach(isa ${core_TARGETS})
        string(TOUPPER ${isa} upper)
        # Only for kernels.c: the list of targets that are linked.
        set_property(TARGET ${name} APPEND PROPERTY COMPILE_DEFINITIONS PLX_HAVE_${upper})
    endforeach()
endfunction()

# plx_bench(NAME CORE [OPTIONS ...]): adds the learning tasks with their data, NAME_tasks, on top of a
# core, and the suites, NAME, on top of those.
file(GLOB PLX_TASK_SOURCES CONFIGURE_DEPENDS bench/tasks.c bench/datasets.c bench/tasks/*.c)
file(GLOB PLX_BENCH_SOURCES CONFIGURE_DEPENDS bench/*.c bench/suites/*.c)
list(REMOVE_ITEM PLX_BENCH_SOURCES ${PLX_TASK_SOURCES})
function(plx_bench name core)
    add_library(${name}_tasks STATIC ${PLX_TASK_SOURCES})
    target_compile_options(${name}_tasks PRIVATE ${ARGN})
    target_link_libraries(${name}_tasks PUBLIC ${core})
    add_library(${name} STATIC ${PLX_BENCH_SOURCES})
    target_compile_options(${name} PRIVATE ${ARGN})
    target_include_directories(${name} PRIVATE ${PLX_GENERATED})
    add_dependencies(${name} parallax_build_info)
    target_link_libraries(${name} PUBLIC ${name}_tasks)
endfunction()
