# What `cmake --install` installs: for C programs the public headers, the static and the shared library,
# and the files by which pkg-config and CMake find them; and the command with its man page.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(PLX_PUBLIC_HEADERS src/parallax.h src/parallax_files.h src/parallax_nn.h src/parallax_learn.h src/parallax_onnx.h native/parallax_native.h)
set(PLX_LIBRARY_OBJECTS ${parallax_core_KERNELS})
foreach(part parallax_core parallax_platform parallax_native)
    list(APPEND PLX_LIBRARY_OBJECTS $<TARGET_OBJECTS:${part}>)
endforeach()

add_library(parallax_archive STATIC ${PLX_LIBRARY_OBJECTS})
add_library(parallax_shared SHARED ${PLX_LIBRARY_OBJECTS})
set_target_properties(parallax_archive PROPERTIES EXPORT_NAME static)
# Until 1.0 a different minor version means a different interface.
set_target_properties(parallax_shared PROPERTIES EXPORT_NAME shared
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
foreach(library parallax_archive parallax_shared)
    set_target_properties(${library} PROPERTIES OUTPUT_NAME parallax LINKER_LANGUAGE C)
    target_include_directories(${library} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(parallax_archive INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_libraries(parallax_shared PRIVATE Threads::Threads ${CMAKE_DL_LIBS} m)
if(NOT APPLE)
    target_link_options(parallax_shared PRIVATE LINKER:-z,defs)
endif()

install(TARGETS parallax_archive parallax_shared EXPORT parallax-targets)
install(FILES ${PLX_PUBLIC_HEADERS} src/parallax.def DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# What plx_step.op and its attributes may be, for those who run plans elsewhere.
install(FILES src/ops/ops.def src/ops/attrs.def DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(plx_packages ${CMAKE_INSTALL_LIBDIR}/cmake/parallax)
install(EXPORT parallax-targets NAMESPACE parallax:: DESTINATION ${plx_packages})
configure_package_config_file(scripts/cmake/parallax-config.cmake.in
    ${CMAKE_BINARY_DIR}/parallax-config.cmake INSTALL_DESTINATION ${plx_packages})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/parallax-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/parallax-config.cmake
    ${CMAKE_BINARY_DIR}/parallax-config-version.cmake DESTINATION ${plx_packages})

# Paths relative to the file itself, so that the tree can be moved, and --prefix given when installing.
file(RELATIVE_PATH PLX_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" PLX_UP "${PLX_UP}")
set(PLX_STATIC_LIBS "-lm")
foreach(library ${CMAKE_DL_LIBS})
    string(APPEND PLX_STATIC_LIBS " -l${library}")
endforeach()
foreach(package parallax parallax-static)
    configure_file(scripts/cmake/${package}.pc.in ${CMAKE_BINARY_DIR}/${package}.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/${package}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

if(TARGET parallax)
    add_custom_command(TARGET parallax POST_BUILD
        COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:parallax>"
            "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}" "-DVERSION=${PROJECT_VERSION}"
            "-DOUTPUT=${CMAKE_BINARY_DIR}/parallax.1" -P ${CMAKE_SOURCE_DIR}/scripts/cmake/man_page.cmake
        BYPRODUCTS ${CMAKE_BINARY_DIR}/parallax.1 VERBATIM)
    install(TARGETS parallax)
    install(FILES ${CMAKE_BINARY_DIR}/parallax.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
