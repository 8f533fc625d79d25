#include "convert/rope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr double kMaxFactor = 1e4;

double Factor(const Config& scaling) { return scaling.Number("factor", 1e-3, kMaxFactor); }

// Long wavelengths are stretched by `factor`, short ones kept, those between blended.
void ApplyLlama3(const Config& scaling, std::vector<double>& frequencies) {
  const double factor = Factor(scaling);
  const double low = scaling.Number("low_freq_factor", 1e-3, 1e6);
  const double high = scaling.Number("high_freq_factor", 1e-3, 1e6);
  const auto context =
      static_cast<double>(scaling.Int("original_max_position_embeddings", 1, kMaxPositions));
  if (high <= low) {
    throw Error(
        ErrorCode::kBadInput,
        fmt::format("{}: \"high_freq_factor\" must exceed \"low_freq_factor\".", scaling.where()));
  }
  for (double& f : frequencies) {
    const double turns = context * f / (2 * std::numbers::pi);  // Within the original context.
    if (turns < low) {
      f /= factor;
    } else if (turns <= high) {
      const double smooth = (turns - low) / (high - low);
      f = (1 - smooth) * f / factor + smooth * f;
    }
  }
}

// YaRN (arXiv 2309.00071): dimensions that turn often in the original context are kept, those that
// turn rarely are stretched, with a linear ramp between; attention is sharpened a little.
double ApplyYarn(const Config& scaling, double theta, int64_t head_dim, int64_t max_positions,
                 std::vector<double>& frequencies) {
  const auto context = static_cast<double>(
      scaling.Int("original_max_position_embeddings", 1, kMaxPositions, max_positions));
  const double factor =
      scaling.Has("factor") ? Factor(scaling) : static_cast<double>(max_positions) / context;
  const auto dimension = [&](double rotations) {
    return static_cast<double>(head_dim) * std::log(context / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(theta));
  };
  double low = dimension(scaling.Number("beta_fast", 1e-3, 1e6, 32.0));
  double high = dimension(scaling.Number("beta_slow", 1e-3, 1e6, 1.0));
  if (scaling.Bool("truncate", true)) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(head_dim - 1));
  if (low == high) high += 0.001;  // Transformers' guard against a division by zero.
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / factor * ramp + frequencies[i] * (1 - ramp);
  }

  const auto magnitude = [&](double scale) {
    return factor <= 1 ? 1.0 : 0.1 * scale * std::log(factor) + 1.0;
  };
  if (scaling.Has("attention_factor")) return scaling.Number("attention_factor", 1e-3, 1e3);
  const double mscale = scaling.Number("mscale", 0, 1e3, 0.0);
  const double mscale_all_dim = scaling.Number("mscale_all_dim", 0, 1e3, 0.0);
  if (mscale != 0 && mscale_all_dim != 0) return magnitude(mscale) / magnitude(mscale_all_dim);
  return magnitude(1);
}

}  // namespace

RopeTable MakeRopeTable(double theta, int64_t head_dim, int64_t max_position_embeddings,
                        const std::optional<Config>& scaling) {
  std::vector<double> frequencies(static_cast<size_t>(head_dim / 2));
  for (size_t i = 0; i < frequencies.size(); ++i) {
    frequencies[i] = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
  }
  RopeTable table;
  // The key was "type" before it became "rope_type".
  const std::string type =
      scaling ? scaling->String("rope_type", scaling->String("type", "default")) : "default";
  if (type == "linear") {
    for (double& f : frequencies) f /= Factor(*scaling);
  } else if (type == "llama3") {
    ApplyLlama3(*scaling, frequencies);
  } else if (type == "yarn") {
    table.attention_factor =
        ApplyYarn(*scaling, theta, head_dim, max_position_embeddings, frequencies);
  } else if (type != "default") {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("{}: the rope scaling \"{}\" is not supported.", scaling->where(), type),
        "Supported are default, linear, llama3 and yarn.");
  }
  table.inverse_frequencies.assign(frequencies.begin(), frequencies.end());
  return table;
}

}  // namespace litertlm
