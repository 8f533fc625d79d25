// What inspect says about files that cannot be run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "format/litertlm.h"
#include "tests/cli/program.h"
#include "tests/graph/model_writer.h"

namespace litertlm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// A signature with the inputs of a decoder, between which and the logits stand `operators`.
void AddSignature(TfliteBuilder& builder, const std::string& key,
                  const std::vector<OperatorSpec>& operators) {
  SignatureWriter w(builder, key);
  const TensorId tokens = w.Input("tokens", {1, 1}, DType::kI32);
  w.Input("input_pos", {1}, DType::kI32);
  TensorId last = tokens;
  for (OperatorSpec spec : operators) {
    spec.inputs = {last};
    last = w.Tensor({1, 1, 4});
    spec.outputs = {last};
    w.AddOperator(std::move(spec));
  }
  w.Output("logits", last);
  w.Finish();
}

void Write(const fs::path& path, Bytes bytes) {
  AtomicFile file(path);
  file.Write(bytes);
  file.Commit();
}

class Explanation : public testing::Test {
 protected:
  fs::path WriteModel(TfliteBuilder& builder) const {
    const fs::path path = folder.path() / "model.tflite";
    Write(path, FinishModel(builder).bytes());
    return path;
  }
  const TestFolder folder;
};

TEST_F(Explanation, NamesEveryOperatorThatIsMissing) {
  TfliteBuilder builder;
  const OperatorSpec conv{.code = Builtin::CONV_2D};
  const OperatorSpec mystery{.code = Builtin::CUSTOM, .custom_code = "acme.mystery"};
  AddSignature(builder, "decode", {conv, mystery, conv});
  AddSignature(builder, "prefill_1", {conv});
  const fs::path model = WriteModel(builder);
  const Outcome outcome = RunProgram({"inspect", model});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.out, HasSubstr("decode: 3 operators"));
  EXPECT_THAT(outcome.out, HasSubstr("It cannot be run:"));
  EXPECT_THAT(outcome.out,
              HasSubstr("operator CONV_2D is not supported (2 in 'decode', 1 in 'prefill_1')."));
  EXPECT_THAT(outcome.out, HasSubstr("custom operator 'acme.mystery' is not supported (1 in"));
  const Json report = ParseJson(RunProgram({"inspect", model, "--json"}).out, "the report");
  EXPECT_EQ(report["cannot_run"].size(), 2u);
}

TEST_F(Explanation, LooksIntoComposites) {
  TfliteBuilder builder;
  SignatureWriter inner(builder, "composite");
  TensorId last = inner.Input("x", {1, 1, 4});
  inner.Output("y", inner.Op(Builtin::CONV_2D, {last}, {1, 1, 4}));
  inner.FinishSubgraph();
  OperatorSpec composite{.code = Builtin::STABLEHLO_COMPOSITE};
  tflite::StableHLOCompositeOptionsT options;
  options.name = "acme.whole";
  options.decomposition_subgraph_index = builder.SubgraphIndex(inner.graph());
  composite.options2.Set(std::move(options));
  AddSignature(builder, "decode", {composite, composite});
  const Outcome outcome = RunProgram({"inspect", WriteModel(builder)});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.out, HasSubstr("operator CONV_2D is not supported (1 in 'decode')."));
}

TEST_F(Explanation, ModelsForNpusAreRefusedWithTheReason) {
  TfliteBuilder builder;
  AddSignature(builder, "decode", {{.code = Builtin::CUSTOM, .custom_code = "DISPATCH_OP_1"}});
  const TestModel model = FinishModel(builder);
  LitertlmWriter writer;
  writer.AddSection(SectionType::kTfliteModel, {{"backend_constraint", std::string("npu")}},
                    model.size, [&](ByteSink& sink) { sink.Write(model.bytes()); });
  MemorySink container;
  writer.Write(container);
  const fs::path path = folder.path() / "model.litertlm";
  Write(path, AsBytes(container.data));
  const Outcome inspection = RunProgram({"inspect", path});
  EXPECT_THAT(
      inspection.out,
      AllOf(HasSubstr("operator 'DISPATCH_OP_1' is a program for one NPU"),
            HasSubstr("its model is made for npu only (backend_constraint)."),
            HasSubstr("has no LlmMetadataProto section."), HasSubstr("has no tokenizer section.")));
  const fs::path alone = folder.path() / "model.tflite";
  Write(alone, model.bytes());
  EXPECT_EQ(RunProgram({"inspect", alone}).status, 69);
  const Outcome run = RunProgram({"run", alone, "--raw", "--prompt", "x", "--tokenizer",
                                  LITERTLM_SOURCE_DIR "/testdata/tiny-qwen3/tokenizer.json"});
  EXPECT_EQ(run.status, 69);
  EXPECT_THAT(run.err, HasSubstr("which only that NPU executes"));
}

TEST_F(Explanation, NamesSignaturesInputsAndOutputsThatAreMissing) {
  TfliteBuilder none;
  AddSignature(none, "serving_default", {});
  const Outcome outcome = RunProgram({"inspect", WriteModel(none)});
  EXPECT_EQ(outcome.status, 66);
  EXPECT_THAT(outcome.out, HasSubstr("signature 'decode': there is no such signature."));

  TfliteBuilder inputs;
  SignatureWriter w(inputs, "decode");
  w.Output("logits", w.Input("input_ids", {1, 4}));
  w.Finish();
  const Outcome wrong = RunProgram({"inspect", WriteModel(inputs)});
  EXPECT_EQ(wrong.status, 69);
  EXPECT_THAT(wrong.out, HasSubstr("It cannot be run:"));
  EXPECT_THAT(wrong.out, HasSubstr("it has no input 'input_pos'"));
}

TEST_F(Explanation, NamesAnElementTypeThatIsNotKnown) {
  TfliteBuilder builder;
  AddSignature(builder, "decode", {{.code = Builtin::CONV_2D}});
  const TestModel model = FinishModel(builder);
  std::unique_ptr<tflite::ModelT> changed(tflite::GetModel(model.bytes().data())->UnPack());
  changed->subgraphs[0]->tensors[0]->type = tflite::TensorType::COMPLEX64;
  flatbuffers::FlatBufferBuilder out;
  tflite::FinishModelBuffer(out, tflite::Model::Pack(out, changed.get()));
  const fs::path path = folder.path() / "model.tflite";
  Write(path, std::as_bytes(std::span(out.GetBufferPointer(), out.GetSize())));
  const Outcome outcome = RunProgram({"inspect", path});
  EXPECT_EQ(outcome.status, 69);
  EXPECT_THAT(outcome.out, HasSubstr("has element type 8, which is not supported"));
  EXPECT_THAT(outcome.out, HasSubstr("It cannot be run:"));
}

TEST_F(Explanation, IsNotThereForAFileThatRuns) {
  ConvertOnce("tiny-gemma3");
  const Outcome outcome = RunProgram({"inspect", "tiny-gemma3", "--json"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(ParseJson(outcome.out, "the report")["cannot_run"], Json::array());
  EXPECT_EQ(RunProgram({"inspect", "tiny-gemma3"}).out.find("cannot be run"), std::string::npos);
}

}  // namespace
}  // namespace litertlm
