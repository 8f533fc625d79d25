// Models whose lengths are left open, made of models that were drawn for some.
#ifndef LITERTLM_TESTS_STYLES_STYLED_SHAPES_H_
#define LITERTLM_TESTS_STYLES_STYLED_SHAPES_H_

#include "tests/graph/model_writer.h"

namespace litertlm {

/// Lengths that nothing else in the models has, and no multiple of them.
inline constexpr int kOpenRows = 13;
inline constexpr int kOpenPositions = 97;

/// The model with -1 for every multiple of kOpenRows in its signature for prompts, which becomes
/// "prefill", and for kOpenPositions in all. Where a reshape, slice or broadcast needs the length,
/// it is derived from the shapes of inputs; tables of positions become ranges. The lengths stay
/// beside the -1, where runtimes that cannot resize inputs find them.
TestModel WithOpenShapes(const TestModel& model);

}  // namespace litertlm

#endif  // LITERTLM_TESTS_STYLES_STYLED_SHAPES_H_
