# The WebAssembly side: one engine module per tier, each with its own core, since a single opcode that a
# browser lacks keeps it from loading the module.

# Only the C library is linked: Debian's package lacks the others in prebuilt form.
add_link_options(-sAUTO_NATIVE_LIBRARIES=0 -sDEFAULT_TO_CXX=0)

# Link flags for every engine. No Embind, no eval, no file system: the modules run under a strict
# content security policy.
set(PLX_ENGINE_LINK
    -sMODULARIZE=1 -sEXPORT_ES6=1 -sENVIRONMENT=worker -sFILESYSTEM=0 -sDYNAMIC_EXECUTION=0
    -sSTACK_SIZE=1MB -sMALLOC=emmalloc -sASSERTIONS=0 -sABORTING_MALLOC=0
    -sINCOMING_MODULE_JS_API=[instantiateWasm,wasmMemory] --no-entry
    -Wl,-mllvm,--inline-threshold=-100)
set(PLX_ENGINE_LINK_SINGLE
    -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=2GB -sEXPORTED_RUNTIME_METHODS=wasmMemory)
# The package brings a memory whose initial size is its maximum, so in practice it never grows. Its
# src/threads.ts adds workers to PThread while the first calls run.
set(PLX_ENGINE_LINK_THREADS
    -pthread -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=2GB -sIMPORTED_MEMORY=1
    -sDEFAULT_PTHREAD_STACK_SIZE=256KB
    -sEXPORTED_RUNTIME_METHODS=[wasmMemory,PThread] -sPTHREAD_POOL_SIZE_STRICT=2
    -Wno-pthreads-mem-growth)

# Emscripten's macros for JavaScript in C expand to stray semicolons and dollar signs.
set(PLX_EM_JS_OPTIONS -Wno-extra-semi -Wno-dollar-in-identifier-extension)

file(GLOB PLX_WASM_SOURCES CONFIGURE_DEPENDS wasm/*.c)
# Exports that only the engines of parallax-nn/bench have: tasks and suites.
set(PLX_WASM_BENCH_SOURCES ${PLX_WASM_SOURCES})
list(FILTER PLX_WASM_BENCH_SOURCES INCLUDE REGEX "exports_(bench|learning|profile|timing)\\.c$")
list(REMOVE_ITEM PLX_WASM_SOURCES ${PLX_WASM_BENCH_SOURCES})
file(GLOB PLX_PLATFORM_SOURCES CONFIGURE_DEPENDS wasm/platform_*.c)

# Kernels are compiled for speed, their callers for size, and code that runs once for size at any cost.
set_source_files_properties(src/blocks/gemm.c src/blocks/attention_tiles.c src/base/thread_pool.c
    src/io/csv.c src/io/idx.c src/io/safetensors.c src/io/safetensors_write.c src/io/utf8.c src/nn/weight_file.c
    PROPERTIES COMPILE_OPTIONS -Oz)
file(GLOB PLX_SMALLEST_SOURCES CONFIGURE_DEPENDS
    src/base/*.c src/blocks/*.c src/ops/*.c src/graph/*.c src/plan/*.c src/nn/*.c src/models/*.c src/learn/*.c
    src/io/*.c
    bench/*.c bench/suites/*.c bench/tasks/*.c wasm/*.c)
list(FILTER PLX_SMALLEST_SOURCES EXCLUDE REGEX "thread_pool|blocks/gemm|attention_tiles")
set_source_files_properties(${PLX_SMALLEST_SOURCES} PROPERTIES COMPILE_OPTIONS "-Oz;-mllvm;--inline-threshold=-100")

# Everything the package needs, without the tests.
add_custom_target(engines)

# A module is put in the order in which it compresses best.
find_program(PLX_NODE node REQUIRED)
execute_process(COMMAND ${EMSCRIPTEN_ROOT_PATH}/em-config BINARYEN_ROOT
    OUTPUT_VARIABLE plx_binaryen OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

# plx_engine_files(NAME LIMIT LIBRARY SOURCES): adds NAME.mjs and NAME.wasm, which must stay below LIMIT bytes.
function(plx_engine_files name limit library)
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES SUFFIX .mjs)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE=)
    target_compile_options(${name} PRIVATE ${engine_OPTIONS} ${PLX_EM_JS_OPTIONS})
    target_include_directories(${name} PRIVATE ${PLX_GENERATED})
    target_link_libraries(${name} PRIVATE ${library})
    target_link_options(${name} PRIVATE -Oz ${PLX_ENGINE_LINK} ${engine_LINK})
    add_dependencies(${name} parallax_build_info)
    add_dependencies(engines ${name})
    set(order ${CMAKE_SOURCE_DIR}/scripts/order_functions.mjs)
    add_custom_command(TARGET ${name} POST_BUILD VERBATIM
        COMMAND ${PLX_NODE} ${order} ${plx_binaryen}/bin/wasm-opt ${name}.wasm)
    set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${order})
    add_test(NAME size:${name} COMMAND ${CMAKE_COMMAND}
        -DFILE=${CMAKE_BINARY_DIR}/${name}.wasm -DLIMIT=${limit}
        -P ${CMAKE_SOURCE_DIR}/scripts/cmake/check_size.cmake)
endfunction()

file(GLOB PLX_OPS_SOURCES CONFIGURE_DEPENDS src/ops/*.c)
# What else tells gradients from other operations.
set(PLX_UNTRAINED_SOURCES src/plan/fuse.c src/plan/keep_slopes.c src/plan/keep_sums.c src/blocks/conv_methods.c
    src/blocks/conv_winograd.c)

# plx_engine_part(NAME CORE SOURCES DEFINES ...): adds objects that replace some of a core's own.
function(plx_engine_part name core sources)
    cmake_parse_arguments(part "" "" "DEFINES;OPTIONS" ${ARGN})
    add_library(${name} OBJECT ${sources})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE= ${part_DEFINES})
    target_compile_options(${name} PRIVATE ${engine_OPTIONS} ${PLX_EM_JS_OPTIONS} ${part_OPTIONS})
    target_link_libraries(${name} PRIVATE ${core})
endfunction()

# plx_engine(TIER TARGET isa OPTIONS ... LINK ...): adds engine-TIER, engine-inference-TIER and
# engine-bench-TIER, made from one core. The linker leaves out what nothing refers to; what only the
# rows of operations refer to is left out by compiling those rows without it.
function(plx_engine tier)
    cmake_parse_arguments(engine "" "TARGET" "OPTIONS;LINK" ${ARGN})
    set(core core-${tier})
    plx_core(${core} TARGETS ${engine_TARGET} DEFINES PLX_ENGINE OPTIONS ${engine_OPTIONS})
    plx_bench(bench-${tier} ${core} ${engine_OPTIONS})
    # A field that only says whether something exists is set from its address.
    set(without DEFINES PLX_WITHOUT_SAMPLES OPTIONS -Wno-pointer-bool-conversion)
    set(untrained DEFINES PLX_WITHOUT_SAMPLES PLX_INFERENCE
        OPTIONS -Wno-pointer-bool-conversion -Wno-unused-function -Wno-unused-variable)
    plx_engine_part(exports-${tier} ${core} "${PLX_WASM_SOURCES}")
    plx_engine_part(ops-${tier} ${core} "${PLX_OPS_SOURCES}" ${without})
    plx_engine_part(inference-exports-${tier} ${core} "${PLX_WASM_SOURCES}" ${untrained})
    plx_engine_part(inference-ops-${tier} ${core} "${PLX_OPS_SOURCES};${PLX_UNTRAINED_SOURCES}" ${untrained})
    plx_engine_part(inference-kernels-${tier} ${core} src/kernels/kernels_target.c
        DEFINES PLX_INFERENCE PLX_TARGET=${engine_TARGET}
        OPTIONS ${PLX_FLAGS_${engine_TARGET}} -Wno-psabi -Wno-unused-function)
    plx_engine_files(engine-${tier} 407000 ${core}
        $<TARGET_OBJECTS:exports-${tier}> $<TARGET_OBJECTS:ops-${tier}>)
    plx_engine_files(engine-inference-${tier} 304000 ${core}
        $<TARGET_OBJECTS:inference-exports-${tier}> $<TARGET_OBJECTS:inference-ops-${tier}>
        $<TARGET_OBJECTS:inference-kernels-${tier}>)
    plx_engine_files(engine-bench-${tier} 588000 bench-${tier}
        $<TARGET_OBJECTS:exports-${tier}> ${PLX_WASM_BENCH_SOURCES})
endfunction()

# Engines with SIMD also have these features, which make modules smaller. So does optimizing the files of
# a module together, except for kernels (PLX_FLAGS_wasm128), whose code is to stay as it is.
set(PLX_ENGINE_OPTIONS -msimd128 -mnontrapping-fptoint -mbulk-memory -flto)

# One kernel target each: a second would add a quarter to the size, and a reproducible run uses another
# tier instead.
plx_engine(simd TARGET wasm128
    OPTIONS ${PLX_ENGINE_OPTIONS} LINK ${PLX_ENGINE_LINK_SINGLE})
plx_engine(simd-threads TARGET wasm128
    OPTIONS ${PLX_ENGINE_OPTIONS} -pthread LINK ${PLX_ENGINE_LINK_THREADS})
plx_engine(relaxed-threads TARGET wasmrelaxed
    OPTIONS ${PLX_ENGINE_OPTIONS} -pthread LINK ${PLX_ENGINE_LINK_THREADS})

# What the C tests link for Node: with threads and without relaxed SIMD, which Node 20 lacks.
set(PLX_TEST_OPTIONS ${PLX_ENGINE_OPTIONS} -fno-lto -pthread)
set(PLX_TEST_LINK -pthread -O2 -sENVIRONMENT=node -sEXIT_RUNTIME=1 -sPROXY_TO_PTHREAD=1
    -sPTHREAD_POOL_SIZE=8 -sNODERAWFS=1 -sSTACK_SIZE=1MB -sINITIAL_MEMORY=512MB)
plx_core(parallax_core TARGETS scalar wasm128 OPTIONS ${PLX_TEST_OPTIONS})
plx_bench(parallax_bench parallax_core ${PLX_TEST_OPTIONS})
if(PLX_PLATFORM_SOURCES)
    add_library(parallax_platform STATIC ${PLX_PLATFORM_SOURCES})
    target_compile_definitions(parallax_platform PRIVATE _GNU_SOURCE=)
    target_compile_options(parallax_platform PRIVATE ${PLX_TEST_OPTIONS} ${PLX_EM_JS_OPTIONS})
    target_include_directories(parallax_platform PUBLIC ${CMAKE_SOURCE_DIR}/src)
else()
    add_library(parallax_platform INTERFACE)
endif()
add_library(parallax_native INTERFACE)
target_link_libraries(parallax_native INTERFACE parallax_core parallax_platform)
