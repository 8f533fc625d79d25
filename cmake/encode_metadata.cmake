# cmake -DPROTOC=… -DSCHEMA_DIR=… -DINPUT=x.textproto -DOUTPUT=x.inc -P encode_metadata.cmake
execute_process(
  COMMAND ${PROTOC} --encode=litertlm.proto.LlmMetadata -I ${SCHEMA_DIR}
          ${SCHEMA_DIR}/schema/llm_metadata.proto
  INPUT_FILE ${INPUT} OUTPUT_FILE ${OUTPUT}.bin
  COMMAND_ERROR_IS_FATAL ANY)
file(READ ${OUTPUT}.bin hex HEX)
file(REMOVE ${OUTPUT}.bin)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "${bytes}\n")
