# The C tests. A test program lists its groups with --list and runs one by name; each group becomes a
# CTest test, discovered after the program is built.
file(GLOB PLX_TEST_SOURCES CONFIGURE_DEPENDS
    tests/*.c tests/unit/*.c tests/kernels/*.c tests/ops/*.c tests/bench/*.c)
# Golden vectors are JSON, read with the command's JSON library; builds without it lack that group.
if(CJSON_LIBRARY)
    file(GLOB PLX_GOLDEN_SOURCES CONFIGURE_DEPENDS tests/golden/*.c)
    list(APPEND PLX_TEST_SOURCES ${PLX_GOLDEN_SOURCES})
    # Paths only for those who read them: ccache shares what is the same in every checkout.
    set_source_files_properties(${PLX_GOLDEN_SOURCES} PROPERTIES COMPILE_DEFINITIONS
        "PLX_GOLDEN_FILE=\"${CMAKE_SOURCE_DIR}/tests/golden/ops.json\";\
PLX_GOLDEN_GPT2=\"${CMAKE_SOURCE_DIR}/tests/golden/gpt2.json\";\
PLX_GOLDEN_HYPERCAUSAL=\"${CMAKE_SOURCE_DIR}/tests/golden/hypercausal.json\"")
endif()

# Readers of files, and damaged examples for them.
if(NOT EMSCRIPTEN)
    list(APPEND PLX_TEST_SOURCES tests/fuzz/readers.c tests/fuzz/mutations.c)
    set_source_files_properties(tests/fuzz/mutations.c PROPERTIES COMPILE_DEFINITIONS
        "PLX_FUZZ_CORPUS=\"${CMAKE_SOURCE_DIR}/tests/fuzz/corpus\"")
endif()

function(plx_tests name)
    if(NOT PLX_TEST_SOURCES)
        return()
    endif()
    add_executable(${name} ${PLX_TEST_SOURCES})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE=)
    target_compile_options(${name} PRIVATE ${PLX_TEST_OPTIONS})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${PLX_GENERATED})
    target_link_libraries(${name} PRIVATE ${ARGN} m)
    if(CJSON_LIBRARY)
        target_compile_definitions(${name} PRIVATE PLX_HAVE_GOLDEN)
        target_include_directories(${name} PRIVATE ${CJSON_INCLUDE})
        target_link_libraries(${name} PRIVATE ${CJSON_LIBRARY})
    endif()
    target_link_options(${name} PRIVATE ${PLX_TEST_LINK})
    add_dependencies(${name} parallax_build_info)
    if(EMSCRIPTEN)
        # Emscripten's loader for Node is CommonJS, but package.json declares .js files to be modules.
        set_target_properties(${name} PROPERTIES SUFFIX .cjs)
    endif()
    set(list "${CMAKE_BINARY_DIR}/${name}.ctest.cmake")
    add_custom_command(TARGET ${name} POST_BUILD
        COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:${name}>" "-DNAME=${name}"
            "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}" "-DOUTPUT=${list}"
            "-DSOURCE=${CMAKE_SOURCE_DIR}" -P ${CMAKE_SOURCE_DIR}/scripts/cmake/discover_tests.cmake
        BYPRODUCTS ${list} VERBATIM)
    # A build that failed before linking the program must not look like one without tests.
    file(WRITE "${CMAKE_BINARY_DIR}/${name}.include.cmake"
"if(EXISTS \"${list}\")
    include(\"${list}\")
else()
    add_test(${name}:not-built not-built)
endif()
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES
        "${CMAKE_BINARY_DIR}/${name}.include.cmake")
endfunction()

plx_tests(plx_tests parallax_bench parallax_native)
if(TARGET parallax_core_f64)
    plx_tests(plx_tests_f64 parallax_bench_f64 parallax_core_f64 parallax_platform)
endif()

# Assertions print and abort, and sanitizers call their runtime, so only the plain release build is
# held to the promises about symbols.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT PLX_SANITIZE AND NOT EMSCRIPTEN)
    add_test(NAME symbols:library COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DKIND=library
        "-DFILES=$<TARGET_FILE:parallax_core>" -P ${CMAKE_SOURCE_DIR}/scripts/cmake/check_symbols.cmake)
    list(TRANSFORM PLX_PUBLIC_HEADERS PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE headers)
    add_test(NAME symbols:exports COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} "-DHEADERS=${headers}"
        "-DLIBRARY=$<TARGET_FILE:parallax_shared>" "-DARCHIVE=$<TARGET_FILE:parallax_archive>"
        -P ${CMAKE_SOURCE_DIR}/scripts/cmake/check_exports.cmake)
    foreach(isa ${PLX_TARGETS})
        if(TARGET parallax_core_${isa})
            add_test(NAME symbols:kernels-${isa} COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DKIND=kernels
                "-DFILES=$<TARGET_OBJECTS:parallax_core_${isa}>"
                -P ${CMAKE_SOURCE_DIR}/scripts/cmake/check_symbols.cmake)
        endif()
    endforeach()
endif()

# One program for each reader, which searches for input that crashes it; its examples are a folder of
# tests/fuzz/corpus.
if(PLX_SANITIZE MATCHES "fuzzer")
    add_custom_target(plx_fuzz)
    file(GLOB corpora LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/*)
    foreach(corpus ${corpora})
        cmake_path(GET corpus FILENAME reader)
        add_executable(plx_fuzz_${reader} tests/fuzz/fuzz_reader.c tests/fuzz/readers.c)
        target_compile_definitions(plx_fuzz_${reader} PRIVATE "PLX_READER=\"${reader}\"")
        target_include_directories(plx_fuzz_${reader} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
        target_link_libraries(plx_fuzz_${reader} PRIVATE parallax_core parallax_native m)
        target_link_options(plx_fuzz_${reader} PRIVATE -fsanitize=fuzzer)
        add_dependencies(plx_fuzz plx_fuzz_${reader})
    endforeach()
endif()
