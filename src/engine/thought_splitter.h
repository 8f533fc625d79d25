// Tells a model's thought from its reply, by the markers around the thought.
#ifndef LITERTLM_ENGINE_THOUGHT_SPLITTER_H_
#define LITERTLM_ENGINE_THOUGHT_SPLITTER_H_

#include <functional>
#include <string>
#include <string_view>

#include "litertlm/generation.h"

namespace litertlm {

struct ThoughtMarkers {
  std::string begin;  ///< "<think>"; empty if the model does not think.
  std::string end;
};

/// A thought stands only at the beginning: markers that a reply mentions later are text. The white
/// space between markers, thought and reply belongs to none of them.
class ThoughtSplitter {
 public:
  ThoughtSplitter(ThoughtMarkers markers, std::function<void(const TextChunk&)> emit);

  /// Text as it arrives; what may be a part of a marker is held back.
  void Push(std::string_view text);
  void Flush();

 private:
  enum class Place { kStart, kThoughtStart, kThought, kReplyStart, kReply };

  bool Step();
  void Emit(size_t length);

  ThoughtMarkers markers_;
  std::function<void(const TextChunk&)> emit_;
  Place place_;
  std::string held_;
};

}  // namespace litertlm

#endif  // LITERTLM_ENGINE_THOUGHT_SPLITTER_H_
