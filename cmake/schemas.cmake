# Generated readers and writers for the byte formats described in schema/.

set(generated ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated}/schema)
find_program(FLATC flatc REQUIRED)

foreach(schema tflite litertlm_header)
  add_custom_command(
    OUTPUT ${generated}/schema/${schema}_generated.h
    COMMAND ${FLATC} --cpp --scoped-enums --gen-object-api --gen-mutable -o ${generated}/schema
            ${PROJECT_SOURCE_DIR}/schema/${schema}.fbs
    DEPENDS ${PROJECT_SOURCE_DIR}/schema/${schema}.fbs
    VERBATIM)
  list(APPEND generated_headers ${generated}/schema/${schema}_generated.h)
endforeach()

foreach(schema llm_metadata llm_parameters)
  add_custom_command(
    OUTPUT ${generated}/schema/${schema}.pb.cc ${generated}/schema/${schema}.pb.h
    COMMAND protobuf::protoc --cpp_out=lite:${generated} -I ${PROJECT_SOURCE_DIR}
            schema/${schema}.proto
    DEPENDS ${PROJECT_SOURCE_DIR}/schema/${schema}.proto
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    VERBATIM)
  list(APPEND generated_sources ${generated}/schema/${schema}.pb.cc)
endforeach()

# The made sources, and the headers for whoever links litertlm_schemas. SYSTEM: warnings in made
# code are not ours to mend.
add_library(litertlm_schema_objects OBJECT ${generated_sources} ${generated_headers})
target_include_directories(litertlm_schema_objects SYSTEM PRIVATE ${generated})
target_link_libraries(litertlm_schema_objects PRIVATE protobuf::libprotobuf-lite)

add_library(litertlm_schemas INTERFACE)
target_include_directories(litertlm_schemas SYSTEM INTERFACE ${generated})
# FlexBuffers can parse numbers from text, for which they would need FlatBuffers' library; nothing here
# is text.
target_compile_definitions(litertlm_schemas INTERFACE FLATBUFFERS_LOCALE_INDEPENDENT=0)
add_dependencies(litertlm_schemas litertlm_schema_objects)
