# The reader of ONNX files, parallax_onnx: protobuf-c decodes them by code that its compiler makes from
# native/onnx/onnx.proto. Without the library the command is built without `parallax run`.
find_library(PROTOBUFC_LIBRARY protobuf-c)
find_path(PROTOBUFC_INCLUDE protobuf-c/protobuf-c.h)
# Newer versions have no program of their own, but a plug-in for protoc.
find_program(PROTOC_C protoc-c)
find_program(PROTOC protoc)
find_program(PROTOC_GEN_C protoc-gen-c)
if(NOT PROTOBUFC_LIBRARY OR NOT PROTOBUFC_INCLUDE OR NOT (PROTOC_C OR (PROTOC AND PROTOC_GEN_C)))
    message(STATUS "parallax run is left out: it needs protobuf-c. Install libprotobuf-c-dev and "
        "protobuf-c-compiler (apt) or protobuf-c (brew), or run scripts/setup.")
    return()
endif()
if(PROTOC_C)
    set(plx_protoc ${PROTOC_C})
else()
    set(plx_protoc ${PROTOC} --plugin=protoc-gen-c=${PROTOC_GEN_C})
endif()
set(plx_wire ${PLX_GENERATED}/onnx.pb-c.c)
add_custom_command(OUTPUT ${plx_wire} ${PLX_GENERATED}/onnx.pb-c.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PLX_GENERATED}
    COMMAND ${plx_protoc} --c_out=${PLX_GENERATED} --proto_path=${CMAKE_SOURCE_DIR}/native/onnx onnx.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/native/onnx/onnx.proto VERBATIM)
# The analyzer reads the header without a build of the rest.
add_custom_target(parallax_onnx_wire DEPENDS ${plx_wire})
add_dependencies(parallax_build_info parallax_onnx_wire)
add_library(parallax_onnx STATIC native/onnx/onnx_file.c ${plx_wire})
set_source_files_properties(${plx_wire} PROPERTIES COMPILE_OPTIONS -w)
target_compile_definitions(parallax_onnx PRIVATE _GNU_SOURCE= INTERFACE PLX_HAVE_ONNX)
target_include_directories(parallax_onnx SYSTEM PRIVATE ${PLX_GENERATED} ${PROTOBUFC_INCLUDE})
target_link_libraries(parallax_onnx PUBLIC parallax_core ${PROTOBUFC_LIBRARY})
