#include "cli/inspection.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <variant>

#include "format/llm_metadata.h"
#include "format/llm_parameters.h"
#include "format/model_file.h"
#include "format/tflite.h"

namespace litertlm {
namespace {

// The shortest decimal number that means this float: 0.95, not 0.949999988079071.
double Decimal(float value) { return std::stod(fmt::format("{}", value)); }

Json ItemsReport(const std::vector<KeyValue>& items) {
  Json report = Json::object();
  for (const KeyValue& item : items) {
    if (const float* number = std::get_if<float>(&item.value)) {
      report[item.key] = Decimal(*number);
      continue;
    }
    std::visit([&](const auto& value) { report[item.key] = value; }, item.value);
  }
  return report;
}

Json TokenReport(const proto::TokenUnion& token) {
  if (token.has_token_ids()) return token.token_ids().ids();
  return token.token_str();
}

std::string ModelTypeName(const proto::LlmModelType& type) {
  switch (type.model_type_case()) {
    case proto::LlmModelType::kGenericModel:
      return "generic";
    case proto::LlmModelType::kGemma3N:
      return "gemma3n";
    case proto::LlmModelType::kFunctionGemma:
      return "function_gemma";
    case proto::LlmModelType::kGemma3:
      return "gemma3";
    case proto::LlmModelType::kQwen3:
      return "qwen3";
    case proto::LlmModelType::kQwen2P5:
      return "qwen2p5";
    case proto::LlmModelType::kGemma4:
      return "gemma4";
    case proto::LlmModelType::kFastVlm:
      return "fast_vlm";
    case proto::LlmModelType::kLfm2:
      return "lfm2";
    case proto::LlmModelType::MODEL_TYPE_NOT_SET:
      return "none";
  }
  return "unknown";
}

Json SamplerReport(const proto::SamplerParameters& sampler) {
  Json report = {{"type", proto::SamplerParameters::Type_Name(sampler.type())},
                 {"k", sampler.k()},
                 {"p", Decimal(sampler.p())},
                 {"temperature", Decimal(sampler.temperature())}};
  if (sampler.has_seed()) report["seed"] = sampler.seed();
  return report;
}

Json MetadataReport(const proto::LlmMetadata& metadata) {
  Json report = {{"model_type", ModelTypeName(metadata.llm_model_type())},
                 {"max_num_tokens", metadata.max_num_tokens()}};
  if (metadata.has_start_token()) report["start_token"] = TokenReport(metadata.start_token());
  report["stop_tokens"] = Json::array();
  for (const auto& stop : metadata.stop_tokens())
    report["stop_tokens"].push_back(TokenReport(stop));
  if (metadata.has_sampler_params()) report["sampler"] = SamplerReport(metadata.sampler_params());
  if (metadata.has_prompt_templates()) {
    const auto affixes = [](const proto::PromptAffixes& role) {
      return Json({{"prefix", role.prefix()}, {"suffix", role.suffix()}});
    };
    report["prompt_templates"] = {{"user", affixes(metadata.prompt_templates().user())},
                                  {"model", affixes(metadata.prompt_templates().model())},
                                  {"system", affixes(metadata.prompt_templates().system())}};
  }
  if (metadata.has_jinja_prompt_template()) {
    report["jinja_prompt_template"] = metadata.jinja_prompt_template();
  }
  for (const proto::Channel& channel : metadata.channels()) {
    report["channels"].push_back(
        {{"name", channel.channel_name()}, {"start", channel.start()}, {"end", channel.end()}});
  }
  if (metadata.has_suppress_tokens()) {
    report["suppress_tokens"] = metadata.suppress_tokens().ids();
  }
  return report;
}

// One model section: its signatures, operators and weights.
class GraphReport {
 public:
  explicit GraphReport(const TfliteModel& model) : graph_(model) {}

  Json Build() {
    Json report = {{"description", Text(graph_.model().description())},
                   {"signatures", Signatures()}};
    for (const tflite::SubGraph* subgraph : *graph_.model().subgraphs()) Count(*subgraph);
    report["operators"] = Json::object();
    for (const auto& [name, count] : operators_) report["operators"][name] = count;
    report["weights"] = Json::array();
    for (const auto& [coding, weights] : weights_) {
      report["weights"].push_back(
          {{"coding", coding}, {"tensors", weights.tensors}, {"bytes", weights.bytes}});
    }
    return report;
  }

 private:
  struct Weights {
    int tensors = 0;
    uint64_t bytes = 0;
  };

  static std::string Text(const flatbuffers::String* text) {
    return text != nullptr ? text->str() : std::string();
  }

  static std::string TypeName(const tflite::Tensor& tensor) {
    const auto dtype = DTypeFromTflite(static_cast<int>(tensor.type()));
    return dtype ? std::string(Info(*dtype).name)
                 : fmt::format("type {}", static_cast<int>(tensor.type()));
  }

  Json Signatures() const {
    Json report = Json::array();
    if (graph_.model().signature_defs() == nullptr) return report;
    for (const tflite::SignatureDef* signature : *graph_.model().signature_defs()) {
      const auto& subgraph = *graph_.model().subgraphs()->Get(signature->subgraph_index());
      report.push_back({{"key", Text(signature->signature_key())},
                        {"operators", subgraph.operators() ? subgraph.operators()->size() : 0},
                        {"inputs", Ports(signature->inputs(), subgraph)},
                        {"outputs", Ports(signature->outputs(), subgraph)}});
    }
    return report;
  }

  using TensorMaps = flatbuffers::Vector<flatbuffers::Offset<tflite::TensorMap>>;
  static Json Ports(const TensorMaps* ports, const tflite::SubGraph& subgraph) {
    Json report = Json::array();
    if (ports == nullptr) return report;
    for (const tflite::TensorMap* port : *ports) {
      const tflite::Tensor& tensor = *subgraph.tensors()->Get(port->tensor_index());
      Json shape = Json::array();
      // Where dimensions are open, a second list has -1 in their place.
      const auto* open = tensor.shape_signature();
      const auto* extents = open != nullptr && open->size() > 0 ? open : tensor.shape();
      if (extents != nullptr) shape = Json(std::vector<int>(extents->begin(), extents->end()));
      report.push_back(
          {{"name", Text(port->name())}, {"type", TypeName(tensor)}, {"shape", std::move(shape)}});
    }
    return report;
  }

  void Count(const tflite::SubGraph& subgraph) {
    if (subgraph.operators() != nullptr) {
      for (const tflite::Operator* op : *subgraph.operators()) ++operators_[OperatorName(*op)];
    }
    if (subgraph.tensors() == nullptr) return;
    for (const tflite::Tensor* tensor : *subgraph.tensors()) {
      const Bytes data = graph_.Data(*tensor);
      // Signatures share their weights: what was seen is not counted again.
      if (data.empty() || !seen_.insert(data.data()).second) continue;
      Weights& weights = weights_[Coding(*tensor)];
      ++weights.tensors;
      weights.bytes += data.size();
    }
  }

  std::string OperatorName(const tflite::Operator& op) const {
    const tflite::OperatorCode& code = *graph_.model().operator_codes()->Get(op.opcode_index());
    if (code.custom_code() != nullptr && code.custom_code()->size() > 0) {
      return "CUSTOM " + code.custom_code()->str();
    }
    if (const auto* composite = op.builtin_options_2_as_StableHLOCompositeOptions()) {
      return "COMPOSITE " + Text(composite->name());
    }
    const int32_t builtin = BuiltinCode(code);
    const std::string name =
        tflite::EnumNameBuiltinOperator(static_cast<tflite::BuiltinOperator>(builtin));
    return name.empty() ? fmt::format("operator {}", builtin) : name;
  }

  static std::string Coding(const tflite::Tensor& tensor) {
    const tflite::QuantizationParameters* quantization = tensor.quantization();
    if (quantization == nullptr) return TypeName(tensor);
    if (const auto* blocks = quantization->details_as_BlockwiseQuantization()) {
      return fmt::format("{} in blocks of {}", TypeName(tensor), blocks->block_size());
    }
    const size_t scales = quantization->scale() != nullptr ? quantization->scale()->size() : 0;
    if (scales == 0) return TypeName(tensor);
    return TypeName(tensor) + (scales == 1 ? " per tensor" : " per channel");
  }

  const TfliteModel& graph_;
  std::map<std::string, int> operators_;
  std::map<std::string, Weights> weights_;
  std::set<const std::byte*> seen_;
};

Json SectionReport(const ModelFile& file, const Section& section) {
  Json report = {{"type", SectionTypeName(section.type)},
                 {"begin", section.begin},
                 {"end", section.end},
                 {"bytes", section.end - section.begin},
                 {"items", ItemsReport(section.items)}};
  if (section.type == SectionType::kLlmMetadata) {
    report["metadata"] = MetadataReport(ParseLlmMetadata(section.bytes, file.name()));
  } else if (section.type == SectionType::kLlmParameters) {
    report["metadata"] = MetadataReport(ParseLlmParameters(section.bytes, file.name()));
  } else if (section.type == SectionType::kTfliteModel) {
    const std::string_view role = section.StringItem(kModelTypeKey);
    const Section* weights = file.Find(SectionType::kTfliteWeights, role);
    const TfliteModel model = TfliteModel::Parse(
        section.bytes, weights != nullptr ? weights->bytes : Bytes(), file.NameOf(section));
    report["model"] = GraphReport(model).Build();
  }
  return report;
}

}  // namespace

Inspection InspectFile(const std::filesystem::path& path, const std::filesystem::path& tokenizer) {
  const ModelFile file = ModelFile::Open(path, tokenizer);
  Inspection result;
  result.report = {{"file", path.string()},
                   {"bytes", file.size()},
                   {"container", ContainerKindName(file.kind())},
                   {"system_metadata", ItemsReport(file.system_metadata())},
                   {"sections", Json::array()}};
  if (!file.version().empty()) result.report["version"] = file.version();
  for (const Section& section : file.sections()) {
    try {
      result.report["sections"].push_back(SectionReport(file, section));
    } catch (const Error& error) {
      result.report["sections"].push_back({{"type", SectionTypeName(section.type)},
                                           {"begin", section.begin},
                                           {"end", section.end},
                                           {"bytes", section.end - section.begin},
                                           {"items", ItemsReport(section.items)},
                                           {"error", error.message()}});
      if (!result.error) result.error = error;
    }
  }
  return result;
}

}  // namespace litertlm
