#include "format/llm_metadata.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <climits>

#include "litertlm/error.h"

namespace litertlm {

proto::LlmMetadata ParseLlmMetadata(Bytes bytes, std::string_view where) {
  // Of text that is not UTF-8 it would speak on stderr.
  const google::protobuf::LogSilencer silent;
  proto::LlmMetadata metadata;
  if (bytes.size() > INT_MAX ||
      !metadata.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(
        ErrorCode::kBadInput,
        fmt::format("{}: the LlmMetadata section ({} bytes) is not a valid protobuf message.",
                    where, bytes.size()),
        "The file is damaged; fetch or convert it again.");
  }
  return metadata;
}

std::string SerializeLlmMetadata(const proto::LlmMetadata& metadata) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    metadata.SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace litertlm
