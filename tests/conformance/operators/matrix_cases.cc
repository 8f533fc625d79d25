// Products of matrices, and tables.
#include <flatbuffers/flexbuffers.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/conformance/operators/coded_constant.h"

namespace litertlm {
namespace {

using Activation = tflite::ActivationFunctionType;

Agreement AgreementOf(const WeightCoding& coding) {
  return Info(coding.dtype).bits <= 8 ? Agreement::kCodes : Agreement::kFloats;
}

const std::vector<WeightCoding>& Codings() {
  static const std::vector<WeightCoding> codings = {
      {"f32"},
      {"f16", DType::kF16, false, 0, true},
      {"int8 per channel", DType::kI8, true},
      {"int8 per tensor", DType::kI8},
      {"int8 per channel, weights only", DType::kI8, true, 0, true},
      {"int8 per tensor, weights only", DType::kI8, false, 0, true},
      {"int4 per channel", DType::kI4, true},
      {"int4 per tensor", DType::kI4},
      {"int4 blocks of 32", DType::kI4, false, 32},
      {"int4 blocks of 64", DType::kI4, false, 64},
      {"int2 per channel", DType::kI2, true},
  };
  return codings;
}

void AddFullyConnected(OperatorCases& cases) {
  for (const WeightCoding& coding : Codings()) {
    for (int i = 0; i < 8; ++i) {
      Random& random = cases.random();
      // Sub-byte rows are whole bytes in all files.
      const int32_t unit = std::max(coding.block_size, coding.dtype == DType::kF32 ? 1 : 4);
      const int32_t columns = unit * random.Int(1, coding.block_size > 0 ? 4 : 30);
      const int32_t rows = random.Int(1, 40);
      Extents x = random.Shape(random.Int(1, 3));
      const int32_t batch = CountOf(x);
      tflite::FullyConnectedOptionsT options;
      options.keep_num_dims = i % 2 == 0;
      options.asymmetric_quantize_inputs = random.Coin();
      options.fused_activation_function = random.Of<Activation>(
          {Activation::NONE, Activation::NONE, Activation::RELU, Activation::RELU6});
      Extents to = options.keep_num_dims ? x : Extents{batch};
      x.push_back(columns);
      to.push_back(rows);
      const int bias = random.Int(0, 2);
      cases.Add(
          "FULLY_CONNECTED",
          fmt::format("{}{}{} {}", coding.name, options.keep_num_dims ? ", dimensions kept" : "",
                      bias == 2 ? ", bias" : "",
                      EnumNameActivationFunctionType(options.fused_activation_function)),
          AgreementOf(coding), [&](OperatorCase& c) {
            std::vector<TensorId> inputs = {c.Input(DType::kF32, x, -2, 3),
                                            CodedConstant(c, {rows, columns}, coding)};
            if (bias == 1) inputs.push_back(-1);
            if (bias == 2) inputs.push_back(c.Constant(DType::kF32, {rows}, -1, 1));
            c.Output(c.Op(Builtin::FULLY_CONNECTED, inputs, DType::kF32, to, options), DType::kF32,
                     to);
          });
    }
  }
}

struct Matrices {
  Extents x, w, to;
  bool adj_x, adj_y;

  explicit Matrices(Random& random, int ranks)
      : adj_x(random.Int(0, 3) == 0), adj_y(random.Coin()) {
    const Extents batch = random.Shape(random.Int(0, ranks), 1, 3);
    const int32_t rows = random.Int(1, 9);
    const int32_t columns = random.Int(1, 9);
    const int32_t summed = random.Int(1, 40);
    const auto with = [&](bool turned, int32_t a, int32_t b) {
      Extents shape = batch;
      for (int32_t& extent : shape) extent = random.Int(0, 2) == 0 ? 1 : extent;
      shape.push_back(turned ? b : a);
      shape.push_back(turned ? a : b);
      return shape;
    };
    x = with(adj_x, rows, summed);
    w = with(adj_y, summed, columns);
    to = BroadcastOf({x.begin(), x.end() - 2}, {w.begin(), w.end() - 2});
    to.push_back(rows);
    to.push_back(columns);
  }
  tflite::BatchMatMulOptionsT options() const {
    tflite::BatchMatMulOptionsT result;
    result.adj_x = adj_x;
    result.adj_y = adj_y;
    return result;
  }
  std::string Words() const {
    return fmt::format("{}{}", adj_x ? " adj_x" : "", adj_y ? " adj_y" : "");
  }
};

void AddBatchMatMul(OperatorCases& cases) {
  for (int i = 0; i < 24; ++i) {
    const Matrices m(cases.random(), 3);
    cases.Add("BATCH_MATMUL", "f32" + m.Words(), Agreement::kFloats, [&](OperatorCase& c) {
      const TensorId x = c.Input(DType::kF32, m.x);
      const TensorId w = c.Operand(DType::kF32, m.w);
      c.Output(c.Op(Builtin::BATCH_MATMUL, {x, w}, DType::kF32, m.to, m.options()), DType::kF32,
               m.to);
    });
  }
  for (const WeightCoding& coding :
       {WeightCoding{"int8 per channel", DType::kI8, true},
        WeightCoding{"int8 per tensor", DType::kI8},
        WeightCoding{"int8 weights only", DType::kI8, true, 0, true}}) {
    for (int i = 0; i < 8; ++i) {
      const Matrices m(cases.random(), i < 4 ? 0 : 2);
      cases.Add("BATCH_MATMUL", coding.name + m.Words(), AgreementOf(coding), [&](OperatorCase& c) {
        const TensorId x = c.Input(DType::kF32, m.x);
        const int axis = static_cast<int>(m.w.size()) - (m.adj_y ? 2 : 1);
        const TensorId w = CodedConstant(c, m.w, coding, axis);
        c.Output(c.Op(Builtin::BATCH_MATMUL, {x, w}, DType::kF32, m.to, m.options()), DType::kF32,
                 m.to);
      });
    }
  }
}

void AddEmbeddingLookups(OperatorCases& cases, const std::vector<WeightCoding>& codings) {
  for (const WeightCoding& coding : codings) {
    for (int i = 0; i < 3; ++i) {
      Random& random = cases.random();
      const int32_t columns = std::max(coding.block_size, 4) * random.Int(1, 8);
      const int32_t rows = random.Int(1, 40);
      const int32_t count = random.Int(1, 6);
      cases.Add("EMBEDDING_LOOKUP", coding.name, AgreementOf(coding), [&](OperatorCase& c) {
        const TensorId ids = c.Input(DType::kI32, {count}, 0, static_cast<float>(rows - 1));
        const TensorId table = CodedConstant(c, {rows, columns}, coding);
        c.Output(c.Op(Builtin::EMBEDDING_LOOKUP, {ids, table}, DType::kF32, {count, columns}, 4),
                 DType::kF32, {count, columns});
      });
    }
  }
}

void AddLookupOfHigherRank(OperatorCases& cases) {
  cases.Add("EMBEDDING_LOOKUP", "f32 of rank 3", Agreement::kExact, [](OperatorCase& c) {
    const TensorId ids = c.Input(DType::kI32, {3}, 0, 4);
    const TensorId table = c.Constant(DType::kF32, {5, 2, 3});
    c.Output(c.Op(Builtin::EMBEDDING_LOOKUP, {ids, table}, DType::kF32, {3, 2, 3}), DType::kF32,
             {3, 2, 3});
  });
}

}  // namespace

void AddMatrixCases(OperatorCases& cases) {
  AddFullyConnected(cases);
  AddBatchMatMul(cases);
  AddEmbeddingLookups(cases, Codings());
  AddLookupOfHigherRank(cases);
}

// Products of these are refused in blocks, and of one scale computed with other activations.
void AddInt2TableCases(OperatorCases& cases) {
  AddEmbeddingLookups(cases, {{"int2 per tensor", DType::kI2},
                              {"int2 blocks of 32", DType::kI2, false, 32},
                              {"int2 blocks of 64", DType::kI2, false, 64}});
}

// The quantizer's rotation of activations: a custom operator.
void AddHadamardCases(OperatorCases& cases) {
  for (const int32_t size : {1, 2, 8, 64, 128, 2048}) {
    for (int i = 0; i < 2; ++i) {
      Extents shape = cases.random().Shape(1 + i);
      shape.push_back(size * cases.random().Int(1, 3));
      cases.Add(
          "aeq.hadamard_rotation", fmt::format("{} numbers", size), Agreement::kFloats,
          [&](OperatorCase& c) {
            flexbuffers::Builder options;
            options.Map([&] {
              options.Int("hadamard_size", size);
              options.Vector("random_binary_vector", [&] { options.Int(1); });
            });
            options.Finish();
            OperatorSpec spec{.code = Builtin::CUSTOM, .inputs = {c.Input(DType::kF32, shape)}};
            spec.custom_code = "aeq.hadamard_rotation";
            spec.custom_options = options.GetBuffer();
            c.Output(c.Ops(std::move(spec), DType::kF32, {shape}).front(), DType::kF32, shape);
          });
    }
  }
}

}  // namespace litertlm
