// The results of `bench`, in the forms that it prints.
#ifndef LITERTLM_CLI_BENCHMARK_REPORT_H_
#define LITERTLM_CLI_BENCHMARK_REPORT_H_

#include <string>

#include "cli/benchmark.h"

namespace litertlm {

/// For people: a paragraph for each number of threads.
std::string FormatBenchmarkText(const BenchmarkResult& result);
/// A table for documents.
std::string FormatBenchmarkMarkdown(const BenchmarkResult& result);
/// An array with one flat object for each test; docs/cli.md explains the keys.
std::string FormatBenchmarkJson(const BenchmarkResult& result);
/// The same without the single samples; the first line has the keys.
std::string FormatBenchmarkCsv(const BenchmarkResult& result);

}  // namespace litertlm

#endif  // LITERTLM_CLI_BENCHMARK_REPORT_H_
