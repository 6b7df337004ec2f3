# The WebAssembly side: one engine module per tier, each with a core of its own, since one opcode that
# a browser lacks stops it from loading the whole module.

# Nothing but the C library is linked: Debian's package lacks the others, prebuilt.
add_link_options(-sAUTO_NATIVE_LIBRARIES=0 -sDEFAULT_TO_CXX=0)

# Link flags of every engine. No Embind, no eval, no file system: the modules run under a strict
# content security policy.
set(PLX_ENGINE_LINK
    -sMODULARIZE=1 -sEXPORT_ES6=1 -sENVIRONMENT=worker -sFILESYSTEM=0 -sDYNAMIC_EXECUTION=0
    -sSTACK_SIZE=1MB -sMALLOC=emmalloc -sASSERTIONS=0 -sABORTING_MALLOC=0
    -sINCOMING_MODULE_JS_API=[instantiateWasm,wasmMemory] -sEXPORTED_RUNTIME_METHODS=wasmMemory
    --no-entry)
set(PLX_ENGINE_LINK_SINGLE -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=2GB)
# The package brings a memory whose initial size is its maximum, so in practice it never grows.
set(PLX_ENGINE_LINK_THREADS
    -pthread -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=2GB -sIMPORTED_MEMORY=1
    -sDEFAULT_PTHREAD_STACK_SIZE=256KB
    -sPTHREAD_POOL_SIZE=Module.plxWorkers -sPTHREAD_POOL_SIZE_STRICT=2 -Wno-pthreads-mem-growth)
# Every engine must stay below this; compressed, as it is served, that is 250 kB.
set(PLX_ENGINE_BYTES 550000)

# Emscripten's macros for JavaScript in C leave stray semicolons and dollar signs behind.
set(PLX_EM_JS_OPTIONS -Wno-extra-semi -Wno-dollar-in-identifier-extension)

file(GLOB PLX_WASM_SOURCES CONFIGURE_DEPENDS wasm/*.c)
file(GLOB PLX_PLATFORM_SOURCES CONFIGURE_DEPENDS wasm/platform_*.c)

# Kernels are compiled for speed; what calls them, for size; what runs once, for size at any price.
set_source_files_properties(src/blocks/gemm.c src/blocks/attention_tiles.c src/base/thread_pool.c PROPERTIES COMPILE_OPTIONS -Oz)
file(GLOB PLX_SMALLEST_SOURCES CONFIGURE_DEPENDS
    src/base/*.c src/blocks/*.c src/ops/*.c src/graph/*.c src/plan/*.c src/nn/*.c src/models/*.c src/learn/*.c
    src/io/*.c
    bench/*.c bench/suites/*.c bench/tasks/*.c wasm/*.c)
list(FILTER PLX_SMALLEST_SOURCES EXCLUDE REGEX "thread_pool|blocks/gemm|attention_tiles")
set_source_files_properties(${PLX_SMALLEST_SOURCES} PROPERTIES COMPILE_OPTIONS "-Oz;-mllvm;--inline-threshold=-100")

# What the package needs, without the tests.
add_custom_target(engines)

# plx_engine(TIER TARGETS isa... OPTIONS ... LINK ...): engine-TIER.mjs and engine-TIER.wasm.
function(plx_engine tier)
    cmake_parse_arguments(engine "" "" "TARGETS;OPTIONS;LINK" ${ARGN})
    plx_core(core-${tier} TARGETS ${engine_TARGETS} DEFINES PLX_ENGINE OPTIONS ${engine_OPTIONS})
    plx_bench(bench-${tier} core-${tier} ${engine_OPTIONS})
    if(PLX_WASM_SOURCES)
        add_executable(engine-${tier} ${PLX_WASM_SOURCES})
        set_target_properties(engine-${tier} PROPERTIES SUFFIX .mjs)
        target_compile_definitions(engine-${tier} PRIVATE _GNU_SOURCE=)
        target_compile_options(engine-${tier} PRIVATE ${engine_OPTIONS} ${PLX_EM_JS_OPTIONS})
        target_include_directories(engine-${tier} PRIVATE ${PLX_GENERATED})
        target_link_libraries(engine-${tier} PRIVATE bench-${tier} core-${tier})
        target_link_options(engine-${tier} PRIVATE -Oz ${PLX_ENGINE_LINK} ${engine_LINK})
        add_dependencies(engine-${tier} parallax_build_info)
        add_dependencies(engines engine-${tier})
        add_test(NAME size:engine-${tier} COMMAND ${CMAKE_COMMAND}
            -DFILE=${CMAKE_BINARY_DIR}/engine-${tier}.wasm -DLIMIT=${PLX_ENGINE_BYTES}
            -P ${CMAKE_SOURCE_DIR}/scripts/cmake/check_size.cmake)
    endif()
endfunction()

# Engines that have SIMD have these, too; they make modules smaller.
set(PLX_ENGINE_OPTIONS -msimd128 -mnontrapping-fptoint -mbulk-memory)

# One kernel target in each: a second would cost a quarter of the size, and a reproducible run takes
# another tier instead.
plx_engine(simd TARGETS wasm128
    OPTIONS ${PLX_ENGINE_OPTIONS} LINK ${PLX_ENGINE_LINK_SINGLE})
plx_engine(simd-threads TARGETS wasm128
    OPTIONS ${PLX_ENGINE_OPTIONS} -pthread LINK ${PLX_ENGINE_LINK_THREADS})
plx_engine(relaxed-threads TARGETS wasmrelaxed
    OPTIONS ${PLX_ENGINE_OPTIONS} -pthread LINK ${PLX_ENGINE_LINK_THREADS})

# What the C tests link, under Node: with threads and without relaxed SIMD, which Node 20 lacks.
set(PLX_TEST_OPTIONS ${PLX_ENGINE_OPTIONS} -pthread)
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
