// A decoder's signature as the engine compiles it, fusions included, with taps.
#ifndef LITERTLM_TESTS_CONFORMANCE_CODES_TAPPED_DECODER_H_
#define LITERTLM_TESTS_CONFORMANCE_CODES_TAPPED_DECODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/decoder_program.h"

namespace litertlm {

using Floats = std::vector<float>;

class TappedDecoder {
 public:
  /// Both must outlive the decoder.
  TappedDecoder(const TfliteModel& model, std::string_view key, const DecoderOptions& options,
                Workers& workers);

  /// Numbers of each cache, sorted by name.
  std::vector<size_t> CacheSizes() const;
  /// Runs `tokens` at `position`. `caches` are those before, as the file lays them out. Returns
  /// the caches after, the logits where the signature has any, and the taps, each sorted by name.
  std::vector<Floats> Run(std::span<const int32_t> tokens, int32_t position,
                          std::span<const Floats> caches);

 private:
  /// Matrices of a cache as the file lays them out; the program may want them transposed.
  struct CacheLayout {
    size_t rows = 0;
    size_t columns = 0;
    bool transposed = false;

    Floats ToProgram(const Floats& cache) const;
    Floats ToFile(const Floats& cache) const;
  };

  Workers& workers_;
  Arena arena_;
  DecoderSignature signature_;
  std::vector<CacheLayout> layouts_;  ///< By state.
  std::unique_ptr<Program> program_;
};

}  // namespace litertlm

#endif  // LITERTLM_TESTS_CONFORMANCE_CODES_TAPPED_DECODER_H_
