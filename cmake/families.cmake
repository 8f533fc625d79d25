# Each src/convert/families/<name>_metadata.textproto becomes the bytes of an LlmMetadata, as a
# list of numbers that <name>.cc includes: families/<name>_metadata.inc.

file(GLOB textprotos CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/convert/families/*.textproto)
set(families_dir ${PROJECT_BINARY_DIR}/generated/families)
file(MAKE_DIRECTORY ${families_dir})

foreach(textproto IN LISTS textprotos)
  get_filename_component(name ${textproto} NAME_WE)
  add_custom_command(
    OUTPUT ${families_dir}/${name}.inc
    COMMAND ${CMAKE_COMMAND} -DPROTOC=$<TARGET_FILE:protobuf::protoc>
            -DSCHEMA_DIR=${PROJECT_SOURCE_DIR} -DINPUT=${textproto}
            -DOUTPUT=${families_dir}/${name}.inc -P ${PROJECT_SOURCE_DIR}/cmake/encode_metadata.cmake
    DEPENDS ${textproto} ${PROJECT_SOURCE_DIR}/schema/llm_metadata.proto
            ${PROJECT_SOURCE_DIR}/cmake/encode_metadata.cmake
    VERBATIM)
  target_sources(litertlm_convert PRIVATE ${families_dir}/${name}.inc)
endforeach()
