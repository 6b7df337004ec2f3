# Makes build_info.h, which says what a result was measured with. The commit is looked up at each
# build; the file is rewritten only if it changed. Run as a script (-DOUTPUT=...), writes the file.
if(CMAKE_SCRIPT_MODE_FILE)
    execute_process(COMMAND git -C "${SOURCE}" rev-parse --short=12 HEAD
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    # Rows of results, written by the first of several measurements, are no change of what is measured.
    execute_process(COMMAND git -C "${SOURCE}" status --porcelain --untracked-files=no -- . :!bench/results
        OUTPUT_VARIABLE changes ERROR_QUIET)
    if(NOT commit)
        set(commit "unknown")
    elseif(changes)
        string(APPEND commit "-changed")
    endif()
    file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT
"/* Written by the build. */
#define PLX_BUILD_COMMIT \"${commit}\"
#define PLX_BUILD_COMPILER \"${COMPILER}\"
")
    return()
endif()

set(PLX_GENERATED "${CMAKE_BINARY_DIR}/generated")
if(EMSCRIPTEN)
    set(plx_compiler "emcc ${EMSCRIPTEN_VERSION}")
else()
    string(TOLOWER "${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}" plx_compiler)
endif()
add_custom_target(parallax_build_info
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUTPUT=${PLX_GENERATED}/build_info.h
        "-DCOMPILER=${plx_compiler}" -P ${CMAKE_CURRENT_LIST_FILE}
    BYPRODUCTS ${PLX_GENERATED}/build_info.h
    COMMENT "" VERBATIM)
