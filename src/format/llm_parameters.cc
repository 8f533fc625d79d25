#include "format/llm_parameters.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <schema/llm_parameters.pb.h>

#include <algorithm>
#include <climits>
#include <optional>

#include "litertlm/error.h"

namespace litertlm {
namespace {

std::optional<proto::LlmParameters> Parse(Bytes bytes) {
  const google::protobuf::LogSilencer silent;
  proto::LlmParameters parameters;
  if (bytes.size() > INT_MAX ||
      !parameters.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::nullopt;
  }
  return parameters;
}

// How much of the suffix closes the user's turn: a stop token in front and the space behind it.
// What is left begins the model's turn.
size_t ClosingSize(std::string_view suffix, const proto::LlmParameters& parameters) {
  constexpr std::string_view kSpace = " \t\n";
  const size_t begin = std::min(suffix.find_first_not_of(kSpace), suffix.size());
  for (const std::string& stop : parameters.stop_tokens()) {
    if (stop.empty() || !suffix.substr(begin).starts_with(stop)) continue;
    return std::min(suffix.find_first_not_of(kSpace, begin + stop.size()), suffix.size());
  }
  return 0;
}

void AddUserTemplate(const proto::PromptTemplate& given, const proto::LlmParameters& parameters,
                     proto::PromptTemplates& templates) {
  const std::string_view suffix = given.prompt_suffix();
  const std::string closing(suffix.substr(0, ClosingSize(suffix, parameters)));
  templates.mutable_user()->set_prefix(given.prompt_prefix());
  templates.mutable_user()->set_suffix(closing);
  templates.mutable_model()->set_prefix(std::string(suffix.substr(closing.size())));
  templates.mutable_model()->set_suffix(closing);
}

void CopyAffixes(const proto::PromptTemplate& given, proto::PromptAffixes& affixes) {
  affixes.set_prefix(given.prompt_prefix());
  affixes.set_suffix(given.prompt_suffix());
}

void AddTemplates(const proto::LlmParameters& parameters, proto::LlmMetadata& metadata) {
  if (parameters.has_prompt_templates()) {
    const proto::RoleTemplates& given = parameters.prompt_templates();
    proto::PromptTemplates& templates = *metadata.mutable_prompt_templates();
    if (!given.has_model_template()) {
      AddUserTemplate(given.user_template(), parameters, templates);
    } else {
      CopyAffixes(given.user_template(), *templates.mutable_user());
      CopyAffixes(given.model_template(), *templates.mutable_model());
    }
    if (given.has_system_template()) {
      CopyAffixes(given.system_template(), *templates.mutable_system());
    }
  } else if (parameters.has_prompt_template()) {
    AddUserTemplate(parameters.prompt_template(), parameters, *metadata.mutable_prompt_templates());
  }
}

}  // namespace

bool IsLlmParameters(Bytes bytes) {
  // Both kinds have at least one stop token, and numbers where the other has messages.
  const std::optional<proto::LlmParameters> parameters = Parse(bytes);
  return parameters && (parameters->stop_tokens_size() > 0 || parameters->has_start_token_id() ||
                        parameters->vocab_size() > 0);
}

proto::LlmMetadata ParseLlmParameters(Bytes bytes, std::string_view where) {
  const std::optional<proto::LlmParameters> parameters = Parse(bytes);
  if (!parameters) {
    throw Error(ErrorCode::kBadInput,
                fmt::format("{}: the METADATA ({} bytes) is not a valid protobuf message.", where,
                            bytes.size()),
                "The file is damaged; fetch it again.");
  }
  proto::LlmMetadata metadata;
  const std::string& session_prefix = parameters->prompt_template().session_prefix();
  if (parameters->has_start_token_id()) {
    if (!session_prefix.empty()) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("{}: the METADATA gives the start token as a number ({}) and a text "
                              "for the beginning of conversations; only one of them can be used.",
                              where, parameters->start_token_id()));
    }
    metadata.mutable_start_token()->mutable_token_ids()->add_ids(parameters->start_token_id());
  } else if (const std::string start = parameters->start_token() + session_prefix; !start.empty()) {
    metadata.mutable_start_token()->set_token_str(start);
  }
  for (const std::string& stop : parameters->stop_tokens()) {
    metadata.add_stop_tokens()->set_token_str(stop);
  }
  AddTemplates(*parameters, metadata);
  metadata.mutable_llm_model_type()->mutable_generic_model();
  return metadata;
}

bool SpellsBytesAsUnicode(Bytes llm_parameters) {
  const std::optional<proto::LlmParameters> parameters = Parse(llm_parameters);
  if (!parameters) return false;
  const auto& given = parameters->input_output_normalizations();
  return std::find(given.begin(), given.end(), proto::LlmParameters::BYTES_TO_UNICODE) !=
         given.end();
}

}  // namespace litertlm
