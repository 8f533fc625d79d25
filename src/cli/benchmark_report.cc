#include "cli/benchmark_report.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/units.h"
#include "cli/runtime_flags.h"

namespace litertlm {
namespace {

constexpr double kMilli = 1e3;
constexpr double kGiga = 1e-9;

std::string PlusMinus(const Samples& samples, double factor, int decimals) {
  return fmt::format("{:.{}f} ± {:.{}f}", samples.Mean() * factor, decimals,
                     samples.Deviation() * factor, decimals);
}

std::string NameAtDepth(const TestResult& test) {
  return test.depth == 0 ? test.name() : fmt::format("{} @ d{}", test.name(), test.depth);
}

// Weights that decoding reads from memory, in bytes per second.
double Bandwidth(const TestResult& test) { return test.rates.Mean() * test.token_bytes; }

Json Row(const BenchmarkResult& result, const BenchmarkRun& run, const TestResult& test) {
  Json row = {{"model", result.model},
              {"model_bytes", result.model_bytes},
              {"kernels", result.kernels},
              {"threads", run.threads},
              {"test", test.name()},
              {"tokens", test.tokens},
              {"depth", test.depth},
              {"kv_cache_type", NameOf(result.cache_type)},
              {"tokens_per_second", test.rates.Mean()},
              {"deviation", test.rates.Deviation()},
              {"bytes_per_second", nullptr},
              {"read_bytes_per_second", run.read_bandwidth},
              {"load_seconds", run.load_seconds.Mean()},
              {"first_token_seconds", run.first_token_seconds.Mean()},
              {"private_bytes", run.private_bytes},
              {"resident_bytes", run.resident_bytes}};
  if (!test.prompt) row["bytes_per_second"] = Bandwidth(test);
  return row;
}

Json Ops(const TestResult& test) {
  Json ops = Json::array();
  for (const OpShare& op : test.ops) {
    ops.push_back({{"op", op.name}, {"seconds", op.seconds}, {"share", op.share}});
  }
  return ops;
}

template <typename F>
void ForEachTest(const BenchmarkResult& result, F&& f) {
  for (const BenchmarkRun& run : result.runs) {
    for (const TestResult& test : run.tests) f(run, test);
  }
}

std::string CsvField(const Json& value) {
  if (value.is_null()) return "";
  if (!value.is_string()) return DumpJson(value);
  std::string quoted = "\"";
  for (const char c : value.get_ref<const std::string&>())
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

}  // namespace

std::string FormatBenchmarkText(const BenchmarkResult& result) {
  std::string text =
      fmt::format("{}: {}, {} kernels, keys and values in {}\n", result.model,
                  FormatBytes(result.model_bytes), result.kernels, NameOf(result.cache_type));
  for (const BenchmarkRun& run : result.runs) {
    text += fmt::format(
        "\n{} thread{}\n"
        "  load          {} ms\n"
        "  first token   {} ms, after a prompt of {} tokens\n"
        "  memory        {} private, {} with mapped files\n",
        run.threads, run.threads == 1 ? "" : "s", PlusMinus(run.load_seconds, kMilli, 1),
        PlusMinus(run.first_token_seconds, kMilli, 1), kFirstTokenPrompt,
        FormatBytes(run.private_bytes), FormatBytes(run.resident_bytes));
    for (const TestResult& test : run.tests) {
      text += fmt::format("  {:13} {} tokens/s", NameAtDepth(test), PlusMinus(test.rates, 1, 1));
      if (!test.prompt) {
        const double bandwidth = Bandwidth(test);
        text += fmt::format(", {:.1f} of {:.1f} GB/s ({:.0f} %)", bandwidth * kGiga,
                            run.read_bandwidth * kGiga, 100 * bandwidth / run.read_bandwidth);
      }
      text += '\n';
      for (const OpShare& op : test.ops) {
        text += fmt::format("    {:5.1f} %  {:9.3f} ms  {}\n", 100 * op.share, op.seconds * kMilli,
                            op.name);
      }
    }
  }
  return text;
}

std::string FormatBenchmarkMarkdown(const BenchmarkResult& result) {
  std::string text =
      "| model | kernels | threads | test | tokens/s | GB/s | of read bandwidth | load ms | "
      "first token ms | private MB |\n"
      "|---|---|--:|---|--:|--:|--:|--:|--:|--:|\n";
  ForEachTest(result, [&](const BenchmarkRun& run, const TestResult& test) {
    const double bandwidth = Bandwidth(test);
    text += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0f} |\n",
        std::filesystem::path(result.model).stem().string(), result.kernels, run.threads,
        NameAtDepth(test), PlusMinus(test.rates, 1, 1),
        test.prompt ? "" : fmt::format("{:.1f}", bandwidth * kGiga),
        test.prompt ? "" : fmt::format("{:.0f} %", 100 * bandwidth / run.read_bandwidth),
        PlusMinus(run.load_seconds, kMilli, 1), PlusMinus(run.first_token_seconds, kMilli, 1),
        static_cast<double>(run.private_bytes) / 1e6);
  });
  return text;
}

std::string FormatBenchmarkJson(const BenchmarkResult& result) {
  Json rows = Json::array();
  ForEachTest(result, [&](const BenchmarkRun& run, const TestResult& test) {
    rows.push_back(Row(result, run, test));
    rows.back()["samples"] = test.rates.values;
    if (!test.ops.empty()) rows.back()["ops"] = Ops(test);
  });
  return DumpJson(rows, 2) + "\n";
}

std::string FormatBenchmarkCsv(const BenchmarkResult& result) {
  std::string header;
  std::string lines;
  ForEachTest(result, [&](const BenchmarkRun& run, const TestResult& test) {
    header.clear();
    const Json row = Row(result, run, test);
    for (const auto& [key, value] : row.items()) {
      const char* separator = header.empty() ? "" : ",";
      header += separator + key;
      lines += separator + CsvField(value);
    }
    lines += '\n';
  });
  return header + '\n' + lines;
}

}  // namespace litertlm
