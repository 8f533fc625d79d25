// write_operator_cases FOLDER writes small models, one for each case of each operator, with random
// inputs and with what we compute.
#include <cstdio>
#include <cstdlib>

#include "litertlm/error.h"
#include "tests/conformance/operators/operator_case.h"

int main(int argc, char** argv) {
  if (argc != 2) return EXIT_FAILURE;
  try {
    litertlm::OperatorCases cases(argv[1]);
    litertlm::AddElementwiseCases(cases);
    litertlm::AddReductionCases(cases);
    litertlm::AddShapeCases(cases);
    litertlm::AddPartCases(cases);
    litertlm::AddIndexCases(cases);
    litertlm::AddMatrixCases(cases);
    litertlm::AddCodeCases(cases);
    litertlm::AddInt2TableCases(cases);
    litertlm::AddHadamardCases(cases);  // Last: the cases before stay as they were drawn.
  } catch (const litertlm::Error& error) {
    std::fprintf(stderr, "%s\n", error.message().c_str());
    return EXIT_FAILURE;
  }
}
