#include "graph/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <functional>

#include "litertlm/error.h"
#include "tests/error_of.h"
#include "tests/graph/model_writer.h"

namespace litertlm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Write = std::function<void(SignatureWriter&)>;

TestModel Model(const Write& write) {
  TfliteBuilder builder;
  SignatureWriter writer(builder, "decode");
  write(writer);
  writer.Finish();
  return FinishModel(builder);
}

std::vector<Op> OpsOf(const Graph& graph) {
  std::vector<Op> ops;
  for (const Node& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

/// The message with which importing fails.
std::string Failure(const Write& write) {
  const TestModel data = Model(write);
  try {
    const TfliteModel model = data.Parse();
    ImportSignature(model, "decode");
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kUnsupported);
    return error.message();
  }
  return "nothing was thrown";
}

TEST(Import, BindsSignatureNamesAndWritesOneSpelling) {
  const TestModel data = Model([](SignatureWriter& w) {
    const TensorId x = w.Input("x", {2, 3});
    tflite::ReducerOptionsT reduce;
    const TensorId squares = w.Op(Builtin::SQUARE, {x}, {2, 3});
    w.Output("y", w.OpWith(Builtin::MEAN, {squares, w.Ints({1})}, {2}, reduce));
  });
  const TfliteModel model = data.Parse();
  EXPECT_THAT(SignatureKeys(model), ElementsAre("decode"));
  const Graph graph = ImportSignature(model, "decode");
  EXPECT_THAT(OpsOf(graph), ElementsAre(Op::kMul, Op::kMean, Op::kReshape));
  EXPECT_NE(graph.FindInput("x"), kNoValue);
  EXPECT_EQ(graph.FindInput("y"), kNoValue);
  EXPECT_EQ(graph.value(graph.FindOutput("y")).shape, (SymbolicShape{2}));
  EXPECT_EQ(ErrorOf([&] { ImportSignature(model, "prefill"); }).message(),
            "test.tflite, signature 'prefill': there is no such signature.");
}

TEST(Import, NamesWhatItDoesNotHave) {
  const std::string message = Failure([](SignatureWriter& w) {
    w.Output("y", w.Op(Builtin::ONE_HOT, {w.Input("x", {2})}, {1}, DType::kI32));
  });
  EXPECT_EQ(message,
            "test.tflite, signature 'decode': ONE_HOT, which computes 'tensor0': this program does "
            "not have the operator.");
  EXPECT_THAT(Failure([](SignatureWriter& w) {
                OperatorSpec spec{.code = Builtin::CUSTOM};
                spec.custom_code = "odml.mystery";
                spec.inputs = {w.Input("x", {2})};
                spec.outputs = {w.Tensor({2})};
                w.Output("y", spec.outputs[0]);
                w.AddOperator(std::move(spec));
              }),
              HasSubstr("odml.mystery"));
}

// --- Graphs that contradict themselves -----------------------------------------------------------

TEST(Import, RefusesCyclesAndSecondResults) {
  EXPECT_THAT(Failure([](SignatureWriter& w) {
                const TensorId later = w.Tensor({2});
                const TensorId x = w.Op(Builtin::NEG, {later}, {2});
                OperatorSpec spec{.code = Builtin::NEG};
                spec.inputs = {x};
                spec.outputs = {later};
                w.AddOperator(std::move(spec));
                w.Output("y", x);
              }),
              HasSubstr("used before it is computed"));
  EXPECT_THAT(Failure([](SignatureWriter& w) {
                const TensorId x = w.Input("x", {2});
                const TensorId y = w.Op(Builtin::NEG, {x}, {2});
                OperatorSpec spec{.code = Builtin::ABS};
                spec.inputs = {x};
                spec.outputs = {y};
                w.AddOperator(std::move(spec));
                w.Output("y", y);
              }),
              HasSubstr("has a value already"));
  EXPECT_THAT(Failure([](SignatureWriter& w) {
                w.Input("x", {2});
                w.Output("y", w.Tensor({2}));
              }),
              HasSubstr("used before it is computed"));
}

TEST(Import, RefusesWrongArityDTypesAndShapes) {
  const auto binary = [](const std::vector<std::pair<Extents, DType>>& inputs, Builtin code,
                         DType result = DType::kF32) {
    return Failure([&](SignatureWriter& w) {
      std::vector<TensorId> ids;
      for (const auto& [shape, dtype] : inputs) {
        ids.push_back(w.Input("x" + std::to_string(ids.size()), shape, dtype));
      }
      w.Output("y", w.Op(code, ids, {2}, result));
    });
  };
  constexpr DType kFloat = DType::kF32;
  EXPECT_THAT(binary({{{2}, kFloat}}, Builtin::ADD), HasSubstr("1 inputs"));
  EXPECT_THAT(binary({{{2}, kFloat}, {{2}, kFloat}, {{2}, kFloat}}, Builtin::ADD),
              HasSubstr("3 inputs"));
  EXPECT_THAT(binary({{{2}, kFloat}, {{3}, kFloat}}, Builtin::MUL), HasSubstr("broadcast"));
  EXPECT_THAT(binary({{{2}, kFloat}, {{2}, DType::kI32}}, Builtin::MUL),
              HasSubstr("input 1 is i32"));
  EXPECT_THAT(binary({{{2}, DType::kU8}, {{2}, DType::kU8}}, Builtin::MUL), HasSubstr("u8"));
  EXPECT_THAT(binary({{{2}, DType::kI32}}, Builtin::EXP), HasSubstr("i32"));
  EXPECT_THAT(binary({{{2}, kFloat}, {{2}, kFloat}}, Builtin::LESS), HasSubstr("declared f32"));
  EXPECT_THAT(binary({{{2}, kFloat}, {{2}, kFloat}}, Builtin::BATCH_MATMUL),
              HasSubstr("not matrices"));
  EXPECT_THAT(binary({{{2, 3}, kFloat}, {{2, 3}, kFloat}}, Builtin::BATCH_MATMUL),
              HasSubstr("summed axis"));
  EXPECT_THAT(binary({{{2, 3}, kFloat}, {{2, 4}, kFloat}}, Builtin::FULLY_CONNECTED),
              HasSubstr("does not fit its weights"));
  EXPECT_THAT(binary({{{2}, kFloat}, {{2}, kFloat}}, Builtin::EMBEDDING_LOOKUP),
              HasSubstr("not supported"));
  EXPECT_THAT(binary({{{}, kFloat}}, Builtin::SOFTMAX), HasSubstr("scalar"));
  EXPECT_THAT(
      binary({{{2}, kFloat}, {{3}, kFloat}, {{1}, DType::kI32}}, Builtin::DYNAMIC_UPDATE_SLICE),
      HasSubstr("larger than its operand"));
}

TEST(Import, RefusesActivationsOfNothing) {
  EXPECT_THAT(Failure([](SignatureWriter& w) { w.Output("y", w.Op(Builtin::RELU, {-1}, {2})); }),
              HasSubstr("its input is missing"));
}

TEST(Import, RefusesOperandsOutOfRange) {
  const auto with = [](Builtin code, const std::vector<std::vector<int32_t>>& constants) {
    return Failure([&](SignatureWriter& w) {
      std::vector<TensorId> ids = {w.Input("x", {2, 3})};
      for (const auto& values : constants) ids.push_back(w.Ints(values));
      w.Output("y", w.Op(code, ids, {2, 3}));
    });
  };
  constexpr int32_t kHuge = 2147483647;
  EXPECT_THAT(with(Builtin::TRANSPOSE, {{0, 2}}), HasSubstr("out of range"));
  EXPECT_THAT(with(Builtin::TRANSPOSE, {{0, 0}}), HasSubstr("permutation"));
  EXPECT_THAT(with(Builtin::TRANSPOSE, {{0}}), HasSubstr("permutation"));
  EXPECT_THAT(with(Builtin::TRANSPOSE, {{0, 1, 2, 3, 4, 5, 6, 7, 8}}), HasSubstr("rank"));
  EXPECT_THAT(with(Builtin::RESHAPE, {{5}}), HasSubstr("number of elements"));
  EXPECT_THAT(with(Builtin::RESHAPE, {{-1, 4}}), HasSubstr("target"));
  EXPECT_THAT(with(Builtin::RESHAPE, {{-1, -1}}), HasSubstr("negative"));
  EXPECT_THAT(with(Builtin::RESHAPE, {{kHuge, kHuge, kHuge}}), HasSubstr("too large"));
  EXPECT_THAT(with(Builtin::SLICE, {{0, 0}, {2, 4}}), HasSubstr("size"));
  EXPECT_THAT(with(Builtin::SLICE, {{1, 0}, {2, 3}}), HasSubstr("outside"));
  EXPECT_THAT(with(Builtin::SLICE, {{-1, 0}, {1, 3}}), HasSubstr("outside"));
  EXPECT_THAT(with(Builtin::SLICE, {{0}, {1}}), HasSubstr("rank"));
  EXPECT_THAT(with(Builtin::STRIDED_SLICE, {{0, 0}, {2, 3}, {0, 1}}), HasSubstr("zero"));
  EXPECT_THAT(with(Builtin::SUM, {{2}}), HasSubstr("out of range"));
  EXPECT_THAT(with(Builtin::PAD, {{0, 0, -1, 0}}), HasSubstr("negative"));
  EXPECT_THAT(with(Builtin::PAD, {{0, kHuge, kHuge, kHuge}}), HasSubstr("too large"));
  EXPECT_THAT(with(Builtin::TILE, {{kHuge, kHuge}}), HasSubstr("too large"));
  EXPECT_THAT(with(Builtin::BROADCAST_TO, {{3, 3}}), HasSubstr("fit"));
  EXPECT_THAT(with(Builtin::BROADCAST_TO, {{kHuge, kHuge, 2, 3}}), HasSubstr("too large"));
  EXPECT_THAT(with(Builtin::EXPAND_DIMS, {{4}}), HasSubstr("out of range"));
}

// Composites may repeat what is written once a hundred thousand times.
TEST(Import, ValuesKeepShortNames) {
  const std::string name(10'000, 'n');
  const TestModel data = Model([&](SignatureWriter& w) {
    const TensorId x = w.graph().AddTensor(name, DType::kF32, {1});
    w.Output("y", w.Op(Builtin::ADD, {w.Input("x", {1}), w.Floats({1}, {1})}, {1}));
    w.Output(name.substr(0, 900), w.Op(Builtin::EXP, {w.Input(name.substr(0, 900), {1})}, {1}));
    OperatorSpec spec{.code = Builtin::EXP};
    spec.inputs = {w.Input("z", {1})};
    spec.outputs = {x};
    w.AddOperator(std::move(spec));
    w.Output("x", x);
  });
  const TfliteModel model = data.Parse();
  const Graph graph = ImportSignature(model, "decode");
  for (const Value& value : graph.values) EXPECT_LE(value.name.size(), 200u);
  EXPECT_NE(graph.FindInput(name.substr(0, 900)), kNoValue);
  EXPECT_THAT(Failure([&](SignatureWriter& w) {
                w.Output("y", w.Op(Builtin::EXP, {w.Input(name, {1})}, {1}));
              }),
              HasSubstr("10000 characters"));
}

TEST(Import, FewConstantsMayLieAtOddOffsets) {
  constexpr int32_t kFloats = 150'000;
  const auto failure = [&](int constants) {
    const TestModel whole = Model([&](SignatureWriter& w) {
      const TensorId x = w.Input("x", {kFloats});
      for (int i = 0; i < constants; ++i) {
        const TensorId c = w.Floats({kFloats}, std::vector<float>(kFloats, float(i)));
        w.Output("y" + std::to_string(i), w.Op(Builtin::ADD, {x, c}, {kFloats}));
      }
    });
    auto model = tflite::UnPackModel(whole.bytes().data());
    for (auto& buffer : model->buffers) {
      if (buffer->data.size() < kFloats) continue;
      buffer->data.push_back(0);
      buffer->offset = 5;
      buffer->size = kFloats * sizeof(float);
    }
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(tflite::Model::Pack(builder, model.get()), tflite::ModelIdentifier());
    const TestModel odd(
        {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()});
    try {
      const TfliteModel parsed = odd.Parse();
      ImportSignature(parsed, "decode");
    } catch (const Error& error) {
      return error.message();
    }
    return std::string();
  };
  EXPECT_EQ(failure(1), "");
  EXPECT_THAT(failure(2), HasSubstr("not aligned"));
}

// --- Composites ----------------------------------------------------------------------------------

/// A composite with inputs x [2, 4] and gains [4], whose decomposition adds both. `nested` lets the
/// decomposition call itself.
TestModel CompositeModel(const std::string& name, const std::vector<uint8_t>& attributes,
                         bool nested = false) {
  TfliteBuilder builder;
  SignatureWriter main(builder, "decode");
  SignatureWriter body(builder, "body");
  const auto composite = [&](SignatureWriter& w) {
    OperatorSpec spec{.code = Builtin::STABLEHLO_COMPOSITE};
    spec.inputs = {w.Input("x", {2, 4}), w.Input("gains", {4})};
    spec.outputs = {w.Tensor({2, 4})};
    tflite::StableHLOCompositeOptionsT options;
    options.name = name;
    options.decomposition_subgraph_index = builder.SubgraphIndex(body.graph());
    options.composite_attributes = attributes;
    spec.options2.Set(std::move(options));
    w.Output("y", spec.outputs[0]);
    w.AddOperator(std::move(spec));
  };
  composite(main);
  if (nested) {
    composite(body);
  } else {
    const TensorId x = body.Input("x", {2, 4});
    body.Output("y", body.Op(Builtin::ADD, {x, body.Input("gains", {4})}, {2, 4}));
  }
  main.Finish();
  body.FinishSubgraph();
  return FinishModel(builder);
}

/// A FlexBuffer {"epsilon": value}: the key, the vector of keys, the map's values, the root.
std::vector<uint8_t> Epsilon(float value) {
  std::vector<uint8_t> bytes = {'e', 'p', 's', 'i', 'l', 'o', 'n', 0};  // At 0.
  const auto word = [&](uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<uint8_t>(number >> shift));
  };
  word(1);                               // At 8: one key,
  word(12);                              // which starts 12 bytes before.
  word(4);                               // At 16: keys lie 4 bytes before,
  word(4);                               // at 4 bytes each;
  word(1);                               // one value,
  word(std::bit_cast<uint32_t>(value));  // at 28.
  bytes.push_back(3 << 2 | 2);           // A float of 4 bytes.
  bytes.push_back(5);                    // The map lies 5 bytes before,
  bytes.push_back(9 << 2 | 2);           // is a map of 4-byte slots,
  bytes.push_back(1);                    // and is named in 1 byte.
  return bytes;
}

std::vector<Op> CompositeOps(const std::string& name, const std::vector<uint8_t>& attributes) {
  const TestModel data = CompositeModel(name, attributes);
  const TfliteModel model = data.Parse();
  return OpsOf(ImportSignature(model, "decode"));
}

// Inputs of another number or type, and attributes that are no FlexBuffers.
TEST(NamedOperators, InOtherFormsAreRefused) {
  const auto custom = [](const char* name, std::vector<uint8_t> options, DType dtype) {
    return [=](SignatureWriter& w) {
      const TensorId x = w.Input("x", {1, 2, 2, 4}, dtype);
      const TensorId y = w.Tensor({1, 2, 2, 2});
      OperatorSpec spec{.code = Builtin::CUSTOM, .inputs = {x, x}, .outputs = {y}};
      spec.custom_code = name;
      spec.custom_options = options;
      w.AddOperator(std::move(spec));
      w.Output("y", y);
    };
  };
  EXPECT_EQ(Failure(custom("odml.runtime_bmm", {}, DType::kF32)), "nothing was thrown");
  for (const auto& [name, options, dtype] :
       {std::tuple("odml.runtime_bmm", std::vector<uint8_t>{}, DType::kI32),
        std::tuple("odml.runtime_bmm", std::vector<uint8_t>{1, 2, 3, 255, 7}, DType::kF32),
        std::tuple("odml.cache_update", std::vector<uint8_t>{}, DType::kF32),
        std::tuple("aeq.hadamard_rotation", std::vector<uint8_t>{}, DType::kF32),
        std::tuple("odml.update_external_kv_cache", std::vector<uint8_t>{}, DType::kF32),
        std::tuple("odml.sdpa_transposed", std::vector<uint8_t>{}, DType::kF32),
        std::tuple("odml.scaled_dot_product_attention", std::vector<uint8_t>{}, DType::kF32)}) {
    EXPECT_THAT(Failure(custom(name, options, dtype)),
                HasSubstr(std::string("'") + name + "' has inputs or attributes"));
  }
  EXPECT_THAT(Failure(custom("odml.update_kv_cache", {}, DType::kF32)),
              HasSubstr("custom operator 'odml.update_kv_cache' is not supported"));
}

TEST(Composites, AreInlinedUnlessKnown) {
  EXPECT_THAT(CompositeOps("odml.rms_norm", Epsilon(1e-6)), ElementsAre(Op::kRmsNorm));
  EXPECT_THAT(CompositeOps("odml.group_norm", Epsilon(1e-6)), ElementsAre(Op::kAdd));
  EXPECT_THAT(CompositeOps("odml.rms_norm", {}), ElementsAre(Op::kAdd));
  EXPECT_THAT(CompositeOps("odml.rms_norm", {1, 2, 3, 255}), ElementsAre(Op::kAdd));
}

TEST(Composites, NeedADecompositionUnlessKnown) {
  EXPECT_EQ(Failure([](SignatureWriter& w) {
              OperatorSpec spec{.code = Builtin::STABLEHLO_COMPOSITE};
              spec.inputs = {w.Input("x", {2})};
              spec.outputs = {w.Tensor({2})};
              tflite::StableHLOCompositeOptionsT options;
              options.name = "odml.mystery";
              spec.options2.Set(std::move(options));
              w.Output("y", spec.outputs[0]);
              w.AddOperator(std::move(spec));
            }),
            "test.tflite, signature 'decode': STABLEHLO_COMPOSITE, which computes 'tensor0': this "
            "program does not have the composite 'odml.mystery', which has no decomposition.");
}

TEST(Composites, ThatCallThemselvesAreRefused) {
  const TestModel data = CompositeModel("mine", {}, /*nested=*/true);
  const TfliteModel model = data.Parse();
  EXPECT_THROW(ImportSignature(model, "decode"), Error);
}

TEST(Composites, NativeNormKeepsItsEpsilon) {
  const TestModel data = CompositeModel("odml.rms_norm", Epsilon(0.25));
  const TfliteModel model = data.Parse();
  EXPECT_EQ(ImportSignature(model, "decode").nodes[0].As<RmsNormAttributes>().epsilon, 0.25f);
}

}  // namespace
}  // namespace litertlm
