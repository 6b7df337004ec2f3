# The native side: platform, CPU detection, CBLAS provider, and the parallax command.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    set(PLX_TARGETS scalar sse2 avx128 avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(PLX_TARGETS scalar neon128 neon)
else()
    set(PLX_TARGETS scalar)
endif()

find_package(Threads REQUIRED)

# The library's objects are used by programs of this build, the archive and the shared library alike.
# A shared library exports only what public headers declare, and its symbols cannot be interposed.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
add_compile_options(-fno-semantic-interposition)

plx_core(parallax_core TARGETS ${PLX_TARGETS})
# The same sources in double precision, against which gradients and kernels are tested.
plx_core(parallax_core_f64 TARGETS scalar DEFINES PLX_REAL=double)

# platform_*.c and cpu*.c implement base/platform.h and know no element type, so that both cores can
# be linked with them; the rest of native/ is for the float core.
file(GLOB PLX_PLATFORM_SOURCES CONFIGURE_DEPENDS native/platform_*.c native/cpu*.c)
file(GLOB PLX_NATIVE_SOURCES CONFIGURE_DEPENDS native/*.c)
list(REMOVE_ITEM PLX_NATIVE_SOURCES ${PLX_PLATFORM_SOURCES})

function(plx_native_library name)
    cmake_parse_arguments(native "" "" "SOURCES;LINK" ${ARGN})
    if(native_SOURCES)
        add_library(${name} STATIC ${native_SOURCES})
        target_compile_definitions(${name} PRIVATE _GNU_SOURCE=)
        target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
        target_link_libraries(${name} PUBLIC ${native_LINK} Threads::Threads ${CMAKE_DL_LIBS} m)
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${native_LINK})
    endif()
endfunction()

plx_native_library(parallax_platform SOURCES ${PLX_PLATFORM_SOURCES})
plx_native_library(parallax_native SOURCES ${PLX_NATIVE_SOURCES} LINK parallax_core parallax_platform)
plx_bench(parallax_bench parallax_core)
plx_bench(parallax_bench_f64 parallax_core_f64)

file(GLOB PLX_COMMAND_SOURCES CONFIGURE_DEPENDS native/cli/*.c)
if(PLX_COMMAND AND PLX_COMMAND_SOURCES)
    # plx_find(VARIABLE LIBRARY HEADER APT BREW)
    function(plx_find variable library header apt brew)
        find_library(${variable}_LIBRARY ${library})
        find_path(${variable}_INCLUDE ${header})
        if(NOT ${variable}_LIBRARY OR NOT ${variable}_INCLUDE)
            message(FATAL_ERROR
                "The parallax command needs ${library}: install ${apt} (apt) or ${brew} (brew), or run scripts/setup.")
        endif()
    endfunction()
    plx_find(POPT popt popt.h libpopt-dev popt)
    plx_find(CJSON cjson cjson/cJSON.h libcjson-dev cjson)
    plx_find(ZLIB z zlib.h zlib1g-dev zlib)
    add_executable(parallax ${PLX_COMMAND_SOURCES})
    target_compile_definitions(parallax PRIVATE _GNU_SOURCE=)
    target_include_directories(parallax PRIVATE ${PLX_GENERATED}
        ${POPT_INCLUDE} ${CJSON_INCLUDE} ${ZLIB_INCLUDE})
    target_link_libraries(parallax PRIVATE parallax_bench parallax_native
        ${POPT_LIBRARY} ${CJSON_LIBRARY} ${ZLIB_LIBRARY} m)
    add_dependencies(parallax parallax_build_info)
    include(scripts/cmake/onnx.cmake)
    if(TARGET parallax_onnx)
        target_link_libraries(parallax PRIVATE parallax_onnx)
    endif()
endif()

# Builds with sanitizers are not installed.
if(NOT PLX_SANITIZE)
    include(scripts/cmake/library.cmake)
endif()

# The program that scripts/peers measures beside other libraries.
add_executable(parallax_peer EXCLUDE_FROM_ALL bench/peers/native.c bench/peers/operation.c)
target_link_libraries(parallax_peer PRIVATE parallax_bench parallax_native)
